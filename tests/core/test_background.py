from __future__ import annotations

import numpy as np
import pytest

from backend.core.background import Estimate, calmest, filled, start
from backend.core.color import Floats

T, H, W = 40, 48, 64
Shape = tuple[slice, slice]
BODY: Shape = np.s_[10:20, 12:22]
SHADOW: Shape = np.s_[30:38, 40:50]


def ground() -> Floats:
    """A background (H, W, 3) with a gradient."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    return np.stack([0.5 + x / 200, 0.4 + y / 200, 0.6 - x / 300], -1)


def frames(noise: float = 0.0) -> Floats:
    """The background filmed T times."""
    grain = np.random.default_rng(0).normal(0, noise, (T, H, W, 3)) if noise else 0
    return (ground()[None] + np.zeros((T, 1, 1, 1)) + grain).astype(np.float32)


def everywhere() -> np.ndarray:
    return np.ones((T, H, W), bool)


def test_the_start_is_the_background_that_is_seen() -> None:
    found = start(frames(), everywhere())
    np.testing.assert_allclose(found.picture, ground(), atol=1e-6)
    assert found.observed.all()


def test_grain_is_averaged_away_and_not_taken_for_light() -> None:
    found = start(frames(noise=0.02), everywhere())
    assert np.abs(found.picture - ground()).mean() < 0.01
    assert abs(float((found.picture - ground()).mean())) < 0.005


def test_a_body_that_stands_in_front_most_of_the_time_is_left_out() -> None:
    plate, seen = frames(), everywhere()
    plate[: T - 3, *BODY] = (1, 0, 0)
    seen[: T - 3, *BODY] = False
    found = start(plate, seen)
    np.testing.assert_allclose(found.picture, ground(), atol=1e-5)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
def test_a_shadow_that_lies_there_most_of_the_time_is_not_burnt_in(share: float) -> None:
    plate = frames(noise=0.004)
    plate[: round(share * T), *SHADOW] *= 0.5
    found = start(plate, everywhere())
    assert np.abs(found.picture - ground())[SHADOW].mean() < 0.03


def test_what_nobody_has_seen_is_flagged_and_filled_from_around() -> None:
    seen = everywhere()
    seen[:, *BODY] = False
    for found in (start(frames(), seen), calmest(frames(), seen, np.zeros((T, H, W), np.float32))):
        assert not found.observed[BODY].any()
        assert found.observed.sum() == H * W - 100
        assert not found.picture[BODY].any()
        np.testing.assert_allclose(filled(found)[BODY], ground()[BODY], atol=0.05)
        np.testing.assert_array_equal(filled(found)[found.observed], found.picture[found.observed])


def test_nothing_seen_at_all_is_no_fault() -> None:
    nowhere = np.zeros((T, H, W), bool)
    for found in (start(frames(), nowhere), calmest(frames(), nowhere, np.zeros((T, H, W), np.float32))):
        assert not found.observed.any()
        assert np.isfinite(filled(found)).all()


def test_one_frame_is_enough() -> None:
    found = start(frames()[:1], everywhere()[:1])
    np.testing.assert_allclose(found.picture, ground(), atol=1e-6)


def test_the_calmest_frames_decide() -> None:
    undone, strength = frames(), np.zeros((T, H, W), np.float32)
    # In most frames there was an effect, and it was undone badly.
    undone[: T // 2, *SHADOW] *= 0.8
    strength[: T // 2, *SHADOW] = 0.5
    undone[T // 2 :, *SHADOW] += np.float32(0.001)
    found = calmest(undone, everywhere(), strength)
    np.testing.assert_allclose(found.picture, ground(), atol=0.01)


def test_calm_frames_with_a_body_in_front_do_not_count() -> None:
    undone, seen, strength = frames(), everywhere(), np.zeros((T, H, W), np.float32)
    strength[:10, *BODY] = 0.5
    undone[10:, *BODY] = 0
    seen[10:, *BODY] = False
    np.testing.assert_allclose(calmest(undone, seen, strength).picture, ground(), atol=1e-5)


def test_filling_leaves_a_known_background_alone() -> None:
    whole = Estimate(ground(), np.ones((H, W), bool))
    np.testing.assert_array_equal(filled(whole), ground())
