"""Drawn people and tracks brought together."""

from __future__ import annotations

import numpy as np

from backend.people.detect import Figure
from backend.people.drawn import tracked_as
from backend.people.track import Track


def mask_at(x: int) -> np.ndarray:
    mask = np.zeros((100, 200), np.float32)
    mask[20:80, x - 8 : x + 8] = 1
    return mask


def walk(frames: range, start: float, step: float) -> Track:
    return Track({i: Figure(start + step * i, 50, 60, 1.0) for i in frames})


def test_a_track_that_begins_later_is_still_the_drawn_person() -> None:
    tracks = [walk(range(20), 150, -2), walk(range(4, 20), 40, 2)]
    found = tracked_as([{0: mask_at(42)}, {0: mask_at(150)}], tracks, 20)
    assert sorted(found[0]) == list(range(4, 20)) and found[0][10].x == 60
    assert sorted(found[1]) == list(range(20)) and found[1][10].x == 130


def test_a_second_drawing_mends_a_track_that_goes_over_to_somebody_else() -> None:
    left, right = walk(range(20), 50, 0), walk(range(20), 150, 0)
    found = tracked_as([{2: mask_at(50), 18: mask_at(150)}, {2: mask_at(150), 18: mask_at(50)}], [left, right], 20)
    assert [found[0][i].x for i in (0, 19)] == [50, 150]
    assert [found[1][i].x for i in (0, 19)] == [150, 50]


def test_a_drawing_of_somebody_nobody_has_tracked() -> None:
    assert tracked_as([{3: mask_at(100)}], [walk(range(20), 20, 0)], 20) == [{}]
    assert tracked_as([{3: mask_at(100)}], [], 20) == [{}]
