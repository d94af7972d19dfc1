"""Ramps, reversals and loops: what Blender shows afterwards, frame by frame."""

from __future__ import annotations

from itertools import pairwise

import bpy
import pytest

from tests.addon.layer_factory import FRAMES, coded_set, new_scene
from tests.addon.test_retime import ALL, LAST, loaded, ops, shown, strips_of_addon  # noqa: F401


def test_reverse_of_all_is_blenders_own(loaded, ops, tmp_path):  # noqa: F811
    assert ops.reverse(person="anna") == {"FINISHED"}
    assert loaded.sequence_editor.strips["anna"].use_reverse_frames
    assert shown(loaded, tmp_path) == (ALL[::-1], ALL)
    ops.reverse(person="anna")
    assert shown(loaded, tmp_path) == (ALL, ALL)


def test_reverse_keeps_keys(loaded, ops, tmp_path):  # noqa: F811
    ops.freeze(person="anna", frame=5, duration=3)
    ops.reverse(person="anna")
    # All is mirrored: the last picture first, the freeze where it comes in reverse.
    assert shown(loaded, tmp_path)[0] == [11, 10, 9, 8, 7, 6, 5, 4, 4, 4, 4, 3]


@pytest.mark.parametrize(("frame", "expected"), [(1, 11), (5, 7), (11, 1), (12, 0)])
def test_freeze_of_who_goes_backwards(loaded, ops, tmp_path, frame, expected):  # noqa: F811
    ops.reverse(person="anna")
    ops.freeze(person="anna", frame=frame, duration=3)
    anna = shown(loaded, tmp_path)[0]
    assert anna == (ALL[::-1][:frame] + [expected] * 3 + ALL[::-1][frame:])[:FRAMES]


def test_freezes_of_who_goes_backwards_add_up(loaded, ops, tmp_path):  # noqa: F811
    ops.reverse(person="anna")
    ops.freeze(person="anna", frame=3, duration=2)
    ops.freeze(person="anna", frame=4, duration=1)
    ops.freeze(person="anna", frame=9, duration=1)
    assert shown(loaded, tmp_path)[0] == [11, 10, 9, 9, 9, 9, 8, 7, 6, 6, 5, 4]


def test_speed_of_who_goes_backwards(loaded, ops, tmp_path):  # noqa: F811
    ops.reverse(person="anna")
    ops.set_speed(person="anna", percent=200, to=8, **{"from": 5})
    anna = shown(loaded, tmp_path)[0]
    assert anna[:4] == [11, 10, 9, 8]
    assert anna[-5:-1] == [2, 1, 0, 0]


def test_ramp_of_who_goes_backwards(loaded, ops, tmp_path):  # noqa: F811
    ops.reverse(person="anna")
    ops.ramp(person="anna", to=8, start_percent=100, end_percent=0, **{"from": 2})
    anna = shown(loaded, tmp_path)[0]
    assert anna[0] == 11
    assert anna[1] - anna[6] > anna[6] - anna[11]


def test_reverse_of_a_part(loaded, ops, tmp_path):  # noqa: F811
    ops.reverse(person="anna", to=7, **{"from": 4})
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 6, 5, 4, 3, 7, 8, 9, 10, 11]


def test_loop_then_goes_on(loaded, ops, tmp_path):  # noqa: F811
    ops.loop(person="anna", to=4, times=2, **{"from": 3})
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 3, 2, 3, 2, 3, 4, 5, 6, 7]


def test_loop_until_the_end(loaded, ops, tmp_path):  # noqa: F811
    ops.loop(person="anna", to=5, **{"from": 3})
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 3, 4, 2, 3, 4, 2, 3, 4, 2]


def test_loop_back_and_forth(loaded, ops, tmp_path):  # noqa: F811
    ops.loop(person="anna", to=4, ping_pong=True, **{"from": 1})
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1]


def test_keys_on_top_of_a_loop_and_reset(loaded, ops, tmp_path):  # noqa: F811
    ops.loop(person="anna", to=4, times=1, **{"from": 3})
    ops.freeze(person="anna", frame=6, duration=2)
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 3, 2, 3, 3, 3, 4, 5, 6, 7]
    ops.reset(person="anna")
    assert shown(loaded, tmp_path) == (ALL, ALL)
    assert len(loaded.sequence_editor.strips["anna"].elements) == FRAMES


