"""Silhouettes: those of all others, where the middle is, and how alike two are, wherever the second must be moved."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.core.boxes import box_of
from backend.core.color import Floats

Bytes = NDArray[np.uint8]
_Kind = TypeVar("_Kind", np.uint8, np.float32)

# Moved by so many pixels more than their feet tell.
_SEARCH = 5
_BODY, _HIDES = 127, 50


def others(masks: NDArray[_Kind], person: int) -> NDArray[_Kind]:
    """Of masks (N, h, w) the bodies of all but one, together (h, w); 0 where there is nobody else."""
    together: NDArray[_Kind] = np.delete(masks, person, 0).max(0, initial=0)
    return together


def middles(bodies: Floats) -> NDArray[np.float64]:
    """The middle (..., 2), x and y, of each body (..., h, w); where nobody is, that of the picture."""
    height, width = bodies.shape[-2:]
    total = bodies.sum((-2, -1), dtype=np.float64)
    across = bodies.sum(-2, dtype=np.float64) @ np.arange(width)
    down = bodies.sum(-1, dtype=np.float64) @ np.arange(height)
    found = np.stack([across, down], -1) / np.maximum(total, 1e-9)[..., None]
    return np.where(total[..., None] > 0, found, np.array([width - 1, height - 1]) / 2)


def alike(mine: Bytes, hiding: Bytes, theirs: Bytes) -> tuple[float, tuple[int, int]]:
    """Intersection over union of two silhouettes, and the shift (dx, dy) of the second for which it is largest.

    Args:
        mine: (h, w) 0..255.
        hiding: (h, w) 0..255, bodies that may hide a part of the first; there the second counts for nothing.
        theirs: (h, w) 0..255.
    """
    here, there = mine > _BODY, theirs > _BODY
    if not (here.any() and there.any()):
        return 0.0, (0, 0)
    rows, columns = box_of(there)
    base = _foot(here) - _foot(there)
    body = there[rows, columns].astype(np.float32)
    border = _SEARCH + int(np.abs(base).max())
    y, x = rows.start + int(base[1]) - _SEARCH + border, columns.start + int(base[0]) - _SEARCH + border

    def covered(by: NDArray[np.bool_]) -> Floats:
        wide = np.pad(by.astype(np.float32), border)
        within = wide[y : y + len(body) + 2 * _SEARCH, x : x + body.shape[1] + 2 * _SEARCH]
        return np.asarray(cv2.matchTemplate(within, body, cv2.TM_CCORR), np.float32)

    shares = covered(here) / (float(here.sum()) + covered(~here & (hiding < _HIDES)))
    row, column = np.unravel_index(int(shares.argmax()), shares.shape)
    return float(shares[row, column]), (int(base[0] + column) - _SEARCH, int(base[1] + row) - _SEARCH)


def _foot(body: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(x, y): the middle of a body's columns, and its lowest row."""
    return np.array([round(float(np.nonzero(body)[1].mean())), box_of(body)[0].stop])
