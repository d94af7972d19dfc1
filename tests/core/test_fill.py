from __future__ import annotations

import numpy as np
import pytest

from backend.core.fill import fill

SIZES = [(1, 1), (1, 9), (7, 1), (5, 8), (33, 47), (64, 64)]


@pytest.mark.parametrize("size", SIZES)
def test_a_constant_stays_one_whatever_is_missing(size: tuple[int, int]) -> None:
    weight = (np.random.default_rng(0).random(size) > 0.6).astype(np.float32)
    weight[0, 0] = 1
    found = fill(np.full((*size, 3), 0.3, np.float32), weight)
    np.testing.assert_allclose(found, 0.3, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_known_values_are_kept(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    values, weight = rng.random((*size, 2)).astype(np.float32), (rng.random(size) > 0.5).astype(np.float32)
    known = weight == 1
    np.testing.assert_allclose(fill(values, weight)[known], values[known], atol=1e-6)


def test_a_hole_gets_values_between_those_around_it() -> None:
    values = np.broadcast_to(np.linspace(0, 1, 40, dtype=np.float32)[None, :, None], (40, 40, 3)).copy()
    weight = np.ones((40, 40), np.float32)
    weight[10:30, 10:30] = 0
    values[10:30, 10:30] = 50
    found = fill(values, weight)[10:30, 10:30]
    assert found.min() >= values[0, 9, 0] and found.max() <= values[0, 30, 0]
    # It goes on from left to right, as its surroundings do.
    assert found[:, :5].mean() < found[:, -5:].mean()


def test_nothing_known_gives_zero() -> None:
    found = fill(np.ones((20, 30, 3), np.float32), np.zeros((20, 30), np.float32))
    assert not found.any()


def test_half_known_is_half_kept() -> None:
    values = np.zeros((32, 32, 3), np.float32)
    weight = np.ones((32, 32), np.float32)
    values[16, 16], weight[16, 16] = 1, 0.5
    assert fill(values, weight)[16, 16] == pytest.approx(0.5, abs=0.15)


def test_one_channel_is_filled_like_three() -> None:
    weight = np.ones((9, 14), np.float32)
    weight[2:7, 3:11] = 0
    three = fill(np.full((9, 14, 3), 0.25, np.float32), weight)
    one = fill(np.full((9, 14, 1), 0.25, np.float32), weight)
    assert one.shape == (9, 14, 1)
    np.testing.assert_array_equal(one[..., 0], three[..., 0])
