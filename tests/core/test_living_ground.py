from __future__ import annotations

import numpy as np
import pytest

from backend.core.color import Floats
from backend.core.living_ground import beyond, drift, greyness, something_else

T, H, W = 20, 6, 10
SAND, FOAM = np.array([0.87, 0.79, 0.71], np.float32), np.array([0.94, 0.94, 0.94], np.float32)


def shore() -> Floats:
    """(T, H, W, 3): sand, with a wave over its right half in half of the frames."""
    frames = np.broadcast_to(SAND, (T, H, W, 3)).copy()
    frames[T // 2 :, :, W // 2 :] = FOAM
    return frames


def everywhere(flag: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.full((T, H, W), flag)


def test_ground_drifts_where_waves_come_and_nowhere_else() -> None:
    found = drift(shore(), everywhere(True), everywhere(True))
    assert not found[:, : W // 2].any()
    np.testing.assert_allclose(found[:, W // 2 :], np.log((0.94 + 1 / 32) / (0.71 + 1 / 32)), atol=1e-5)


def test_near_people_only_what_is_no_shadow_by_its_colour_is_the_ground_s_own() -> None:
    frames = shore()
    frames[: T // 2, : H // 2] = FOAM * 0.6
    frames[T // 2 :, : H // 2] = FOAM
    found = drift(frames, everywhere(True), everywhere(False))
    assert not found[: H // 2].any()
    assert (found[H // 2 :, W // 2 :] > 0.2).all()


def test_a_few_frames_tell_nothing() -> None:
    few = everywhere(False)
    few[:2] = few[-2:] = True
    assert not drift(shore(), few, few).any()


def test_what_is_darker_than_black_is_black() -> None:
    frames = np.full((T, H, W, 3), -0.5, np.float32)
    frames[::2] = 0.0
    assert not drift(frames, everywhere(True), everywhere(True)).any()


def test_someone_who_passes_once_is_no_drift() -> None:
    frames = np.broadcast_to(SAND, (T, H, W, 3)).copy()
    frames[3] *= 0.3
    assert not drift(frames, everywhere(True), everywhere(True)).any()


@pytest.mark.parametrize(("depth", "believed"), [(0.1, 0.0), (0.25, 0.0), (0.5, 1.0)])
def test_an_effect_must_be_more_than_what_the_ground_does(depth: float, believed: float) -> None:
    effects = np.full((H, W, 3), depth, np.float32)
    for drifts in (0.25, 0.9):
        np.testing.assert_allclose(beyond(effects, np.full((H, W), drifts, np.float32)), believed)
    assert (beyond(effects, np.zeros((H, W), np.float32)) == 1).all()


def test_grey_changes_are_shadows_and_coloured_or_bright_ones_are_none() -> None:
    changes = np.array([[[0.5, 0.45, 0.4], [0.1, 0.2, 0.3], [-0.2, -0.2, -0.2], [0, 0, 0]]], np.float32)
    assert greyness(changes)[0].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_sand_where_a_wave_was_is_not_the_faint_shadow_that_was_expected() -> None:
    sand = np.full((H, W, 3), np.log((FOAM + 1 / 32) / (SAND + 1 / 32)), np.float32)
    faint = np.full((H, W, 3), 0.04, np.float32)
    assert (something_else(sand, faint) > 0.99).all()
    # As deep as expected, grey, far too deep, or a reflection, which has any colour.
    assert not something_else(sand, np.full_like(sand, 0.3)).any()
    assert not something_else(np.full_like(sand, 0.2), faint).any()
    assert not something_else(3 * sand, faint).any()
    assert not something_else(sand, faint * np.array([1, 0.2, 0.1], np.float32)).any()
