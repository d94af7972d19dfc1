"""Finding people: from a strip, over a job, to the list."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import bpy
import pytest
from fake_backend import FakeBackend, error, progress, state
from pictures import add_clip, write_clip, write_layer_set, write_masks

FRAMES = 6
FOUND = ("Person 1", "Person 2")


@pytest.fixture
def module(addon, monkeypatch):
    monkeypatch.setattr(importlib.import_module(f"{addon.__name__}.pump"), "TICK_SECONDS", 0.0)
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


def write_people(folder: Path, names=FOUND, **changes) -> Path:
    write_masks(folder, names, FRAMES)
    people = [{"name": name, "color": [1, 0, 0], "thumbnail": "", "use": True, **changes} for name in names]
    file = folder / "people.json"
    file.write_text(json.dumps({"format": "retime-people/people-1", "people": people}))
    return file


@pytest.fixture
def fake(module):
    folder = Path(module("preferences").user_folder("backend"))
    (folder / "backend.json").unlink(missing_ok=True)

    def script(request):
        if request["task"] == "people":
            file = write_people(Path(request["out"]))
            done = {"kind": "result", "data": {"people": str(file)}}
            return [state("running"), progress("Looking for People", 0.5), done, state("finished")]
        file = write_layer_set(Path(request["out"]), FOUND, FRAMES)
        return [state("running"), {"kind": "result", "data": {"layers": str(file)}}, state("finished")]

    with FakeBackend(folder, script) as backend:
        yield backend


@pytest.fixture
def props(addon, tmp_path):
    add_clip(bpy.context.scene, write_clip(tmp_path / "clip", FRAMES), start=11)
    return bpy.context.scene.retime_people


def test_from_strip_to_list_to_layers(fake, props, tmp_path):
    assert bpy.ops.retime_people.find_people(out=str(tmp_path / "out")) == {"FINISHED"}
    request = fake.jobs["job-1"].request
    assert (request["task"], request["masks"]) == ("people", "")
    assert len(list(Path(request["plate"]).iterdir())) == FRAMES
    # The backend wants a folder with nothing in it.
    assert not Path(request["plate"]).is_relative_to(request["out"])
    assert [(p.name, p.source, p.found) for p in props.people] == [(name, "FOLDER", True) for name in FOUND]
    assert (props.jobs[0].task, props.jobs[0].loaded) == ("people", True)
    assert bpy.ops.retime_people.decompose(out=str(tmp_path / "layers")) == {"FINISHED"}
    assert {path.name for path in Path(fake.jobs["job-2"].request["masks"]).iterdir()} == set(FOUND)
    assert set(FOUND) <= {strip.name for strip in bpy.context.scene.sequence_editor.strips_all}


def test_all_frames_are_searched(fake, props, tmp_path):
    props.settings.first_frame, props.settings.last_frame = 2, 4
    bpy.ops.retime_people.find_people(out=str(tmp_path / "out"))
    settings = fake.jobs["job-1"].request["settings"]
    assert (settings["first_frame"], settings["last_frame"]) == (0, 0)


def test_finding_again_replaces_who_was_found(fake, props, tmp_path):
    bpy.ops.retime_people.find_people(out=str(tmp_path / "out"))
    bpy.ops.retime_people.add_mask()
    props.people[0].name = "anna"
    bpy.ops.retime_people.find_people(out=str(tmp_path / "out"))
    assert [p.name for p in props.people] == ["Person 3", *FOUND]
    assert props.people["Person 1"].folder != ""


def test_nobody_found(fake, props, module, tmp_path):
    fake.script = lambda _: [state("running"), error("Nobody was found in clip", "Draw a mask"), state("failed")]
    with pytest.raises(RuntimeError, match="Nobody was found in clip"):
        bpy.ops.retime_people.find_people(out=str(tmp_path / "out"))
    step = module("next_step").next_step(bpy.context)
    assert step.text.startswith("Nobody was found")
    assert [name for name, _ in step.buttons] == ["find_people", "add_mask", "dismiss"]
    bpy.ops.retime_people.add_mask()
    step = module("next_step").next_step(bpy.context)
    assert step.text.startswith("Person 1 has no masks yet") and not len(props.jobs)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is damaged"),
        ('{"format": "x"}', "not of this version"),
        ('{"format": "retime-people/people-1", "people": [{"name": "../x"}]}', "is damaged"),
        ('{"format": "retime-people/people-1", "people": [{"name": "zoe"}]}', "masks of zoe are missing"),
    ],
)
def test_a_list_that_is_no_use(fake, props, tmp_path, text, complaint):
    file = tmp_path / "people.json"
    file.write_text(text)
    fake.script = lambda _: [{"kind": "result", "data": {"people": str(file)}}, state("finished")]
    with pytest.raises(RuntimeError, match=complaint):
        bpy.ops.retime_people.find_people(out=str(tmp_path / "out"))
    assert not len(props.people)


def test_those_who_are_not_to_be_used_are_listed_and_get_no_layer(module, props, tmp_path):
    found = module("people_file").read_people(write_people(tmp_path, use=False))
    module("people_list").take_people(props, found)
    assert [(p.name, p.use) for p in props.people] == [(name, False) for name in FOUND]
    assert module("operators.shot").people_of(props) == ()
    props.people[1].use = True
    assert [p.name for p in module("operators.shot").people_of(props)] == ["Person 2"]
