"""A retimed person stands where the moving camera of the moment would see that person, as without Blender."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from plain import load

from tests.addon.layer_factory import coded_set, new_scene, render, seen

FRAMES, STEP_X, STEP_Y = 12, 3.0, 1.0
math = load("camera_math")


def test_a_shift_is_a_shift():
    pose = math.pose_of(np.array([[1, 0, 4], [0, 1, -2], [0, 0, 1.0]]), (10, 20), (64, 32))
    assert (pose.right, pose.up) == pytest.approx((4, 2))
    assert (pose.scale, pose.turn) == pytest.approx((1, 0))


@pytest.mark.parametrize("place", [(31.5, 15.5), (5, 28), (60, 3)])
def test_a_turn_and_a_zoom_bring_a_place_where_the_matrix_brings_it(place):
    angle, zoom = 0.2, 1.3
    matrix = np.eye(3)
    matrix[:2, :2] = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix[:2, 2] = 3, -5
    pose = math.pose_of(matrix, place, (64, 32))
    assert pose.scale == pytest.approx(zoom) and pose.turn == pytest.approx(-angle)
    x, y = place[0] - 31.5, 15.5 - place[1]
    turned = zoom * np.array(
        [np.cos(pose.turn) * x - np.sin(pose.turn) * y, np.sin(pose.turn) * x + np.cos(pose.turn) * y]
    )
    there = matrix @ (*place, 1)
    assert (turned[0] + pose.right, turned[1] + pose.up) == pytest.approx((there[0] - 31.5, 15.5 - there[1]))


@pytest.fixture
def panned(addon, tmp_path) -> tuple[bpy.types.Scene, Path]:
    """A camera that moves to the right and down: a standing person wanders to the left and up in its frames."""
    file = coded_set(tmp_path / "layers", frames=FRAMES)
    data = json.loads(file.read_text())
    to_canvas = [[[1, 0, STEP_X * i], [0, 1, STEP_Y * i], [0, 0, 1]] for i in range(FRAMES)]
    data["camera"] = {"kind": "homography", "to_canvas": to_canvas}
    file.write_text(json.dumps(data))
    scene = new_scene(FRAMES)
    bpy.ops.retime_people.load_layers(filepath=str(file))
    return scene, tmp_path


def lies(scene, name, frame):
    scene.frame_set(frame)
    transform = scene.sequence_editor.strips_all[name].transform
    return transform.offset_x, transform.offset_y


def settle(scene):
    """What a window does by itself after every change."""
    scene.sequence_editor.strips_all["anna"].mute = False
    bpy.context.view_layer.update()
    for handler in bpy.app.handlers.render_init:
        handler(scene)


def test_nobody_moves_while_nobody_is_retimed(panned):
    scene, _ = panned
    settle(scene)
    assert lies(scene, "anna", 6) == (0, 0)
    assert not (scene.animation_data and scene.animation_data.action)


def test_a_late_person_is_carried_along(panned):
    scene, _ = panned
    bpy.ops.retime_people.offset(person="anna", frames=4)
    settle(scene)
    # On frame 9 (index 8) frame 5 (index 4) is seen: what stood at x stands 4 steps further left and up by then.
    assert lies(scene, "anna", 9) == pytest.approx((-4 * STEP_X, 4 * STEP_Y))
    assert lies(scene, "bruno", 9) == (0, 0)


def test_a_frozen_person_stays_on_the_ground(panned):
    scene, folder = panned
    bpy.ops.retime_people.freeze(person="anna", frame=4, duration=6)
    settle(scene)
    offsets = [lies(scene, "anna", frame)[0] for frame in range(4, 11)]
    assert offsets == pytest.approx([-STEP_X * n for n in range(7)])
    pictures = render(scene, folder / "film")
    # Anna's left edge, at column 4 of her layer, is 3 pixels further left on each frame while she stands.
    edges = [int(np.argmax(picture[16, :, 0] < 0.2)) for picture in pictures[3:5]]
    assert edges[0] - edges[1] in (3, 4) or edges[1] == 0


def test_to_reset_brings_everything_back(panned):
    scene, _ = panned
    bpy.ops.retime_people.offset(person="anna", frames=4)
    settle(scene)
    bpy.ops.retime_people.reset(person="anna")
    settle(scene)
    assert lies(scene, "anna", 9) == (0, 0)


def test_a_camera_that_stands_is_left_alone(addon, tmp_path):
    scene = new_scene(FRAMES)
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", frames=FRAMES)))
    bpy.ops.retime_people.offset(person="anna", frames=4)
    settle(scene)
    assert lies(scene, "anna", 9) == (0, 0) and not (scene.animation_data and scene.animation_data.action)
    assert seen(render(scene, tmp_path / "film"), 8)
