"""Where a moving camera would have seen a person at another moment, as a shift, a scale and a turn of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
SMALL = 1e-9


@dataclass(frozen=True)
class Pose:
    """How a strip has to lie: pixels to the right and up, a factor, and radians counterclockwise."""

    right: float = 0.0
    up: float = 0.0
    scale: float = 1.0
    turn: float = 0.0


def pose_of(matrix: Matrix, place: tuple[float, float], size: tuple[int, int]) -> Pose:
    """The pose that does to what is around a place what the matrix does, as nearly as a pose can.

    Args:
        matrix: (3, 3), pixel centers of the picture to pixel centers of the view, y down.
        place: x and y of the person.
        size: width and height of the picture.
    """
    here = np.array(place, np.float64)
    there, slope = _through(matrix, here)
    # The nearest of all turns and scales to the slope.
    along, across = (slope[0, 0] + slope[1, 1]) / 2, (slope[1, 0] - slope[0, 1]) / 2
    middle = (np.array(size, np.float64) - 1) / 2
    moved = there - middle - np.array([[along, -across], [across, along]]) @ (here - middle)
    return Pose(moved[0], -moved[1], float(np.hypot(along, across)), -float(np.arctan2(across, along)))


def between(to_canvas: Matrix, source: int, target: int) -> Matrix:
    """(3, 3): pixels of one frame to pixels of another, of (T, 3, 3) homographies from frames to a canvas."""
    return np.linalg.inv(to_canvas[target]) @ to_canvas[source]


def _through(matrix: Matrix, place: Matrix) -> tuple[Matrix, Matrix]:
    """Where a place comes to lie, (2,), and how its surroundings change, (2, 2)."""
    x, y, w = matrix @ np.array([place[0], place[1], 1.0])
    w = w if abs(w) > SMALL else SMALL
    there = np.array([x / w, y / w])
    return there, (matrix[:2, :2] - there[:, None] * matrix[2:3, :2]) / w
