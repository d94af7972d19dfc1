from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.timing import InvalidMap, carry, check_map, identity_map


def test_a_map_may_be_of_any_length_and_order() -> None:
    assert check_map([3, 1, 1.5, 6], 1, 6).tolist() == [3, 1, 1.5, 6]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], "at least one"),
        ({"1": 1}, "not a list"),
        ("123", "not a list"),
        ([1, "2"], "entry 2 is '2'"),
        ([1, None], "entry 2"),
        ([True], "entry 1 is 'True'"),
        ([0], "entry 1 is 0, but the frames are 1 to 6"),
        ([1, 2, 6.01], "entry 3 is 6.01"),
        ([float("nan")], "entry 1 is nan"),
        ([float("inf")], "entry 1 is inf"),
        ([10**400], "entry 1"),
        ([[1]], "entry 1"),
    ],
)
def test_a_bad_map_is_refused_by_its_entry(values: object, told: str) -> None:
    with pytest.raises(InvalidMap, match=told):
        check_map(values, 1, 6)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_any_json_is_a_map_or_a_sentence(values: object) -> None:
    try:
        times = check_map(values, 1, 6)
    except InvalidMap:
        return
    assert len(times) > 0
    assert times.min() >= 1
    assert times.max() <= 6


def shift(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def test_a_layer_is_carried_by_what_the_camera_moved_between_the_frames() -> None:
    layer = np.zeros((8, 8, 4), np.float32)
    layer[3, 2] = 1
    # Frame and canvas differ by 3 pixels: what the source saw at x = 2, the output sees at x = 5.
    moved = carry(layer, shift(3, 0), shift(0, 0))
    assert moved[3, 5, 3] == pytest.approx(1)
    assert moved.sum() == pytest.approx(layer.sum())
    np.testing.assert_allclose(carry(moved, shift(0, 0), shift(3, 0)), layer, atol=1e-6)


def test_the_same_view_changes_nothing() -> None:
    layer = np.random.default_rng(0).random((5, 5, 4)).astype(np.float32)
    assert carry(layer, shift(1.5, 2), shift(1.5, 2)) is layer


def test_identity_map_is_inclusive() -> None:
    assert identity_map(11, 13).tolist() == [11, 12, 13]
