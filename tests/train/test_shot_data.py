from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.train.settings import TrainSettings
from backend.train.shot_data import (
    area_growth,
    body_height,
    make_shot_data,
    most_pixels,
    shrink,
    squared_distance,
    training_size,
)
from tests.train.toy_shot import SIDE, H, N, T, W, masks, plates

sides = st.integers(64, 8192)


@given(sides, sides, st.sampled_from([4, 16]), st.integers(64 * 64, 256 * 448))
def test_the_training_size_has_the_shape_of_the_plate(width: int, height: int, multiple: int, pixels: int) -> None:
    w, h = training_size(width, height, pixels, multiple)
    assert w % multiple == 0 and h % multiple == 0 and w > 0 and h > 0
    # Rounding to multiples moves each side by half a multiple at most, except that none vanishes.
    scale = min(1, (pixels / (width * height)) ** 0.5)
    assert abs(w - scale * width) <= multiple and abs(h - scale * height) <= multiple


def test_the_usual_training_size() -> None:
    assert training_size(448, 256, 64 * 112, 16) == (112, 64)
    assert training_size(1920, 1080, 64 * 112, 16) == (112, 64)


def test_shrinking_keeps_the_mean() -> None:
    picture = np.random.default_rng(0).random((64, 96, 3)).astype(np.float32)
    assert shrink(picture, (24, 16)).shape == (16, 24, 3)
    assert shrink(picture[..., 0], (24, 16)).shape == (16, 24)
    np.testing.assert_allclose(shrink(picture, (24, 16)).mean((0, 1)), picture.mean((0, 1)), atol=1e-5)


def test_distance_is_told_in_body_heights() -> None:
    mask = np.zeros((40, 60), np.float32)
    mask[10:20, 30:34] = 1
    distance = squared_distance(mask, height=10)
    assert not distance[mask > 0].any()
    # Ten pixels, the body's height, to the left of it; and twice that.
    assert distance[15, 20] == pytest.approx(1, rel=0.1)
    assert distance[15, 10] == pytest.approx(4, rel=0.1)


def test_who_is_not_in_the_picture_is_several_body_heights_from_everything() -> None:
    assert squared_distance(np.zeros((40, 60), np.float32), height=10).min() >= 3**2


def test_small_people_get_larger_pictures_up_to_a_limit() -> None:
    settings = TrainSettings(steps=1, body_pixels=30, most_growth=3)
    assert [area_growth(height, settings) for height in (100, 30, 20, 5)] == [1, 1, pytest.approx(2.25), 3]
    assert body_height(masks()) == SIDE
    assert body_height(0 * masks()) == 0


def test_the_longer_a_clip_and_the_more_its_people_the_smaller_the_pictures_that_fit() -> None:
    usual = TrainSettings(steps=1).pixels
    assert most_pixels(100, 3) > 3 * usual
    assert most_pixels(2000, 3) == pytest.approx(most_pixels(1000, 3) / 2)
    assert most_pixels(2000, 3) < most_pixels(2000, 1) < 2 * usual


def test_a_shot_put_together() -> None:
    data = make_shot_data(plates(), masks(), masks(), plates() * 0.5)
    assert data.plate.shape == data.background.shape == (T, 3, H, W)
    assert data.masks.shape == (T, N, H, W)
    assert data.seen.shape == (T, 1, H, W)
    assert data.distance.shape == (T, N, 1, H, W)
    assert {data.plate.dtype, data.masks.dtype, data.seen.dtype, data.background.dtype} == {torch.float32}
    np.testing.assert_array_equal(data.plate[3].permute(1, 2, 0).numpy(), plates()[3])
    bodies = torch.from_numpy(masks().max(1)) > 0
    assert not data.seen[:, 0][bodies].any()
    assert 0.7 < float(data.seen.mean()) < 1


def test_hidden_parts_are_known_to_the_network_but_hide_no_background() -> None:
    visible = masks()
    visible[:, 1] = 0
    data = make_shot_data(plates(), masks(), visible, plates())
    assert data.masks[:, 1].any()
    hidden = torch.from_numpy(masks()[:, 1]) > 0
    assert data.seen[:, 0][hidden].all()


def test_moving_to_a_device_keeps_everything() -> None:
    data = make_shot_data(plates(), masks(), masks(), plates())
    there = data.to(torch.device("cpu"))
    for name, tensor in vars(data).items():
        torch.testing.assert_close(getattr(there, name), tensor)
