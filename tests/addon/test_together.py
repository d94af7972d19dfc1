"""Two people: moments that meet, motion in step, who is in front, and holding on at the end."""

from __future__ import annotations

import bpy
import cv2
import numpy as np
import pytest

from tests.addon.layer_factory import FRAMES, LEFT, MIDDLE, RIGHT, coded_set, color_strip, new_scene, render, seen
from tests.addon.test_retime import ALL, LAST, loaded, ops, shown, strips_of_addon  # noqa: F401

LONG = 48


def test_match_by_frames(loaded, ops, tmp_path):  # noqa: F811
    assert ops.match(person="anna", frame=3, other_frame=6) == {"FINISHED"}
    assert shown(loaded, tmp_path)[0] == [0, 0, 0, *range(FRAMES - 3)]


def test_match_with_a_marked_moment(loaded, ops, tmp_path):  # noqa: F811
    with pytest.raises(RuntimeError, match="No moment is marked"):
        ops.match(person="anna")
    loaded.frame_set(4)
    ops.mark_moment(person="bruno")
    assert (loaded.retime_people.mark_person, loaded.retime_people.mark_frame) == ("bruno", 4)
    loaded.frame_set(6)
    ops.match(person="anna")
    assert shown(loaded, tmp_path)[0] == [*range(2, FRAMES), LAST, LAST]
    ops.clear_mark()
    with pytest.raises(RuntimeError, match="No moment is marked"):
        ops.clear_mark()


def in_front(scene, tmp_path) -> str:
    """Who is seen, frame by frame, where both stand."""
    middle = [float(p[16, MIDDLE, 0]) for p in render(scene, tmp_path / "front")]
    return "".join("b" if value > 0.5 else "a" for value in middle)


def test_order_for_a_while(loaded, ops, tmp_path):  # noqa: F811
    assert in_front(loaded, tmp_path) == "b" * FRAMES
    ops.set_order(person="anna", to=7, **{"from": 4})
    assert in_front(loaded, tmp_path) == "bbbaaaabbbbb"
    assert shown(loaded, tmp_path) == (ALL, ALL)
    names = {piece.name for piece in strips_of_addon("strips").pieces_of(loaded, "anna")}
    assert names == {"anna", "anna Part 2", "anna Part 3"}
    first = min(strips_of_addon("strips").pieces_of(loaded, "anna"), key=lambda piece: piece.frame_final_start)
    assert first.name == "anna"
    ops.set_order(person="anna", other="bruno", behind=True, to=5, **{"from": 5})
    assert in_front(loaded, tmp_path) == "bbbabaabbbbb"


def test_order_of_who_was_retimed_holds_when_retimed_again(loaded, ops, tmp_path):  # noqa: F811
    ops.offset(person="anna", frames=2)
    ops.set_order(person="anna", to=7, **{"from": 4})
    ops.freeze(person="anna", frame=6, duration=2)
    assert in_front(loaded, tmp_path) == "bbbaaaabbbbb"
    assert shown(loaded, tmp_path)[0] == [0, 0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 7]


def test_order_among_three(loaded, ops, tmp_path):  # noqa: F811
    ops.duplicate(person="bruno")
    strips = strips_of_addon("strips")
    assert strips.people(loaded) == ["anna", "bruno", "bruno.001"]
    ops.set_order(person="anna", other="bruno", to=4, **{"from": 1})
    names = [
        s["retime_people_subject"] for s in strips.layer_strips(loaded, role="subject") if s.frame_final_start == 1
    ]
    assert names == ["bruno", "anna", "bruno.001"]


def test_order_leaves_what_is_not_ours(loaded, ops, tmp_path):  # noqa: F811
    title = color_strip(loaded, "Title", 5)
    ops.set_order(person="anna", to=7, **{"from": 4})
    assert title.channel == 5
    assert in_front(loaded, tmp_path) == "bbbaaaabbbbb"


def test_one_place_to_the_front_and_back_again(loaded, ops, tmp_path):  # noqa: F811
    strips = strips_of_addon("strips")
    assert ops.move_person(person="anna", direction="FRONT") == {"FINISHED"}
    assert strips.people(loaded) == ["bruno", "anna"]
    assert in_front(loaded, tmp_path) == "a" * FRAMES
    assert ops.move_person(person="anna", direction="FRONT") == {"CANCELLED"}
    ops.move_person(person="anna", direction="BACK")
    assert strips.people(loaded) == ["anna", "bruno"]


