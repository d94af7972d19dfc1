from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.camera import Camera, Matrices
from backend.core.color import Floats

VIEW = 96, 64
FRAMES = 5


def smooth_picture() -> Floats:
    """Low frequencies only, which survive resampling."""
    y, x = np.mgrid[: VIEW[1], : VIEW[0]].astype(np.float32)
    return np.stack([0.5 + 0.4 * np.sin(x / 9), 0.5 + 0.4 * np.cos(y / 7), 0.5 + 0.3 * np.sin((x + y) / 11)], -1)


def turned(index: int) -> Matrices:
    """A pan with a little rotation, zoom and perspective."""
    angle, zoom = 0.02 * index, 1 + 0.03 * index
    c, s = zoom * np.cos(angle), zoom * np.sin(angle)
    return np.array([[c, -s, 6.3 * index - 10], [s, c, -2.7 * index], [1e-5 * index, 2e-5 * index, 1]])


@pytest.fixture
def moving() -> Camera:
    return Camera.moving_over(np.stack([turned(t) for t in range(FRAMES)]), VIEW)


def at(matrix: Matrices, points: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.perspectiveTransform(points[None].astype(np.float64), matrix)[0])


CORNERS = np.array([[0, 0], [VIEW[0] - 1, 0], [0, VIEW[1] - 1], [VIEW[0] - 1, VIEW[1] - 1]], np.float64)


def test_a_camera_on_a_tripod_changes_nothing() -> None:
    camera = Camera.static(FRAMES, VIEW)
    picture = smooth_picture()
    np.testing.assert_array_equal(camera.onto_canvas(picture, 3), picture)
    np.testing.assert_array_equal(camera.onto_canvas(picture, 3, 10, 7), picture[10:17])
    np.testing.assert_array_equal(camera.from_canvas(picture, 3), picture)
    assert camera.covers(2).all() and camera.covers(2).shape == VIEW[::-1]
    assert camera.covers(2, 10, 7).shape == (7, VIEW[0])
    assert camera.plausible and camera.size == VIEW


def test_the_canvas_holds_every_frame(moving: Camera) -> None:
    points = np.concatenate([at(m, CORNERS) for m in moving.to_canvas])
    assert points.min() >= 0
    assert (points <= np.array(moving.size) - 1 + 1e-6).all()
    assert moving.plausible


def test_there_and_back_is_the_same_picture(moving: Camera) -> None:
    picture = smooth_picture()
    for index in range(FRAMES):
        back = moving.from_canvas(moving.onto_canvas(picture, index), index)
        assert back.shape == picture.shape
        assert np.abs(back - picture)[2:-2, 2:-2].max() < 0.01


def test_a_picture_of_one_channel_keeps_its_shape(moving: Camera) -> None:
    grey = np.ascontiguousarray(smooth_picture()[..., 0])
    assert moving.onto_canvas(grey, 1).shape == moving.size[::-1]
    assert moving.from_canvas(moving.onto_canvas(grey, 1), 1).shape == grey.shape


def test_bands_are_parts_of_the_whole(moving: Camera) -> None:
    whole, covered = moving.onto_canvas(smooth_picture(), 3), moving.covers(3)
    for top, rows in ((0, 5), (17, 20), (moving.size[1] - 9, 9)):
        # OpenCV rounds sample positions to 1/32 of a pixel, of another origin in a band.
        np.testing.assert_allclose(
            moving.onto_canvas(smooth_picture(), 3, top, rows), whole[top : top + rows], atol=0.01
        )
        assert (moving.covers(3, top, rows) != covered[top : top + rows]).mean() < 0.01


def test_a_band_needs_only_its_own_rows_of_the_frame(moving: Camera) -> None:
    picture = smooth_picture()
    for camera in (moving, Camera.static(FRAMES, VIEW)):
        for top, rows in ((0, 9), (17, 8), (camera.size[1] - 6, 6)):
            first, last = camera.rows_for(3, top, rows)
            assert 0 <= first < last <= VIEW[1]
            there = camera.covers(3, top, rows)
            whole = camera.onto_canvas(picture, 3, top, rows)
            part = camera.onto_canvas(picture[first:last], 3, top, rows, first)
            np.testing.assert_allclose(part[there], whole[there], atol=0.01)


def test_a_frame_covers_what_lies_inside_it_on_the_canvas(moving: Camera) -> None:
    ys, xs = np.mgrid[: moving.size[1], : moving.size[0]]
    points = np.stack([xs.ravel(), ys.ravel()], 1)
    for index in range(FRAMES):
        x, y = at(np.linalg.inv(moving.to_canvas[index]), points).T.reshape(2, *xs.shape)
        well_inside = (x > 1) & (y > 1) & (x < VIEW[0] - 2) & (y < VIEW[1] - 2)
        well_outside = (x < -1) | (y < -1) | (x > VIEW[0]) | (y > VIEW[1])
        covered = moving.covers(index)
        assert covered[well_inside].all()
        assert not covered[well_outside].any()


@given(
    st.integers(0, FRAMES - 1),
    st.floats(0, VIEW[0] - 1),
    st.floats(0, VIEW[1] - 1),
    st.sampled_from([(48, 32), (192, 128), (40, 50), (960, 640)]),
)
def test_a_camera_of_another_size_sends_points_to_the_same_places(
    index: int, x: float, y: float, view: tuple[int, int]
) -> None:
    camera = Camera.moving_over(np.stack([turned(t) for t in range(FRAMES)]), VIEW)
    other = camera.resized(view)
    scale = np.array(view) / VIEW

    def scaled(point: np.ndarray) -> np.ndarray:
        return (point + 0.5) * scale - 0.5

    point = np.array([[x, y]])
    np.testing.assert_allclose(
        at(other.to_canvas[index], scaled(point)), scaled(at(camera.to_canvas[index], point)), atol=1e-6
    )
    assert other.view == view and other.moving


def test_a_tripod_of_another_size_is_a_tripod() -> None:
    other = Camera.static(FRAMES, VIEW).resized((31, 17))
    assert (other.size, other.view, other.moving) == ((31, 17), (31, 17), False)
    np.testing.assert_allclose(other.to_canvas, np.tile(np.eye(3), (FRAMES, 1, 1)), atol=1e-12)


def test_from_frame_to_frame_by_way_of_the_canvas(moving: Camera) -> None:
    np.testing.assert_allclose(moving.between(2, 2), np.eye(3), atol=1e-9)
    over_three = at(moving.between(3, 4), at(moving.between(1, 3), CORNERS))
    np.testing.assert_allclose(over_three, at(moving.between(1, 4), CORNERS), atol=1e-6)


def test_an_absurdly_large_canvas_is_not_plausible() -> None:
    astray = np.stack([np.eye(3), np.array([[9.0, 0, 400], [0, 9, 100], [0, 0, 1]])])
    assert not Camera.moving_over(astray, VIEW).plausible
