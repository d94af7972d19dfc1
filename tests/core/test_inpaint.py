"""Ground that nobody ever saw."""

from __future__ import annotations

import os

import numpy as np
import pytest

from backend.core import inpaint, inpaint_ways
from backend.core.inpaint_ways import smoothly
from backend.train.settings import PRESETS

H, W = 48, 96


def textured(picture: np.ndarray, holes: np.ndarray) -> np.ndarray:
    return inpaint.textured(picture, holes, ~holes, 1, smoothly)


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


@pytest.mark.parametrize("rehearsals", [preset.rehearsals for preset in PRESETS.values()])
def test_a_pattern_goes_on_through_a_hole(rehearsals: int) -> None:
    picture, holes = stripes(), hole()
    given = np.where(holes[..., None], 0, picture)
    worst = np.abs(smoothly(given, holes) - picture)[holes].mean()
    assert np.abs(inpaint.textured(given, holes, ~holes, rehearsals, smoothly) - picture)[holes].mean() < 0.7 * worst


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


def test_the_way_that_errs_least_beside_a_hole_has_most_to_say(monkeypatch) -> None:
    picture, holes = stripes(), hole()
    wrong, right = np.full_like(picture, 0.9), picture
    each = (wrong, right, wrong)
    monkeypatch.setattr(
        inpaint, "ways", lambda _, many: [[way[inpaint.box_of(holes)] for way in each] for holes in many]
    )
    result = inpaint.textured(np.where(holes[..., None], 0, picture), holes, ~holes, 1, smoothly)
    assert np.abs(result - picture)[holes].mean() < 0.02


def test_ways_come_out_the_same_side_by_side_as_one_after_the_other(monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    picture, holes = stripes(), hole()
    apart = textured(picture, holes)
    monkeypatch.setattr(inpaint_ways, "over", lambda work, items: map(work, items))
    assert np.array_equal(textured(picture, holes), apart)


def test_ways_are_rehearsed_only_where_the_clip_shows_ground() -> None:
    holes = hole()
    known = ~holes
    known[:, :40] = False
    assert [there[:, :40].any() for there in inpaint._elsewhere(holes, known, 2)] == [False] * 2
    assert inpaint._elsewhere(holes, np.zeros_like(holes), 2) == []


def test_what_one_way_alone_says_is_left_out() -> None:
    holes = np.ones((H, W), bool)
    alike, odd = np.full((H, W, 3), 0.3, np.float32), np.full((H, W, 3), 0.3, np.float32)
    odd[10:30, 20:60] = 0.9
    voted = inpaint._voted([alike, odd, alike, alike], np.full(4, 0.25, np.float32), holes)
    assert np.abs(voted - 0.3).max() < 0.02


def test_the_edge_of_a_door_goes_on_behind_who_stands_before_it() -> None:
    picture = np.full((96, 160, 3), 0.6, np.float32)
    picture[:, :80] = (0.5, 0.1, 0.1)
    holes = np.zeros((96, 160), bool)
    holes[25:80, 70:92] = True
    result = textured(np.where(holes[..., None], 0, picture), holes)
    assert np.abs(result - picture)[holes].mean() < 0.02
