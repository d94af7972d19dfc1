"""Ground that nobody ever saw."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from backend.core import inpaint
from backend.core.inpaint import smoothly
from backend.train.settings import PRESETS

textured = partial(inpaint.textured, corners=2)

H, W = 48, 96


def stripes() -> np.ndarray:
    rows = 0.5 + 0.3 * np.sign(np.sin(np.arange(H) * np.pi / 4 + 0.4))
    return np.repeat(np.repeat(rows[:, None], W, 1)[..., None], 3, 2).astype(np.float32)


def hole() -> np.ndarray:
    holes = np.zeros((H, W), bool)
    holes[14:34, 40:52] = True
    return holes


@pytest.mark.parametrize("method", [smoothly, textured])
def test_what_was_seen_stays(method) -> None:
    picture, holes = stripes(), hole()
    result = method(np.where(holes[..., None], 0, picture), holes)
    assert np.array_equal(result[~holes], picture[~holes])
    assert result[holes].min() > 0.1


@pytest.mark.parametrize("corners", [preset.corners for preset in PRESETS.values()])
def test_a_pattern_goes_on_through_a_hole(corners: int) -> None:
    picture, holes = stripes(), hole()
    given = np.where(holes[..., None], 0, picture)
    worst = np.abs(smoothly(given, holes) - picture)[holes].mean()
    assert np.abs(inpaint.textured(given, holes, corners) - picture)[holes].mean() < 0.7 * worst


def test_a_hole_too_large_to_be_made_up_at_full_size_is_made_up_all_the_same() -> None:
    picture = np.repeat(np.repeat(stripes(), 6, 0), 6, 1)
    holes = np.zeros(picture.shape[:2], bool)
    holes[40:240, 100:300] = True
    result = textured(np.where(holes[..., None], 0, picture), holes)
    assert np.isfinite(result).all()
    assert 0.3 < result[holes].mean() < 0.7


@pytest.mark.parametrize("method", [smoothly, textured])
def test_nothing_to_fill_or_nothing_to_fill_from(method) -> None:
    picture = stripes()
    assert method(picture, np.zeros((H, W), bool)) is picture
    assert method(picture, np.ones((H, W), bool)) is picture
