"""The outline of a mask as lines, and where a strip shows a point of its picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Lines = Any
"""(2 N, 2) array: pairs of points, x to the right and y up."""


@dataclass(frozen=True)
class Placement:
    """How a strip lies in the picture: the numbers of its transform, and the size of its media in pixels."""

    size: tuple[int, int]
    offset: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0
    origin: tuple[float, float] = (0.5, 0.5)
    flip: tuple[bool, bool] = (False, False)


def outline_of(mask: Lines) -> Lines:
    """The edges between the pixels of a mask (H, W), its last row the lowest, in pixels from the lower left corner."""
    body = np.pad(np.asarray(mask) > 0.5, 1)[::-1]
    rows, columns = np.nonzero(body[:, 1:] != body[:, :-1])
    upright = np.stack([columns, rows - 1, columns, rows], 1)
    rows, columns = np.nonzero(body[1:] != body[:-1])
    level = np.stack([columns - 1, rows, columns, rows], 1)
    return np.concatenate([upright, level]).reshape(-1, 2).astype(np.float32)


def placed(points: Lines, place: Placement) -> Lines:
    """Points of the media's picture as the preview shows them, in pixels from the middle of the whole picture."""
    size, origin = np.array(place.size, np.float32), np.array(place.origin, np.float32)
    pivot = (origin - 0.5) * size
    middle = (points - size / 2) * np.where(place.flip, -1, 1) - pivot
    x, y = (middle * np.array(place.scale)).T
    cosine, sine = math.cos(place.rotation), math.sin(place.rotation)
    turned = np.stack([cosine * x - sine * y, sine * x + cosine * y], 1)
    return (turned + pivot + np.array(place.offset)).astype(np.float32)
