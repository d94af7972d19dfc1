"""What the extension adds to Blender: named by the rules, and gone without a trace when it is disabled."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import addon_utils
import bpy
import pytest

from tests.addon.conftest import EXTENSION, MODULE

PREFIX = "RETIME_PEOPLE"
SMALL_WORDS = {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with", "sRGB"}


def census() -> dict[str, object]:
    """Everything an extension can leave behind."""
    handlers = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    configs = bpy.context.window_manager.keyconfigs
    kinds = (bpy.types.Operator, bpy.types.Panel, bpy.types.UIList, bpy.types.Menu, bpy.types.Header)
    kinds += (bpy.types.PropertyGroup, bpy.types.AddonPreferences)
    return {
        "handlers": {
            name: [f.__qualname__ for f in found] for name, found in handlers.items() if isinstance(found, list)
        },
        "properties": {
            owner: ours_in(getattr(bpy.types, owner)) for owner in ("Scene", "WindowManager", "Strip", "Object")
        },
        "operators": dir(bpy.ops.retime_people),
        "types": sorted(cls.__name__ for kind in kinds for cls in kind.__subclasses__() if cls.is_registered),
        "keymaps": {config.name: len(config.keymaps) for config in configs},
        "menus": {name: len(getattr(getattr(bpy.types, name).draw, "_draw_funcs", ())) for name in sequencer_menus()},
    }


def ours_in(owner: type) -> list[str]:
    return sorted(name for name in dir(owner) if "retime_people" in name)


def sequencer_menus() -> list[str]:
    return [name for name in dir(bpy.types) if name.startswith(("SEQUENCER_MT", "TOPBAR_MT")) and has_draw(name)]


def has_draw(name: str) -> bool:
    return hasattr(getattr(bpy.types, name), "draw")


@pytest.fixture
def our_types(addon) -> list[type]:
    kinds = (bpy.types.Operator, bpy.types.Panel, bpy.types.UIList, bpy.types.Menu, bpy.types.PropertyGroup)
    return [cls for kind in kinds for cls in kind.__subclasses__() if cls.__module__.startswith(MODULE)]


def texts(our_types: list[type]) -> Iterator[tuple[str, str, str]]:
    """(where, label, tooltip) of every operator and property of ours."""
    for cls in our_types:
        rna = cls.bl_rna
        if issubclass(cls, bpy.types.Operator):
            yield cls.__name__, cls.bl_label, cls.__doc__ or ""
            rna = getattr(bpy.ops.retime_people, cls.bl_idname.split(".")[1]).get_rna_type()
        base = {p.identifier for b in (bpy.types.Operator, bpy.types.PropertyGroup) for p in b.bl_rna.properties}
        for prop in rna.properties:
            if (
                prop.identifier not in base | {"rna_type", "name"}
                and not prop.is_hidden
                and issubclass(cls, bpy.types.Operator | bpy.types.PropertyGroup)
            ):
                yield f"{cls.__name__}.{prop.identifier}", prop.name, prop.description


def test_enables_under_its_true_name(addon):
    assert addon.__name__ == MODULE


def test_leaves_no_trace(empty_file):
    before = census()
    for _ in range(2):
        assert addon_utils.enable(MODULE, default_set=True) is not None
        assert census() != before
        addon_utils.disable(MODULE, default_set=True)
        assert census() == before


def test_class_names(our_types):
    infix = {bpy.types.Operator: "OT", bpy.types.Panel: "PT", bpy.types.UIList: "UL", bpy.types.Menu: "MT"}
    wrong = []
    for cls in our_types:
        kind = next((text for base, text in infix.items() if issubclass(cls, base)), None)
        if kind and not re.fullmatch(rf"{PREFIX}_{kind}_[a-z0-9_]+", cls.__name__):
            wrong.append(cls.__name__)
        if kind == "OT" and cls.__name__ != f"{PREFIX}_OT_{cls.bl_idname.removeprefix('retime_people.')}":
            wrong.append(cls.bl_idname)
    assert not wrong


def test_tooltips(our_types):
    wrong = [
        (where, tooltip)
        for where, _, tooltip in texts(our_types)
        if not tooltip or not (tooltip[0].isupper() or tooltip[0].isdigit()) or tooltip.rstrip().endswith(".")
    ]
    assert not wrong


def test_labels(our_types):
    wrong = [
        (where, label)
        for where, label, _ in texts(our_types)
        if not label or any(word[0].islower() and word not in SMALL_WORDS for word in label.split())
    ]
    assert not wrong


def test_every_operator_of_the_contract(addon):
    wanted = {"load_layers", "freeze", "offset", "set_speed", "remove", "duplicate", "reset", "use_srgb_sequencer"}
    assert wanted <= set(dir(bpy.ops.retime_people))


def test_keywords_of_the_contract(addon):
    ops = bpy.ops.retime_people
    keywords = {
        "freeze": ("person", "frame", "duration"),
        "offset": ("person", "frames"),
        "set_speed": ("person", "percent", "from", "to"),
        "remove": ("person",),
        "duplicate": ("person",),
        "load_layers": ("filepath", "channel"),
    }
    for name, wanted in keywords.items():
        properties = getattr(ops, name).get_rna_type().properties
        assert set(wanted) <= {prop.identifier for prop in properties}


def test_manifest():
    manifest = tomllib.loads((EXTENSION / "blender_manifest.toml").read_text())
    assert manifest["id"] == MODULE.rsplit(".", 1)[1]
    for text in (manifest["tagline"], *manifest["permissions"].values()):
        assert len(text) <= 64
        assert text[-1].isalnum()


def test_no_version_branches_outside_compat():
    offenders = [
        path.name
        for path in Path(EXTENSION).rglob("*.py")
        if "bpy.app.version" in path.read_text() and path.name != "compat.py"
    ]
    assert not offenders
