from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from backend.core.camera import Matrices
from backend.core.color import Floats
from backend.core.registration import register

VIEW = 240, 160
FRAMES = 8
CORNERS = np.array([[[0, 0], [VIEW[0], 0], [0, VIEW[1]], [VIEW[0], VIEW[1]], [VIEW[0] / 2, VIEW[1] / 2]]], np.float64)

Motion = Callable[[int], Matrices]


def world() -> Floats:
    """A wall (320, 480, 3) with spots of all sizes, larger than what the camera sees of it."""
    rng = np.random.default_rng(0)
    layers = [
        cv2.resize(rng.random((320 // s, 480 // s, 3)), (480, 320), interpolation=cv2.INTER_CUBIC) for s in (3, 8, 32)
    ]
    return np.asarray(np.clip(sum(layers) / 3, 0, 1), np.float32)


def pan(index: int) -> Matrices:
    """From a frame's pixels to the wall's."""
    return np.array([[1, 0, 100 + 5.3 * index], [0, 1, 80 - 1.7 * index], [0, 0, 1.0]])


def hand_held(index: int) -> Matrices:
    angle, zoom = 0.012 * np.sin(index), 1 + 0.01 * index
    c, s = zoom * np.cos(angle), zoom * np.sin(angle)
    x, y = 90 + 3 * np.sin(2.1 * index), 70 + 2.5 * np.cos(1.7 * index)
    return np.array([[c, -s, x], [s, c, y], [2e-5 * index, 1e-5 * index, 1]])


def still(_index: int) -> Matrices:
    return pan(0)


def filmed(motion: Motion, grain: float = 0.01) -> Callable[[int], tuple[Floats, Floats]]:
    """Frames of the wall, with a man in front who walks the other way and fills a sixth of the picture."""
    wall = world()

    def frame(index: int) -> tuple[Floats, Floats]:
        plate = cv2.warpPerspective(wall, motion(index), VIEW, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        body = np.zeros(VIEW[::-1], np.float32)
        left = 150 - 12 * index
        body[30:150, left : left + 50] = 1
        spots = cv2.resize(np.random.default_rng(5).random((40, 17, 3)), (50, 120)).astype(np.float32)
        plate[30:150, left : left + 50] = spots
        noise = np.random.default_rng(index).normal(0, grain, plate.shape)
        return np.clip(plate + noise, 0, 1).astype(np.float32), body

    return frame


def error(found: Matrices, motion: Motion) -> float:
    """The largest distance in pixels between where points are put and where they belong."""
    apart = []
    for index, matrix in enumerate(found):
        truth = np.linalg.inv(motion(0)) @ motion(index)
        put, belong = cv2.perspectiveTransform(CORNERS, matrix), cv2.perspectiveTransform(CORNERS, truth)
        apart.append(float(np.linalg.norm(put - belong, axis=2).max()))
    return max(apart)


@pytest.mark.parametrize("motion", [pan, hand_held])
def test_a_moving_camera_is_followed_behind_somebody_who_walks(motion: Motion) -> None:
    found = register(filmed(motion), FRAMES)
    assert error(found.to_first, motion) < 0.5
    assert not found.static
    assert found.agreement > 0.8


@pytest.mark.parametrize("motion", [pan, hand_held, still])
def test_a_walker_who_is_not_left_out_does_not_drag_the_camera_along(motion: Motion) -> None:
    scene = filmed(motion)
    found = register(lambda index: (scene(index)[0], np.zeros(VIEW[::-1], np.float32)), FRAMES)
    assert error(found.to_first, motion) < 0.3
    assert found.static == (motion is still)


def test_a_long_pan_to_where_nothing_of_the_first_frame_is_seen() -> None:
    def long_pan(index: int) -> Matrices:
        return np.array([[1, 0, 2 + 29.0 * index], [0, 1, 80], [0, 0, 1.0]])

    # Half of the width goes by, so that the key frame has to change.
    assert error(register(filmed(long_pan), FRAMES).to_first, long_pan) < 1.0


def test_a_still_camera_is_on_a_tripod() -> None:
    found = register(filmed(still), FRAMES)
    assert found.static
    assert error(found.to_first, still) < 0.3


def test_one_frame_is_a_tripod() -> None:
    found = register(filmed(still), 1)
    assert found.static and found.to_first.shape == (1, 3, 3) and found.agreement == 1.0


def test_where_nothing_can_be_followed_the_camera_counts_as_still() -> None:
    def grey(_index: int) -> tuple[Floats, Floats]:
        return np.full((*VIEW[::-1], 3), 0.5, np.float32), np.zeros(VIEW[::-1], np.float32)

    def all_covered(index: int) -> tuple[Floats, Floats]:
        return filmed(pan)(index)[0], np.ones(VIEW[::-1], np.float32)

    for frame in (grey, all_covered):
        found = register(frame, FRAMES)
        assert found.static and found.agreement < 0.1
        np.testing.assert_array_equal(found.to_first, np.tile(np.eye(3), (FRAMES, 1, 1)))


def test_noise_is_not_taken_for_a_motion() -> None:
    def noise(index: int) -> tuple[Floats, Floats]:
        picture = np.random.default_rng(index).random((*VIEW[::-1], 3)).astype(np.float32)
        return cv2.GaussianBlur(picture, (0, 0), 1), np.zeros(VIEW[::-1], np.float32)

    found = register(noise, FRAMES)
    assert found.static or found.agreement < 0.3
    assert np.isfinite(found.to_first).all()
