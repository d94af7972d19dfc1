"""Operators on people: what Blender shows afterwards, frame by frame."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.layer_factory import FRAMES, LEFT, RIGHT, coded_set, color_strip, new_scene, render, seen


@pytest.fixture
def loaded(addon, tmp_path):
    """A loaded shot behind strips that can't have keys, the way that crashes Blender."""
    scene = new_scene()
    color_strip(scene, "Color", 1)
    color_strip(scene, "Adjustment", 9, "ADJUSTMENT")
    assert bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers")), channel=2) == {"FINISHED"}
    return scene


def shown(scene, tmp_path) -> tuple[list[int], list[int]]:
    pictures = render(scene, tmp_path / "out")
    return seen(pictures, LEFT), seen(pictures, RIGHT, 0.5)


def test_untouched(loaded, tmp_path):
    assert shown(loaded, tmp_path) == (list(range(FRAMES)), list(range(FRAMES)))


def test_freeze(loaded, tmp_path):
    assert bpy.ops.retime_people.freeze(person="anna", frame=5, duration=3) == {"FINISHED"}
    anna, bruno = shown(loaded, tmp_path)
    assert anna == [0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 8]
    assert bruno == list(range(FRAMES))
