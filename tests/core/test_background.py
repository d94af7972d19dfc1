from __future__ import annotations

import numpy as np
import pytest

from backend.core.background import NOTHING_KNOWN, Estimate, calmest, restlessness
from backend.core.color import Floats
from backend.core.inpaint_ways import smoothly

T, H, W = 40, 96, 128
Box = tuple[slice, slice]
BODY: Box = np.s_[10:20, 12:22]
SHADOW: Box = np.s_[30:38, 40:50]


def ground() -> Floats:
    """A background (H, W, 3) with a gradient."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    return np.stack([0.5 + x / 200, 0.4 + y / 200, 0.6 - x / 300], -1)


def frames(noise: float = 0.0) -> Floats:
    """The background filmed T times."""
    grain = np.random.default_rng(0).normal(0, noise, (T, H, W, 3)) if noise else 0
    return (ground()[None] + np.zeros((T, 1, 1, 1)) + grain).astype(np.float32)


def flags(value: bool) -> np.ndarray:
    return np.full((T, H, W), value)


def estimate(undone: Floats, seen: np.ndarray | None = None, near: np.ndarray | None = None) -> Estimate:
    """The background when no effect is known of; seen everywhere and nobody near where not said."""
    seen, near = flags(True) if seen is None else seen, flags(False) if near is None else near
    nothing = np.zeros(undone.shape[:3], np.float32)
    return calmest(undone, seen[: len(undone)], ~seen[: len(undone)], nothing, near[: len(undone)], NOTHING_KNOWN)


@pytest.mark.parametrize("near", [False, True])
def test_what_never_changes_is_the_background(near: bool) -> None:
    found = estimate(frames(), near=flags(near))
    np.testing.assert_allclose(found.picture, ground(), atol=1e-6)
    assert found.observed.all()


def test_grain_is_averaged_away() -> None:
    found = estimate(frames(noise=0.02))
    assert np.abs(found.picture - ground()).mean() < 0.005


def test_grain_is_not_taken_for_light_where_somebody_is_always_near() -> None:
    found = estimate(frames(noise=0.02), near=flags(True))
    assert abs(float((found.picture - ground()).mean())) < 0.005


@pytest.mark.parametrize("near", [False, True])
def test_a_body_that_stands_in_front_most_of_the_time_is_left_out(near: bool) -> None:
    plate, seen = frames(), flags(True)
    plate[: T - 8, *BODY] = (1, 0, 0)
    seen[: T - 8, *BODY] = False
    np.testing.assert_allclose(estimate(plate, seen, flags(near)).picture, ground(), atol=1e-5)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
def test_a_shadow_that_lies_there_most_of_the_time_is_not_burnt_in(share: float) -> None:
    plate = frames(noise=0.004)
    plate[: round(share * T), *SHADOW] *= 0.5
    found = estimate(plate, near=flags(True))
    assert np.abs(found.picture - ground())[SHADOW].mean() < 0.03


def test_frames_with_nobody_near_decide_where_there_are_enough() -> None:
    plate, near = frames(), flags(False)
    # A bright reflection, which looks like the ground in the light.
    plate[: T - 8, *SHADOW] += 0.3
    near[: T - 8, *SHADOW] = True
    np.testing.assert_allclose(estimate(plate, near=near).picture, ground(), atol=1e-5)


def test_what_nobody_has_seen_is_flagged_and_can_be_filled_from_around() -> None:
    seen = flags(True)
    seen[:, *BODY] = False
    found = estimate(frames(), seen)
    assert not found.observed[BODY].any()
    assert found.observed.sum() == H * W - 100
    assert not found.picture[BODY].any()
    np.testing.assert_allclose(smoothly(found.picture, ~found.observed)[BODY], ground()[BODY], atol=0.05)


@pytest.mark.parametrize("near", [False, True])
def test_nothing_seen_at_all_is_no_fault(near: bool) -> None:
    found = estimate(frames(), flags(False), flags(near))
    assert not found.observed.any()
    assert np.isfinite(found.picture).all()


@pytest.mark.parametrize("count", [1, 2])
def test_one_frame_is_enough(count: int) -> None:
    np.testing.assert_allclose(estimate(frames()[:count]).picture, ground(), atol=1e-6)


def test_the_calmest_frames_decide() -> None:
    undone, strength = frames(), np.zeros((T, H, W), np.float32)
    # In half of the frames there was an effect, and it was undone badly.
    undone[: T // 2, *SHADOW] *= 1.2
    strength[: T // 2, *SHADOW] = 0.5
    undone[T // 2 :, *SHADOW] += np.float32(0.001)
    found = calmest(undone, flags(True), flags(False), strength, flags(True))
    np.testing.assert_allclose(found.picture, ground(), atol=0.01)


def test_calm_frames_with_a_body_in_front_do_not_count() -> None:
    undone, seen, strength = frames(), flags(True), np.zeros((T, H, W), np.float32)
    strength[:10, *BODY] = 0.5
    undone[10:, *BODY] = 0
    seen[10:, *BODY] = False
    np.testing.assert_allclose(calmest(undone, seen, ~seen, strength, flags(False)).picture, ground(), atol=1e-5)


@pytest.mark.parametrize(("left", "taken"), [(0.0, True), (0.4, False)])
def test_ground_seen_only_right_beside_a_body_is_taken_if_it_looks_like_what_is_around(
    left: float, taken: bool
) -> None:
    """A shoe that the mask has left out lies there, too."""
    undone, seen, beside = frames(), flags(True), flags(True)
    seen[:, *BODY] = False
    undone[:, *BODY] += left
    found = calmest(undone, seen, flags(False), np.zeros((T, H, W), np.float32), flags(False), beside=beside).believed()
    assert (found.observed[BODY] == taken).all()
    assert (found.beside[BODY] == taken).all()
    assert found.observed.sum() == H * W - (0 if taken else found.observed[BODY].size)
    if taken:
        np.testing.assert_allclose(found.picture, ground(), atol=1e-5)


def test_waves_are_restless_and_a_shadow_that_comes_and_goes_is_not() -> None:
    plate, seen = frames(), flags(True)
    plate[:, *BODY] += np.random.default_rng(0).normal(0, 0.05, (T, 10, 10, 3)).astype(np.float32)
    plate[8:16, *SHADOW] *= 0.5
    found = restlessness(plate, seen)
    assert found[BODY].min() > 0.01
    assert found[SHADOW].max() < 1e-6
    assert found.sum() == pytest.approx(found[BODY].sum(), rel=1e-4)


def test_what_is_not_seen_is_not_restless() -> None:
    noise = np.random.default_rng(0).random((T, H, W, 3)).astype(np.float32)
    seen = flags(True)
    # Seen in every other frame only, so that no two follow each other.
    seen[::2] = False
    assert not restlessness(noise, seen).any()


def test_ground_that_is_never_free_does_not_take_the_weakest_prediction_for_the_truest() -> None:
    """A shadow that never leaves, undone too little as often as too much: its mean is right, its weakest is not."""
    density = 0.35 + np.random.default_rng(1).uniform(-0.15, 0.15, (T, 1, 1)).astype(np.float32)
    strength = np.zeros((T, H, W), np.float32)
    strength[(slice(None), *SHADOW)] = density
    undone = frames()
    undone[(slice(None), *SHADOW)] *= np.exp(density - 0.35)[..., None]
    found = calmest(undone, flags(True), flags(False), strength, flags(True))
    assert np.abs(found.picture - ground())[SHADOW].mean() < 0.04


def test_a_body_that_stands_still_is_no_ground_though_a_few_masks_have_holes() -> None:
    """Its clothes keep their colour while a mask hides them; the ground beside, seen as seldom, does not."""
    plate, seen = frames(), flags(True)
    plate[:, *BODY] = 0.8
    seen[2:, *BODY] = False
    assert not estimate(plate, seen).observed[BODY].any()
    plate[:2, *BODY] = ground()[BODY]
    assert estimate(plate, seen).observed[BODY].all()