def test_who_is_the_other(loaded, ops):  # noqa: F811
    ops.duplicate(person="bruno")
    with pytest.raises(RuntimeError, match="Say which other person"):
        ops.set_order(person="anna")
    with pytest.raises(RuntimeError, match='no other person "nobody"'):
        ops.set_order(person="anna", other="nobody")


def test_hold_at_the_end(loaded, ops, tmp_path):  # noqa: F811
    loaded.frame_end = FRAMES + 6
    ops.hold_end(person="anna")
    ops.hold_end(person="bruno", until=FRAMES + 2)
    anna, bruno = shown(loaded, tmp_path)
    assert anna == ALL + [LAST] * 6
    assert bruno[: FRAMES + 2] == ALL + [LAST] * 2


def test_hold_shows_what_was_pushed_out(loaded, ops, tmp_path):  # noqa: F811
    loaded.frame_end = FRAMES + 6
    ops.freeze(person="anna", frame=5, duration=3)
    ops.hold_end(person="anna")
    assert shown(loaded, tmp_path)[0] == [0, 1, 2, 3, 4, 4, 4, 4, *range(5, FRAMES), LAST, LAST, LAST]


def test_hold_overwrites_nothing(loaded, ops):  # noqa: F811
    neighbor = color_strip(loaded, "Next shot", 40)
    neighbor.frame_start = FRAMES + 3
    neighbor.channel = loaded.sequence_editor.strips["anna"].channel
    with pytest.raises(RuntimeError, match="Next shot follows anna"):
        ops.hold_end(person="anna", until=FRAMES + 9)
    assert loaded.sequence_editor.strips["background"].frame_final_end == FRAMES + 1


def test_hold_inside_a_meta_strip(loaded, ops, tmp_path):  # noqa: F811
    members = [loaded.sequence_editor.strips[name] for name in ("background", "anna", "bruno")]
    strips_of_addon("sequencer_ops").run_on(bpy.context, loaded, members, bpy.ops.sequencer.meta_make)
    loaded.frame_end = FRAMES + 4
    ops.hold_end(person="anna")
    assert shown(loaded, tmp_path)[0] == ALL + [LAST] * 4


def stepping_masks(folder, phases: dict[str, float], period: float = 12.0) -> None:
    """People whose legs open and close, each with a phase of their own, in frames."""
    for name, phase in phases.items():
        (folder / "masks" / name).mkdir(parents=True)
        for i in range(LONG):
            mask = np.zeros((60, 120), np.uint8)
            x = 20 + i
            stride = 4 + 5 * (1 + np.cos(2 * np.pi * (i - phase) / period))
            cv2.ellipse(mask, (x, 22), (5, 14), 0, 0, 360, 255, -1)
            for side in (-1, 1):
                cv2.line(mask, (x, 32), (int(x + side * stride), 55), 255, 3)
            cv2.imwrite(str(folder / "masks" / name / f"{i + 1:04d}.png"), mask)


@pytest.fixture
def steppers(addon, tmp_path):
    scene = new_scene(LONG)
    stepping_masks(tmp_path / "layers", {"anna": 0, "bruno": 4})
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", frames=LONG)))
    return scene


def test_sync_finds_the_step(steppers):
    before = len(bpy.data.images)
    assert bpy.ops.retime_people.auto_sync(person="anna", other="bruno") == {"FINISHED"}
    assert steppers.sequence_editor.strips["anna"].frame_start == 1 + 4
    assert len(bpy.data.images) == before


def test_sync_goes_by_what_is_seen_now(steppers):
    bpy.ops.retime_people.offset(person="bruno", frames=-2)
    bpy.ops.retime_people.auto_sync(person="anna")
    assert steppers.sequence_editor.strips["anna"].frame_start == 1 + 2


def test_sync_of_still_people_is_refused(addon, tmp_path):
    new_scene()
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers")))
    with pytest.raises(RuntimeError, match="do not move alike"):
        bpy.ops.retime_people.auto_sync(person="anna")


def test_sync_with_a_missing_picture(steppers, tmp_path):
    (tmp_path / "layers" / "masks" / "anna" / "0003.png").unlink()
    (tmp_path / "layers" / "anna" / "0003.exr").unlink()
    with pytest.raises(RuntimeError, match="can't be read; restore"):
        bpy.ops.retime_people.auto_sync(person="anna")


def test_two_columns_are_two_people(loaded, tmp_path):  # noqa: F811
    pictures = render(loaded, tmp_path / "out")
    assert seen(pictures, LEFT) == ALL
    assert seen(pictures, RIGHT, 0.5) == ALL