def test_a_loop_of_what_was_retimed(loaded, ops, tmp_path):  # noqa: F811
    ops.offset(person="anna", frames=2)
    ops.freeze(person="anna", frame=4, duration=1)
    before = shown(loaded, tmp_path)[0]
    ops.loop(person="anna", to=6, times=1, **{"from": 4})
    expected = before[:6] + before[3:6] + before[6:]
    assert shown(loaded, tmp_path)[0] == expected[:FRAMES]


def test_undoing_what_nobody_sees(loaded, ops):  # noqa: F811
    strips = strips_of_addon("strips")
    ops.loop(person="anna", to=4, times=1, **{"from": 3})
    anna = loaded.sequence_editor.strips["anna"]
    assert strips.is_retimed(anna, 1)
    ops.reset(person="anna")
    assert not strips.is_retimed(anna, 1)


def test_ramp_to_slow(loaded, ops, tmp_path):  # noqa: F811
    assert ops.ramp(person="anna", to=8, start_percent=100, end_percent=0, **{"from": 2}) == {"FINISHED"}
    anna, bruno = shown(loaded, tmp_path)
    assert bruno == ALL
    assert anna[0] == 0
    steps = [b - a for a, b in pairwise(anna)]
    assert all(step >= 0 for step in steps)
    assert sum(steps[1:6]) > sum(steps[6:11])


def test_ramp_goes_on_at_normal_speed(addon, tmp_path):
    scene = new_scene(40)
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", frames=40)))
    bpy.ops.retime_people.ramp(person="anna", to=20, start_percent=100, end_percent=50, **{"from": 5})
    strip = scene.sequence_editor.strips["anna"]
    frames = strips_of_addon("strips").source_frames(strip, range(1, 41))
    # 16 frames at 75 percent on average take 21.
    assert frames[:4] == [0, 1, 2, 3]
    assert frames[25:] == list(range(20, 35))
    assert len(strip.retiming_keys) > 4


@pytest.mark.parametrize("speeds", [(0, 0), (0.2, 0.2)])
def test_ramp_without_speed(loaded, ops, speeds):  # noqa: F811
    with pytest.raises(RuntimeError, match="Without any speed"):
        ops.ramp(person="anna", start_percent=speeds[0], end_percent=speeds[1], to=8, **{"from": 2})


def test_frames_of_the_preview_range(loaded, ops, tmp_path):  # noqa: F811
    loaded.use_preview_range = True
    loaded.frame_preview_start, loaded.frame_preview_end = 3, 4
    ops.loop(person="anna", times=1)
    loaded.use_preview_range = False
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 3, 2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("name", ["ramp", "reverse", "loop"])
def test_where_nobody_moves(loaded, ops, name):  # noqa: F811
    with pytest.raises(RuntimeError, match="does not move between the frames"):
        getattr(ops, name)(person="anna", to=90, **{"from": 80})
    assert not strips_of_addon("strips").is_retimed(loaded.sequence_editor.strips["anna"], 1)


def test_all_pieces_go_together(addon, tmp_path):
    scene = new_scene()
    order = [["anna", "bruno"]] * 4 + [["bruno", "anna"]] * 5 + [["anna", "bruno"]] * 3
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", order)))
    bpy.ops.retime_people.loop(person="anna", to=4, times=1, **{"from": 3})
    assert shown(scene, tmp_path)[0] == [0, 1, 2, 3, 2, 3, 4, 5, 6, 7, 8, 9]
    bpy.ops.retime_people.reverse(person="bruno")
    assert shown(scene, tmp_path)[1] == ALL[::-1]


def test_inside_a_meta_strip(loaded, ops, tmp_path):  # noqa: F811
    editor = loaded.sequence_editor
    members = [editor.strips[name] for name in ("background", "anna", "bruno", "Color")]
    strips_of_addon("sequencer_ops").run_on(bpy.context, loaded, members, bpy.ops.sequencer.meta_make)
    ops.ramp(person="bruno", start_percent=50, end_percent=50, to=LAST, **{"from": 1})
    ops.loop(person="anna", to=4, times=1, **{"from": 3})
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 3, 2, 3, 4, 5, 6, 7, 8, 9]
    assert not editor.meta_stack


def test_everything_survives_saving(loaded, ops, tmp_path):  # noqa: F811
    ops.loop(person="anna", to=4, times=1, **{"from": 3})
    ops.reverse(person="bruno", to=5, **{"from": 2})
    before = shown(loaded, tmp_path)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "file.blend"))
    assert shown(bpy.context.scene, tmp_path) == before
