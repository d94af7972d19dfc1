"""Two stretches of a clip in step: what one frame borrows from another tells of the frames before and after both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.bending import Comparison
from backend.core.borrowing import Borrowed
from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.matching import dense_search
from backend.core.silhouettes import middles

Point = npt.NDArray[np.float64]
"""x and y."""

# A walk that is borrowed in step goes on evenly over so many frames each way.
EVENLY = 2
# How much the next frame tells of how poses differ beside the frame itself, and each further one beside the one before.
_NEXT = 0.6
# With ways that differ by so much of the body's height where both are known, a frame tells a third of another.
_AGREES = 0.01
# What is known nowhere else would be taken from it all the same; below this much it is left alone.
_DOUBTFUL = 0.25
# With fewer shrunken pixels that are known in both nothing tells whether they agree, and it counts so much less.
_LEAST, _UNTOLD = 20, 0.25


@dataclass(frozen=True)
class Places:
    """Where somebody is in every frame, as a camera sees it that may move."""

    camera: Camera
    centres: npt.NDArray[np.float64]
    """(T, 2): the middle of the body."""

    def moved(self, found: Borrowed, index: int) -> Point:
        """How far on the canvas a borrowed body is moved to its place in a frame."""
        centre = self.centres[found.frame]
        return self._on_canvas(centre + found.shift, index) - self._on_canvas(centre, found.frame)

    def borrowed(self, frame: int, index: int, way: Point) -> Borrowed:
        """The body of a frame, moved so far on the canvas to its place in frame ``index``."""
        centre = self.centres[frame]
        back = np.linalg.inv(self.camera.to_canvas[index])
        dx, dy = _transformed(back, self._on_canvas(centre, frame) + way) - centre
        return Borrowed(frame, (float(dx), float(dy)))

    def _on_canvas(self, point: Point, index: int) -> Point:
        return _transformed(self.camera.to_canvas[index], point)


def _transformed(matrix: npt.NDArray[np.float64], point: Point) -> Point:
    return np.asarray(cv2.perspectiveTransform(point[None, None], matrix)[0, 0], np.float64)


def steadied(borrowed: Sequence[Borrowed | None], places: Places) -> list[Borrowed | None]:
    """One person's, with shifts that are the median of those before and after where a stretch is borrowed in step.

    Each was fitted to what little is seen in its own frame, and a rough mask misleads it by a pixel or two.
    """
    return [
        None if found is None else _steadied(borrowed, index, found, places) for index, found in enumerate(borrowed)
    ]


def _steadied(borrowed: Sequence[Borrowed | None], index: int, found: Borrowed, places: Places) -> Borrowed:
    around = range(max(0, index - EVENLY), min(len(borrowed), index + EVENLY + 1))
    others = [(other, b) for other in around if (b := borrowed[other]) is not None]
    ways = [places.moved(b, other) for other, b in others if b.frame - found.frame == other - index]
    if len(ways) <= EVENLY:
        return found
    across, along = places.borrowed(found.frame, index, np.median(ways, axis=0)).shift
    return Borrowed(found.frame, (float(round(across)), float(round(along))))


def told_together(own: Comparison, around: Sequence[tuple[int, Comparison]]) -> Comparison:
    """How two poses differ, told by frames before and after as well: what is hidden in one is often seen in the next.

    Two who walk in step differ in the next frame by about as much as in this one.

    Args:
        own: the frame to complete beside the one that lends.
        around: how many frames later, and those frames compared.
    """
    total, weight = own.ways * own.known[..., None], own.known.copy()
    for by, other in around:
        ways, known = _carried(own, other)
        told = float(_NEXT ** abs(by)) * _agreement(own, ways, known)
        total += told * known[..., None] * ways
        weight += told * known
    ways = (total / np.maximum(weight, 1e-6)[..., None]).astype(np.float32)
    return replace(own, ways=ways, known=np.minimum(weight, 1).astype(np.float32))


def _carried(own: Comparison, other: Comparison) -> tuple[Floats, Floats]:
    """What another frame knows, where the same parts of the borrowed body are in this one: ways and how known."""
    ratio = other.scale / own.scale
    first, second = (np.array([c.columns.start, c.rows.start], np.float64) for c in (own, other))
    # From this frame's shrunken pixels, whose corners lie at -0.5, to the other's, when the bodies lie on each other.
    apart = _centre(other) - _centre(own)
    start = (first + apart - second) * other.scale + 0.5 * (ratio - 1)
    matrix = np.array([[ratio, 0, start[0]], [0, ratio, start[1]]])
    size = own.known.shape[::-1]
    laid = cv2.warpAffine(other.there, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    moved = dense_search(own.there, np.asarray(laid, np.float32), np.zeros_like(own.ways))
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    across, down = ratio * (x + moved[..., 0]) + start[0], ratio * (y + moved[..., 1]) + start[1]

    def read(values: Floats) -> Floats:
        return np.asarray(
            cv2.remap(values, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR), np.float32
        )

    known, ways = read(other.known), read(other.ways * other.known[..., None])
    return np.asarray(ways / np.maximum(known, 1e-6)[..., None] / ratio, np.float32), known


def _agreement(own: Comparison, ways: Floats, known: Floats) -> float:
    """0..1: less the more two frames' ways differ where both are known."""
    both = own.known * known
    if both.sum() < _LEAST:
        return _UNTOLD
    differ = float((both * np.linalg.norm(ways - own.ways, axis=-1)).sum() / both.sum())
    agreement = float(np.exp(-((differ / (_AGREES * own.known.shape[0])) ** 2)))
    return agreement if agreement > _DOUBTFUL else 0.0


def _centre(found: Comparison) -> Point:
    """The middle of the borrowed body, in pixels of the picture."""
    middle = middles(found.there[..., 3])
    return np.asarray((middle + 0.5) / found.scale - 0.5 + [found.columns.start, found.rows.start], np.float64)
