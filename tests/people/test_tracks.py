"""Who is who from frame to frame: by the place and by the looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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


def everywhere(_index: int) -> np.ndarray:
    return np.ones((120, 200), np.float32)
