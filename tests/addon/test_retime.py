"""Operators on people: what Blender shows afterwards, frame by frame."""

from __future__ import annotations

import importlib

import bpy
import pytest

from tests.addon.layer_factory import (
    FRAMES,
    LEFT,
    RIGHT,
    coded_set,
    color_strip,
    new_scene,
    plate_strip,
    random_plate,
    render,
    seen,
)

ALL = list(range(FRAMES))
LAST = FRAMES - 1


@pytest.fixture
def loaded(addon, tmp_path):
    """A loaded shot behind strips that can't have keys, the way that crashes Blender."""
    scene = new_scene()
    color_strip(scene, "Color", 1)
    color_strip(scene, "Adjustment", 9, "ADJUSTMENT")
    assert bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers")), channel=2) == {"FINISHED"}
    return scene


@pytest.fixture
def ops(loaded):
    return bpy.ops.retime_people


def shown(scene, tmp_path) -> tuple[list[int], list[int]]:
    pictures = render(scene, tmp_path / "out")
    return seen(pictures, LEFT), seen(pictures, RIGHT, 0.5)


def strips_of_addon(name: str):
    return importlib.import_module(f"bl_ext.dev.retime_people.{name}")


def test_untouched(loaded, tmp_path):
    assert shown(loaded, tmp_path) == (ALL, ALL)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (5, [0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 8]),
        (2, [0, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8]),
        (1, [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (LAST, [*range(LAST), LAST - 1]),
        (FRAMES, ALL),
        (0, [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (99, ALL),
    ],
)
def test_freeze_holds_then_goes_on_at_normal_speed(loaded, ops, tmp_path, frame, expected):
    assert ops.freeze(person="anna", frame=frame, duration=3) == {"FINISHED"}
    assert shown(loaded, tmp_path) == (expected, ALL)


def test_freeze_takes_the_current_frame_and_the_active_person(loaded, ops, tmp_path):
    loaded.frame_set(5)
    loaded.sequence_editor.active_strip = loaded.sequence_editor.strips["bruno"]
    ops.freeze(duration=3)
    assert loaded.frame_current == 5
    assert shown(loaded, tmp_path) == (ALL, [0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 8])


def test_freeze_again_inside_a_freeze_prolongs_it(loaded, ops, tmp_path):
    ops.freeze(person="anna", frame=5, duration=3)
    ops.freeze(person="anna", frame=7, duration=2)
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 5, 6]


def test_freezes_of_several_people_one_after_the_other(loaded, ops, tmp_path):
    ops.freeze(person="anna", frame=9, duration=2)
    ops.freeze(person="bruno", frame=3, duration=1)
    ops.freeze(person="anna", frame=3, duration=1)
    anna, bruno = shown(loaded, tmp_path)
    assert anna == [0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 8]
    assert bruno == [0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("frames", [3, 20, -4, -20])
def test_offset_holds_the_ends(loaded, ops, tmp_path, frames):
    assert ops.offset(person="anna", frames=frames) == {"FINISHED"}
    expected = [min(max(i - frames, 0), LAST) for i in ALL]
    assert shown(loaded, tmp_path) == (expected, ALL)


def test_offset_without_hold_leaves_the_background(loaded, ops, tmp_path):
    ops.offset(person="anna", frames=3, hold=False)
    anna, _ = shown(loaded, tmp_path)
    assert anna == [15, 15, 15, *range(FRAMES - 3)]  # 15: the background's 0.25


def test_offset_back_and_forth_is_the_original(loaded, ops, tmp_path):
    ops.offset(person="anna", frames=5)
    ops.offset(person="anna", frames=-5)
    assert shown(loaded, tmp_path) == (ALL, ALL)


def test_half_speed_of_all(loaded, ops, tmp_path):
    assert ops.set_speed(person="anna", percent=50) == {"FINISHED"}
    anna, bruno = shown(loaded, tmp_path)
    assert anna[::2] == [0, 1, 2, 3, 4, 5]
    assert all(abs(a - i / 2) <= 0.5 for i, a in enumerate(anna))
    assert bruno == ALL


def test_speed_of_a_stretch(loaded, ops, tmp_path):
    ops.set_speed(person="anna", percent=50, to=6, **{"from": 3})
    anna, _ = shown(loaded, tmp_path)
    assert anna[:3] == [0, 1, 2]
    assert anna[10:] == [6, 7]
    assert all(abs(a - (2 + (i - 2) / 2)) <= 0.5 for i, a in enumerate(anna) if 2 <= i <= 10)


def test_double_speed_holds_the_last_picture(loaded, ops, tmp_path):
    ops.set_speed(person="anna", percent=200)
    anna, _ = shown(loaded, tmp_path)
    # Keys lie on whole frames; where the end does not, the speed is off by up to half a frame over the whole length.
    assert all(abs(a - 2 * i) <= 1 for i, a in enumerate(anna[:6]))
    assert anna[6:] == [LAST] * 6


def test_double_speed_of_a_stretch_keeps_the_rest(loaded, ops, tmp_path):
    ops.set_speed(person="anna", percent=200, to=8, **{"from": 3})
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 4, 6, 8, 9, 10, 11, 11, 11, 11]


def test_speed_around_a_freeze(loaded, ops, tmp_path):
    ops.freeze(person="anna", frame=4, duration=2)
    ops.set_speed(person="anna", percent=200, to=8, **{"from": 1})
    anna, _ = shown(loaded, tmp_path)
    assert anna[4:] == [6, 7, 8, 9, 10, 11, 11, 11]


def test_reset(loaded, ops, tmp_path):
    ops.freeze(person="anna", frame=4, duration=2)
    ops.offset(person="anna", frames=2)
    assert ops.reset(person="anna") == {"FINISHED"}
    assert shown(loaded, tmp_path) == (ALL, ALL)
    assert len(loaded.sequence_editor.strips["anna"].retiming_keys) == 2


def test_remove_and_bring_back(loaded, ops, tmp_path):
    ops.remove(person="anna")
    assert shown(loaded, tmp_path) == ([15] * FRAMES, ALL)
    ops.remove(person="anna", bring_back=True)
    assert shown(loaded, tmp_path) == (ALL, ALL)


def test_duplicate_is_a_person_of_its_own(loaded, ops, tmp_path):
    assert ops.duplicate(person="anna") == {"FINISHED"}
    strips = loaded.sequence_editor.strips
    assert strips["anna.001"].channel > strips["anna"].channel
    ops.offset(person="anna.001", frames=3)
    anna, bruno = shown(loaded, tmp_path)
    assert anna == [0, 0, 0, *range(FRAMES - 3)]
    assert bruno == ALL
    ops.remove(person="anna.001")
    assert shown(loaded, tmp_path) == (ALL, ALL)


def test_unknown_person(loaded, ops):
    with pytest.raises(RuntimeError, match='no person "carl" here; people here: anna, bruno'):
        ops.freeze(person="carl", frame=3)


def test_nobody_chosen(loaded, ops):
    loaded.sequence_editor.active_strip = None
    with pytest.raises(RuntimeError, match="Click a person's strip"):
        ops.offset()


def test_without_layers(addon):
    with pytest.raises(RuntimeError, match="Load the layers"):
        bpy.ops.retime_people.remove(person="anna")


def test_nothing_else_is_touched(loaded, ops):
    strips = loaded.sequence_editor.strips
    before = {s.name: (s.channel, s.frame_final_start, s.frame_final_end, s.select) for s in strips}
    active = loaded.sequence_editor.active_strip
    ops.freeze(person="anna", frame=4, duration=5)
    ops.set_speed(person="bruno", percent=30)
    ops.offset(person="bruno", frames=2)
    assert {s.name: (s.channel, s.frame_final_start, s.frame_final_end, s.select) for s in strips} == before
    assert loaded.sequence_editor.active_strip == active


def test_neighbors_in_the_channel_stay(loaded, ops):
    strips = loaded.sequence_editor.strips
    neighbor = color_strip(loaded, "Next shot", 40)
    neighbor.frame_start = FRAMES + 1
    neighbor.channel = strips["anna"].channel
    ops.set_speed(person="anna", percent=20)
    assert neighbor.frame_final_start == FRAMES + 1
    assert strips["anna"].frame_final_end == FRAMES + 1
    assert neighbor.channel == strips["anna"].channel


@pytest.mark.parametrize("start", [-30, 1000])
def test_anywhere_on_the_timeline(addon, tmp_path, start):
    scene = new_scene()
    plate_strip(scene, tmp_path / "plate", random_plate(FRAMES), start)
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers")))
    bpy.ops.retime_people.freeze(person="anna", frame=start + 4, duration=3)
    sources = strips_of_addon("strips").source_frames(
        scene.sequence_editor.strips["anna"], range(start, start + FRAMES)
    )
    assert sources == [0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 8]


def test_inside_meta_strips(loaded, ops, tmp_path):
    editor = loaded.sequence_editor
    compat = strips_of_addon("sequencer_ops")
    members = [editor.strips[name] for name in ("background", "anna", "bruno", "Color")]
    compat.run_on(bpy.context, loaded, members, bpy.ops.sequencer.meta_make)
    meta = members[0].parent_meta()
    compat.run_on(bpy.context, loaded, [meta], bpy.ops.sequencer.meta_make)
    assert ops.freeze(person="anna", frame=5, duration=3) == {"FINISHED"}
    assert ops.set_speed(person="bruno", percent=200, to=8, **{"from": 3}) == {"FINISHED"}
    anna, bruno = shown(loaded, tmp_path)
    assert anna == [0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 8]
    assert bruno == [0, 1, 2, 4, 6, 8, 9, 10, 11, 11, 11, 11]
    assert not editor.meta_stack


def test_meta_strips_keep_their_place(loaded, ops):
    editor = loaded.sequence_editor
    compat = strips_of_addon("sequencer_ops")
    members = [editor.strips[name] for name in ("background", "anna", "bruno")]
    compat.run_on(bpy.context, loaded, members, bpy.ops.sequencer.meta_make)
    meta = members[0].parent_meta()
    follower = color_strip(loaded, "Next shot", 40)
    follower.frame_start = FRAMES + 1
    follower.channel = meta.channel
    before = [(s.channel, s.frame_final_start, s.frame_final_end) for s in (meta, follower)]
    ops.freeze(person="anna", frame=5, duration=30)
    ops.set_speed(person="bruno", percent=20)
    ops.offset(person="bruno", frames=-20)
    assert [(s.channel, s.frame_final_start, s.frame_final_end) for s in (meta, follower)] == before


def test_duplicate_of_a_person_in_pieces(addon, tmp_path):
    scene = new_scene()
    order = [["anna", "bruno"]] * 4 + [["bruno", "anna"]] * 5 + [["anna", "bruno"]] * 3
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", order)))
    bpy.ops.retime_people.duplicate(person="anna")
    strips = strips_of_addon("strips")
    assert strips.people(scene) == ["anna", "bruno", "anna.001"]
    assert [s.name for s in strips.pieces_of(scene, "anna")] == ["anna", "anna Part 2", "anna Part 3"]
    assert len(strips.pieces_of(scene, "anna.001")) == 3
    bpy.ops.retime_people.offset(person="anna.001", frames=2)
    assert seen(render(scene, tmp_path / "out"), LEFT) == [0, 0, *range(FRAMES - 2)]


def test_keys_survive_saving(loaded, ops, tmp_path):
    ops.freeze(person="anna", frame=5, duration=3)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "file.blend"))
    assert shown(bpy.context.scene, tmp_path)[0] == [0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 8]


def test_where_nobody_is_seen_the_button_says_so(loaded):
    why_not_at = strips_of_addon("poll_reasons").why_not_at
    assert [why_not_at(loaded, "anna", frame) for frame in (1, 5, FRAMES)] == ["", "", ""]
    for frame in (0, FRAMES + 1):
        assert why_not_at(loaded, "anna", frame) == f"anna is seen on the frames 1 to {FRAMES}; go there first"
    assert why_not_at(loaded, "nobody", 5) == ""
