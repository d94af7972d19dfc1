"""Who is who from frame to frame: by the place and by the looks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from backend.people.detect import Figure
from backend.people.tracks import looks_of, track_all, unlike
from tests.people.test_evidence import scene_of

RED, BLUE, GREEN = ((0.8, 0.1, 0.1), (0.1, 0.1, 0.8), (0.1, 0.6, 0.1))


def standing(*people: tuple[Figure, tuple[tuple[float, float, float], ...]]) -> np.ndarray:
    """A picture of people in red shirts, whose legs have these colours."""
    picture = np.full((120, 200, 3), 0.5, np.float32)
    for figure, trousers in people:
        left, top = round(figure.x - 10), round(figure.y - figure.height / 2)
        picture[top : round(figure.y), left : left + 20] = RED
        wide = 20 // len(trousers)
        for leg, color in enumerate(trousers):
            picture[round(figure.y) : top + round(figure.height), left + leg * wide : left + (leg + 1) * wide] = color
    return picture


def test_the_loudest_colors_are_looks_too() -> None:
    figure, weight = Figure(20, 20, 30, 1.0), np.ones((40, 40), np.float32)
    looks = [
        looks_of(np.full((40, 40, 3), color, np.uint8), weight, figure)
        for color in ((255, 0, 0), (0, 0, 255), (255, 0, 0))
    ]
    assert all(np.isclose(look.sum(), 2) for look in looks)
    assert unlike(looks[0], looks[2]) < 0.01 < 0.5 < unlike(looks[0], looks[1])


def test_who_comes_back_beside_somebody_just_missed_is_known_by_the_looks(tmp_path: Path) -> None:
    missed, gone, back = Figure(80, 60, 80, 1.0), Figure(128, 60, 88, 1.0), Figure(105, 60, 88, 1.0)
    there = (missed, (BLUE,))
    pictures = [standing(there, (gone, (BLUE, GREEN)))] * 5 + [standing(there)] * 8
    pictures += [standing(there, (back, (BLUE, GREEN)))] * 10
    figures = [[missed, gone]] * 5 + [[missed]] * 8 + [[back]] * 10
    tracks = track_all(scene_of(pictures, tmp_path), figures, everywhere, lambda _: None)
    assert sorted((track.first, track.last) for track in tracks) == [(0, 12), (0, 22)]


def test_who_takes_a_step_stays_the_same(tmp_path: Path) -> None:
    steps = [Figure(60 + 6 * t, 60, 80, 1.0) for t in range(12)]
    scene = scene_of([standing((figure, (BLUE,))) for figure in steps], tmp_path)
    tracks = track_all(scene, [[figure] for figure in steps], everywhere, lambda _: None)
    assert [(track.first, track.last) for track in tracks] == [(0, 11)]


def test_who_was_first_seen_in_two_sizes_is_one_person(tmp_path: Path) -> None:
    # Her reflection was taken for a part of her.
    large, own = Figure(100, 72, 100, 1.0), Figure(100, 45, 62, 1.0)
    scene = scene_of([standing((large, (GREEN,))), *[standing((own, (BLUE,)))] * 13], tmp_path)
    tracks = track_all(scene, [[large], *[[own]] * 13], everywhere, lambda _: None)
    assert [track.hits[:3] for track in tracks] == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("pace", "height", "limber", "found"), [(6, 60, True, 1), (0, 60, True, 0), (6, 16, True, 0), (6, 60, False, 0)]
)
def test_who_walks_through_the_shot_is_somebody_whatever_the_detector_says(
    pace: int, height: int, limber: bool, found: int, tmp_path: Path
) -> None:
    steps = [Figure(40 + pace * t, 60, height, 0.15) for t in range(14)]
    scene = scene_of([standing((figure, (BLUE,))) for figure in steps], tmp_path)
    matter = partial(_body, steps, 0.2 if limber else 0.0)
    assert len(track_all(scene, [[figure] for figure in steps], matter, lambda _: None)) == found


@pytest.mark.parametrize(("pace", "there", "found"), [(6, 1.0, 1), (6, 0.0, 0), (0, 0.0, 1)])
def test_who_goes_her_way_but_covers_nothing_is_nobody(pace: int, there: float, found: int, tmp_path: Path) -> None:
    steps = [Figure(40 + pace * t, 60, 60, 1.0) for t in range(14)]
    scene = scene_of([standing((figure, (BLUE,))) for figure in steps], tmp_path)

    def matter(_index: int) -> np.ndarray:
        return np.full((120, 200), there, np.float32)

    assert len(track_all(scene, [[figure] for figure in steps], matter, lambda _: None)) == found


@pytest.mark.parametrize(("height", "swing", "found"), [(60, 15, 1), (60, 0, 0), (30, 15, 0)])
def test_who_throws_her_limbs_about_is_somebody_though_the_detector_sees_her_rarely(
    height: int, swing: int, found: int, tmp_path: Path
) -> None:
    places = [Figure(100, 60, height, 0.7 if t % 7 == 0 else 0.01) for t in range(28)]
    scene = scene_of([standing((figure, (BLUE,))) for figure in places], tmp_path)
    matter = partial(_body, [place.moved(swing * (t % 3 - 1), 0) for t, place in enumerate(places)], 0.0)
    assert len(track_all(scene, [[figure] for figure in places], matter, lambda _: None)) == found


def _body(places: Sequence[Figure], spread: float, index: int) -> np.ndarray:
    """A body whose legs are together or apart by this share of its height; a box has its legs always together."""
    shape, figure = np.zeros((120, 200), np.float32), places[index]
    top, middle, bottom = (round(figure.y + share * figure.height) for share in (-0.5, 0, 0.5))
    apart = round(figure.height * spread) if index % 3 else 0
    shape[top:middle, round(figure.x) - 5 : round(figure.x) + 5] = 1
    for side in (-apart, apart):
        shape[middle:bottom, round(figure.x) + side - 5 : round(figure.x) + side + 5] = 1
    return shape


def test_who_vanished_beside_others_on_her_way_is_not_taken_for_them(tmp_path: Path) -> None:
    """She is lost before he comes to where she is: what is seen there then says nothing about who is who."""
    hers = [Figure(50 + 3 * t, 60, 80, 1.0) for t in range(36)]
    his = [Figure(170 - 4 * t, 60, 80, 1.0) for t in range(36)]
    pictures = [standing((a, (GREEN,)), (b, (BLUE,))) for a, b in zip(hers, his, strict=True)]
    figures = [[a, b] if t < 11 or t > 25 else [b] for t, (a, b) in enumerate(zip(hers, his, strict=True))]
    tracks = track_all(scene_of(pictures, tmp_path), figures, everywhere, lambda _: None)
    ends = {(round(track.figures[0].x), round(track.figures[35].x)) for track in tracks}
    assert ends == {(50, 155), (170, 30)}
    doubtful = [index for track in tracks if track.first == 0 for index in range(14, 21) if track.figures[index].score]
    assert not doubtful


def everywhere(_index: int) -> np.ndarray:
    return np.ones((120, 200), np.float32)
