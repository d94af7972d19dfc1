"""A borrowed body bent onto what is visible of the one that it completes, so that no limb breaks where they meet."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from backend.core.fill import fill
from backend.core.matching import dense_search, displaced

# The pictures that are matched have so many pixels at most: ways are smooth, and are kept for all frames of a clip.
_PIXELS = 12_000
# Around the bodies, in pixels.
_MARGIN = 6
# A body is bent by so much of its height at most, ...
_FURTHEST = 0.08
# ... where ways there and back meet again within so many pixels, ...
_MISS = 1.0
# ... and so many pixels tell it at least.
_LEAST_KNOWN = 20
_SMOOTH = 1.5
# Bending must explain what is visible better by this share.
_BETTER = 0.02


@dataclass(frozen=True)
class Shown:
    """What one frame shows of a person."""

    plate: Floats
    """(H, W, 3)"""
    body: Floats
    """(H, W)"""
    front: Floats
    """(H, W): what covers the person."""


@dataclass(frozen=True)
class Bend:
    """Where, beside its own place, each pixel of a borrowed body is read."""

    rows: slice
    columns: slice
    """The part of the picture that is bent."""
    ways: npt.NDArray[np.float16]
    """(h, w, 2) for that part, shrunken; x and y in pixels of the picture."""

    def applied(self, picture: Floats) -> Floats:
        """A picture (H, W) or (H, W, C), with the borrowed body already moved into its place, bent."""
        size = self.columns.stop - self.columns.start, self.rows.stop - self.rows.start
        ways = cv2.resize(self.ways.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        y, x = np.mgrid[self.rows, self.columns].astype(np.float32)
        bent = picture.copy()
        bent[self.rows, self.columns] = cv2.remap(
            picture, x + ways[..., 0], y + ways[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return bent


@dataclass(frozen=True)
class Comparison:
    """A body in one frame, as far as it is visible, beside one from another frame that was moved into its place.

    All arrays are shrunken, and so are the ways.
    """

    rows: slice
    columns: slice
    """The part of the picture that is compared."""
    scale: float
    """Shrunken pixels per pixel of the picture."""
    here: Floats
    """(h, w, 4): premultiplied colour and alpha of the body that is to be completed."""
    hidden: Floats
    """(h, w, 1): what hides it."""
    there: Floats
    """(h, w, 4): the other body."""
    lacking: Floats
    """(h, w, 1): what hides that one."""
    ways: Floats
    """(h, w, 2): where, beside its own place, the other body shows what is seen here; x and y."""
    known: Floats
    """(h, w) 0..1: where that is so."""

    def bend(self) -> Bend | None:
        """The ways carried on smoothly into what is hidden; None where too little is known, or it helps nothing."""
        if self.known.sum() < _LEAST_KNOWN:
            return None
        ways = np.asarray(cv2.GaussianBlur(fill(self.ways, self.known), (0, 0), _SMOOTH), np.float32)
        seen = (1 - self.hidden) * (1 - self.lacking)
        here, there = _completed(self.here, self.hidden, self.there, self.lacking)
        unlike, bent = (float((np.abs(here - x) * seen).sum()) for x in (there, displaced(there, ways)))
        if bent >= (1 - _BETTER) * unlike:
            return None
        return Bend(self.rows, self.columns, (ways / self.scale).astype(np.float16))


def bend(target: Shown, lent: Shown) -> Bend | None:
    """How a borrowed body must be bent to go on from what is visible; None where that tells nothing.

    Args:
        target: the frame to complete.
        lent: the frame that lends, moved into place.
    """
    found = compare(target, lent)
    return None if found is None else found.bend()


def compare(target: Shown, lent: Shown) -> Comparison | None:
    """How two poses differ where both frames show the person, by dense inverse search (Kroeger et al. 2016).

    None where there is nobody. Args: see ``bend``.
    """
    bodies = np.maximum(target.body, lent.body) > 0.5
    if not bodies.any():
        return None
    rows, columns = _around(bodies.any(1)), _around(bodies.any(0))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    scale = min(1.0, float(np.sqrt(_PIXELS / (height * width))))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    here, hidden = _layer(target, rows, columns, size)
    there, lacking = _layer(lent, rows, columns, size)
    a, b = _completed(here, hidden, there, lacking)
    rest = np.zeros((*a.shape[:2], 2), np.float32)
    ways, back = dense_search(a, b, rest), dense_search(b, a, rest)
    miss = np.linalg.norm(ways + displaced(back, ways), axis=-1)
    sure = (miss < _MISS) & (np.linalg.norm(ways, axis=-1) < _FURTHEST * height * scale)
    both = np.minimum(here[..., 3], displaced(there, ways)[..., 3]) > 0.5
    known = sure & both & (np.maximum(hidden, displaced(lacking, ways))[..., 0] < 0.5)
    weight = np.asarray(cv2.erode(known.astype(np.float32), np.ones((3, 3), np.uint8)), np.float32)
    return Comparison(rows, columns, scale, here, hidden, there, lacking, ways, weight)


def _completed(here: Floats, hidden: Floats, there: Floats, lacking: Floats) -> tuple[Floats, Floats]:
    """Both bodies (h, w, 4), where one does not show something taken to be as in the other."""
    return here + hidden * (there - here), there + lacking * (here - there)


def _around(there: npt.NDArray[np.bool_]) -> slice:
    """The part of an axis where something is, and a little more."""
    found = np.flatnonzero(there)
    return slice(max(0, int(found[0]) - _MARGIN), min(len(there), int(found[-1]) + 1 + _MARGIN))


def _layer(shown: Shown, rows: slice, columns: slice, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """A part of what is shown, at ``size``: premultiplied colour and alpha (h, w, 4), and what hides it (h, w, 1)."""
    plate, body, front = (
        cv2.resize(np.ascontiguousarray(part[rows, columns]), size, interpolation=cv2.INTER_AREA)
        for part in (shown.plate, shown.body, shown.front)
    )
    layer = np.concatenate([plate * body[..., None], body[..., None]], -1)
    return np.asarray(layer, np.float32), np.asarray(cv2.dilate(front, np.ones((3, 3), np.uint8))[..., None])
