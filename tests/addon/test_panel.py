from __future__ import annotations

import importlib
from dataclasses import asdict

import bpy
import pytest


@pytest.fixture
def module(addon):
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def ours(addon):
    """Every class that the extension registers."""
    registration = importlib.import_module(f"{addon.__name__}.registration")
    return [cls for part in registration.MODULES for cls in getattr(part, "classes", ())]


def test_every_setting_is_a_property_with_its_default_and_limits(module, addon):
    protocol = module("protocol")
    group = bpy.context.scene.retime_people.settings
    infos = protocol.settings_info(protocol.DecomposeSettings)
    assert set(infos) == set(type(group).__annotations__)
    for name, info in infos.items():
        known = group.bl_rna.properties[name]
        default = getattr(protocol.DecomposeSettings, name)
        assert (known.name, known.description) == (info.label, info.tooltip)
        assert getattr(group, name) == (pytest.approx(default) if isinstance(default, float) else default)
        if info.minimum is not None:
            assert known.hard_min == pytest.approx(info.minimum)
        if info.maximum is not None:
            assert known.hard_max == pytest.approx(info.maximum)
        if info.choices:
            assert [(item.identifier, item.name, item.description) for item in known.enum_items] == list(info.choices)


def test_settings_go_and_come_unchanged(module, addon):
    properties, protocol = module("properties"), module("protocol")
    group = bpy.context.scene.retime_people.settings
    wanted = protocol.DecomposeSettings(
        preset="best", device="cpu", last_frame=9, seed=5, max_seconds=0.1, residual=False
    )
    for name, value in asdict(wanted).items():
        setattr(group, name, value)
    assert properties.settings_of(group) == wanted


def test_names_follow_blenders_rules(ours):
    kinds = {bpy.types.Operator: "_OT_", bpy.types.Panel: "_PT_", bpy.types.UIList: "_UL_", bpy.types.Menu: "_MT_"}
    for cls in ours:
        for kind, sign in kinds.items():
            if issubclass(cls, kind):
                assert cls.__name__.startswith(f"RETIME_PEOPLE{sign}"), cls
        if issubclass(cls, bpy.types.Operator):
            assert cls.bl_idname == "retime_people." + cls.__name__.partition("_OT_")[2]


def test_texts_follow_blenders_rules(ours):
    for cls in ours:
        if issubclass(cls, bpy.types.Operator):
            operator = getattr(bpy.ops.retime_people, cls.bl_idname.partition(".")[2])
            check_text(operator.get_rna_type().description, cls)
        for prop in cls.bl_rna.properties:
            if prop.identifier in getattr(cls, "__annotations__", {}) and not prop.is_hidden:
                check_text(prop.description or "Set by its pointer", f"{cls} {prop.identifier}")


def check_text(text, of):
    assert text and text[0].isupper() and not text.endswith("."), of


@pytest.mark.parametrize(
    ("seconds", "silence", "text"),
    [
        (-1, 0, ""),
        (0, 0, "1 s left"),
        (40.4, 0, "40 s left"),
        (61, 0, "1 min left"),
        (200, 0, "3 min left"),
        (3700, 0, "1 h 2 min left"),
        (-1, 12, "12 s so far"),
        (40.4, 12, "28 s left"),
        (40.4, 300, "5 min so far"),
    ],
)
def test_time_left_reads_well(module, seconds, silence, text):
    assert module("panel_parts").time_left(seconds, silence) == text


def test_seconds_without_news_are_counted_once_they_are_many(module, addon, monkeypatch):
    pump, session = module("pump"), module("session")
    now = 100.0
    monkeypatch.setattr(session.time, "monotonic", lambda: now)
    ticket = session.Ticket("/o", "Scene", "plate", state="running")
    assert pump.silence_of(None) == pump.silence_of(ticket) == 0
    now += 2
    assert pump.silence_of(ticket) == 0
    now += 10.4
    assert pump.silence_of(ticket) == 12
    ticket.stage, ticket.fraction = "Reading", 0.1
    assert pump.silence_of(ticket) == 0
    ticket.state = "finished"
    now += 60
    assert pump.silence_of(ticket) == 0


def test_the_newest_job_of_the_chosen_strip_is_shown(module, addon):
    props = bpy.context.scene.retime_people
    for strip, out in (("A", "1"), ("B", "2"), ("A", "3"), ("B", "4")):
        job = props.jobs.add()
        job.strip, job.out = strip, out
    job_of_strip = module("properties").job_of_strip
    assert [job_of_strip(props, name).out for name in ("A", "B", "")] == ["3", "4", "4"]
    props.jobs.clear()
    assert job_of_strip(props, "A") is None


def test_buttons_tell_why_they_are_grey(module, addon):
    reasons = module("poll_reasons")
    assert "No strip is active" in reasons.why_not_decompose(bpy.context)
    assert reasons.why_not_cancel(bpy.context) == "Nothing is being decomposed"
    assert reasons.why_not_resume(bpy.context) == "Nothing was prepared that could go on; press Decompose"
    assert reasons.why_not_dismiss(bpy.context) == "There is no job"
    assert reasons.why_no_person(bpy.context) == "No person is chosen in the list"


def test_people_are_added_and_removed(addon):
    props = bpy.context.scene.retime_people
    for _ in range(3):
        bpy.ops.retime_people.add_mask()
    assert [person.name for person in props.people] == ["Person 1", "Person 2", "Person 3"]
    assert len({person.tag for person in props.people}) == 3
    props.people_index = 0
    bpy.ops.retime_people.remove_person()
    assert [person.name for person in props.people] == ["Person 2", "Person 3"]
    with pytest.raises(RuntimeError, match="no mask named Nobody"):
        bpy.ops.retime_people.add_mask(mask="Nobody")
