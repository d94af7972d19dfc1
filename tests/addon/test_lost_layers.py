"""Layers that are no longer where they were are named, and found again without the loss of a key."""

from __future__ import annotations

import importlib

import bpy
import pytest

from tests.addon.layer_factory import FRAMES, coded_set, new_scene


@pytest.fixture
def step(addon):
    return lambda: importlib.import_module(f"{addon.__name__}.next_step").next_step(bpy.context)


def test_moved_layers(addon, step, tmp_path):
    new_scene()
    layers = coded_set(tmp_path / "layers").parent
    bpy.ops.retime_people.load_layers(filepath=str(layers / "layers.json"))
    bpy.ops.retime_people.freeze(person="anna", frame=4, duration=3)
    keys = [key.timeline_frame for key in bpy.context.scene.sequence_editor.strips_all["anna"].retiming_keys]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    assert "missing" in _refusal()
    moved = layers.rename(tmp_path / "elsewhere")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "edit.blend"))
    assert step().text.startswith(f"The pictures of background, anna, bruno are no longer in {layers}")
    assert [name for name, _ in step().buttons] == ["find_layers"]
    with pytest.raises(RuntimeError, match="no pictures of background, anna, bruno"):
        bpy.ops.retime_people.find_layers(filepath=str(tmp_path / "layers.json"))
    assert bpy.ops.retime_people.find_layers(filepath=str(moved / "layers.json")) == {"FINISHED"}
    assert step().text.startswith(("Click a person", "Retime"))
    anna = bpy.context.scene.sequence_editor.strips_all["anna"]
    assert [key.timeline_frame for key in anna.retiming_keys] == keys
    assert bpy.path.abspath(anna.directory).rstrip("/") == str(moved / "anna") and len(anna.elements) == FRAMES


def _refusal() -> str:
    """What is said while nothing is lost."""
    with pytest.raises(RuntimeError) as refused:
        bpy.ops.retime_people.find_layers(filepath="layers.json")
    return str(refused.value)
