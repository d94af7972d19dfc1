"""A whole clip at a time, but picture by picture: what lies between would take the memory of many clips."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import wraps

import numpy as np

from backend.core.color import Floats

_PICTURE = 3  # axes
Way = Callable[[Floats, Floats], Floats]


def filled(pictures: Iterator[Floats], count: int) -> Floats:
    """``count`` pictures of one size as one array; ``np.stack`` would hold all of them twice."""
    first = next(pictures)
    out = np.empty((count, *first.shape), np.float32)
    for index, picture in enumerate(itertools.chain([first], pictures)):
        out[index] = picture
    return out


def picture_by_picture(way: Way) -> Way:
    """Let what makes one picture of two (H, W, 3) take clips of them, (T, ..., H, W, 3), too."""

    @wraps(way)
    def each(pictures: Floats, others: Floats) -> Floats:
        if pictures.ndim <= _PICTURE:
            return way(pictures, others)
        return filled(map(each, pictures, others), len(pictures))

    return each
