"""A layer at any time: whole times, the ends of the clip, the camera, large frames, and the shutter."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from backend.core.timing import camera_between
from backend.media import slow_motion
from backend.media.layer_set import CameraEntry, LayerEntry, LayerReader, LayerSetInfo, LayerSetWriter, open_layers
from backend.media.slow_motion import LayerInTime, open_spans
from tests.samples import SET_FRAMES, write_layer_set


@pytest.fixture
def reader(tmp_path: Path) -> LayerReader:
    write_layer_set(tmp_path)
    return open_layers(tmp_path)


def centre(rgba: np.ndarray) -> float:
    alpha = rgba[..., 3]
    return float((alpha * np.arange(alpha.shape[1])).sum() / alpha.sum())


def test_whole_times_are_the_layers_own_pixels(reader: LayerReader) -> None:
    np.testing.assert_array_equal(LayerInTime(reader, "anna").pixels(3.0), reader.pixels("anna", 3))


@pytest.mark.parametrize("time", [1.5, 3.25, SET_FRAMES - 0.5])
def test_the_box_moves_evenly(reader: LayerReader, time: float) -> None:
    layer = LayerInTime(reader, "anna")
    assert centre(layer.pixels(time)) == pytest.approx(centre(reader.pixels("anna", 1)) + 2 * (time - 1), abs=0.25)


def test_large_frames_are_looked_at_smaller(reader: LayerReader, monkeypatch: pytest.MonkeyPatch) -> None:
    # The sides are no whole multiples of three.
    monkeypatch.setattr(slow_motion, "_MOTION_SIDE", 11)
    made = LayerInTime(reader, "anna").pixels(2.5)
    assert made.shape == reader.pixels("anna", 2).shape
    assert centre(made) == pytest.approx(centre(reader.pixels("anna", 2)) + 1, abs=0.7)


def test_somebody_who_comes_and_goes(tmp_path: Path) -> None:
    writer, empty = LayerSetWriter(tmp_path), np.zeros((24, 32), np.float32)
    seen = empty.copy()
    seen[8:16, 8:16] = 1
    for number, alpha in enumerate((empty, empty, seen), 1):
        writer.write_background(number, np.full((24, 32, 3), 0.5, np.float32))
        writer.write_layer("anna", number, np.full((24, 32, 3), 0.8, np.float32), alpha)
    layers = (LayerEntry.of("background", "background"), LayerEntry.of("anna"))
    writer.finish(LayerSetInfo("", 32, 24, Fraction(24), 1, 3, layers, (("background", "anna"),) * 3))
    layer = LayerInTime(open_layers(tmp_path), "anna")
    assert not layer.pixels(1.5).any()
    assert np.isfinite(layer.pixels(2.5)).all()


def test_the_background_moves_as_the_camera_does(tmp_path: Path) -> None:
    pan = tuple(((1.0, 0.0, 4.0 * index), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)) for index in range(3))
    canvas = np.tile(0.5 + 0.4 * np.sin(np.arange(60) / 4)[None, :, None], (24, 1, 3)).astype(np.float32)
    writer = LayerSetWriter(tmp_path)
    for index in range(3):
        writer.write_background(index + 1, canvas[:, 4 * index : 4 * index + 40])
    layers = (LayerEntry.of("background", "background"),)
    order = (("background",),) * 3
    writer.finish(LayerSetInfo("", 40, 24, Fraction(24), 1, 3, layers, order, CameraEntry("homography", pan)))
    made = LayerInTime(open_layers(tmp_path), "background").display(1.5)
    np.testing.assert_allclose(made[:, 8:32, :3], canvas[:, 10:34], atol=0.01)
    assert (made[..., 3] == 1).all()


def test_the_camera_between_two_frames_does_not_weigh_scale() -> None:
    near, far = np.eye(3), 5 * np.array([[1, 0, 8], [0, 1, 0], [0, 0, 1.0]])
    np.testing.assert_allclose(camera_between([near, far], 0.25)[0, 2], 2)
    np.testing.assert_array_equal(camera_between([near, far], 1), far)


@pytest.mark.parametrize("index", [0.5, 1.25, 2.5])
def test_the_camera_speeds_up_between_frames(index: float) -> None:
    pan = np.tile(np.eye(3), (4, 1, 1))
    pan[:, 0, 2] = 3 * np.arange(4.0) ** 2
    assert camera_between(pan, index)[0, 2] == pytest.approx(3 * index**2)


def test_the_shutter_blurs_along_the_way(reader: LayerReader) -> None:
    layer = LayerInTime(reader, "anna")
    blurred, sharp = layer.blurred(3, 1.0), layer.pixels(3)
    assert (blurred[..., 3] > 0.01).sum() > (sharp[..., 3] > 0.01).sum()
    assert centre(blurred) == pytest.approx(centre(sharp), abs=0.3)
    np.testing.assert_array_equal(layer.blurred(3, 0.0), sharp)


def test_only_what_goes_by_faster_is_open() -> None:
    np.testing.assert_allclose(open_spans(np.array([1, 3, 5, 6, 7.0]), 180), [1, 1, 0, 0, 0])
    np.testing.assert_allclose(open_spans(np.array([1, 2, 9, 10.0]), 360), [0, 0, 0, 0])
    np.testing.assert_allclose(open_spans(np.array([4.0]), 360), [0])
