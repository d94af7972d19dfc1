"""The arithmetic of retiming, on its own and against what Blender shows."""

from __future__ import annotations

import importlib

import bpy
import pytest

from tests.addon.layer_factory import LEFT, coded_set, new_scene, render, seen
from tests.addon.plain import load

curve = load("retime_curve")
Key = curve.Key
LENGTH = 24


@pytest.mark.parametrize(
    ("keys", "sources"),
    [
        # Frozen at half speed on 3.5, of which Blender tells 4; twice; at the end; as filmed; with another speed after.
        ([(1, 0), (8, 4), (12, 4), (29, 12)], [0, 3.5, 3.5, 12]),
        ([(1, 0), (8, 4), (12, 4), (15, 5), (18, 5), (32, 12)], [0, 3.5, 3.5, 5, 5, 12]),
        ([(1, 0), (8, 4), (12, 4)], [0, 4, 4]),
        ([(1, 0), (8, 7), (12, 7), (17, 12)], [0, 7, 7, 12]),
        ([(1, 0), (9, 4), (12, 4), (16, 12)], [0, 4, 4, 12]),
        ([(1, 0), (3, 2), (8, 2), (18, 11)], [0, 2, 2, 11]),
        ([(1, 3), (9, 3)], [3, 3]),
    ],
)
def test_what_is_held_lies_on_the_line(keys, sources):
    found = curve.with_holds_on_line([Key(*key) for key in keys])
    assert [key.frame for key in found] == [frame for frame, _ in keys]
    assert [key.source for key in found] == pytest.approx(sources)


def test_between_and_beyond_the_keys():
    keys = [Key(1, 0), Key(5, 2), Key(9, 2), Key(12, 5)]
    assert curve.source_at(keys, 3) == 1
    assert curve.source_at(keys, 7) == 2
    assert curve.source_at(keys, -5) == 0
    assert curve.source_at(keys, 99) == 5


def test_nearest_stays_inside_the_content():
    assert curve.nearest_sources([Key(1, 0), Key(5, 8)], range(1, 7), 8) == [0, 2, 4, 6, 7, 7]


@pytest.mark.parametrize(
    "sources",
    [
        [0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7],
        [0, 0, 1, 1, 2, 2, 3, 3, 4, 4],
        [0, 2, 4, 6, 7, 8, 9],
        [3, 3, 3],
        [0],
        [0, 1, 3, 6, 7, 7, 8, 9, 10, 10, 10],
    ],
)
def test_lines_through_a_staircase(sources):
    frames = list(range(10, 10 + len(sources)))
    keys = curve.keys_from_sources(frames, sources)
    assert all(abs(curve.source_at(keys, f) - s) <= 0.5 for f, s in zip(frames, sources, strict=True))


def test_a_straight_line_takes_two_keys():
    assert curve.keys_from_sources(range(1, 41), [i // 2 for i in range(40)]) == [Key(1, 0), Key(40, 19)]
    assert len(curve.keys_from_sources(range(1, 41), list(range(40)))) == 2


RETIMINGS = {
    "freeze": lambda ops: ops.freeze(person="anna", frame=7, duration=5),
    "slow": lambda ops: ops.set_speed(person="anna", percent=40, to=10, **{"from": 4}),
    "fast": lambda ops: ops.set_speed(person="anna", percent=300, to=15, **{"from": 4}),
    "all": lambda ops: ops.set_speed(person="anna", percent=75),
    "several": lambda ops: (
        ops.set_speed(person="anna", percent=50, to=6, **{"from": 2}),
        ops.freeze(person="anna", frame=12, duration=3),
        ops.set_speed(person="anna", percent=170, to=23, **{"from": 17}),
        ops.offset(person="anna", frames=2),
    ),
}


@pytest.mark.parametrize("name", RETIMINGS)
def test_what_is_predicted_is_what_is_rendered(addon, tmp_path, name):
    scene = new_scene(LENGTH)
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", frames=LENGTH)))
    RETIMINGS[name](bpy.ops.retime_people)
    strip = scene.sequence_editor.strips["anna"]
    strips = importlib.import_module("bl_ext.dev.retime_people.strips")
    frames = range(1, LENGTH + 1)
    told = strips.source_frames(strip, frames)
    assert seen(render(scene, tmp_path / "out"), LEFT) == told
    # Blender's keys as they stand, read where nothing keyless comes before, with the sources Blender tells.
    at = sorted({min(max(key.timeline_frame, frames[0]), frames[-1]) for key in strip.retiming_keys} | {1, LENGTH})
    keys = [Key(f, s) for f, s in zip(at, strips.source_frames(strip, at), strict=True)]
    assert all(abs(curve.source_at(keys, f) - s) <= 1 for f, s in zip(frames, told, strict=True))
    fitted = curve.keys_from_sources(list(frames), told)
    assert all(abs(curve.source_at(fitted, f) - s) <= 0.5 for f, s in zip(frames, told, strict=True))
