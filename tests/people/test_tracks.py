"""Looks by which people are known again."""

from __future__ import annotations

import numpy as np

from backend.people.detect import Figure
from backend.people.tracks import looks_of, unlike


def test_the_loudest_colors_are_looks_too() -> None:
    figure, weight = Figure(20, 20, 30, 1.0), np.ones((40, 40), np.float32)
    looks = [
        looks_of(np.full((40, 40, 3), color, np.uint8), weight, figure)
        for color in ((255, 0, 0), (0, 0, 255), (255, 0, 0))
    ]
    assert all(np.isclose(look.sum(), 2) for look in looks)
    assert unlike(looks[0], looks[2]) < 0.01 < 0.5 < unlike(looks[0], looks[1])
