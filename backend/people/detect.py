"""Where people seem to stand: OpenCV's pedestrian detector on every frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.core.color import Floats
from backend.people.scene import Scene, Tell, to_bytes

# The detector's window is 64x128 pixels and a person some 105 pixels high in it: small people need larger pictures.
_DETECT_WIDTH = 800
_EDGE = 48
_LEAST_SCORE = -0.2
_STEP = 1.08
_OVERLAP = 0.45
_HEIGHT_IN_WINDOW = 0.82
_MOST_PER_FRAME = 40


@dataclass(frozen=True)
class Figure:
    """A person's place in a small picture: centre, height in pixels and how sure the detector is (0.5: rather)."""

    x: float
    y: float
    height: float
    score: float

    def box(self, wide: float = 0.4, tall: float = 1.0) -> tuple[float, float, float, float]:
        """Left, top, right, bottom; ``wide`` and ``tall`` in heights of the person."""
        half_w, half_h = wide * self.height / 2, tall * self.height / 2
        return self.x - half_w, self.y - half_h, self.x + half_w, self.y + half_h

    def moved(self, dx: float, dy: float) -> Figure:
        """The same person elsewhere, seen by nobody."""
        return Figure(self.x + dx, self.y + dy, self.height, 0.0)


def overlap(a: Figure, b: Figure) -> float:
    """Intersection over union of two people's boxes."""
    first, second = a.box(), b.box()
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (0.4 * a.height**2 + 0.4 * b.height**2 - shared)


def detect_all(scene: Scene, tell: Tell) -> list[list[Figure]]:
    """What the detector sees in each frame, surest first."""
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector()))
    found = []
    for index in range(len(scene)):
        tell(index / len(scene))
        found.append(_detect(hog, scene.picture(index)))
    return found


def _detect(hog: cv2.HOGDescriptor, picture: Floats) -> list[Figure]:
    scale = _DETECT_WIDTH / max(picture.shape[:2])
    large = cv2.resize(to_bytes(picture), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    large = cv2.copyMakeBorder(large, _EDGE, _EDGE, _EDGE, _EDGE, cv2.BORDER_REPLICATE)
    if min(large.shape[0] / 128, large.shape[1] / 64) < 1:
        return []
    windows, scores = hog.detectMultiScale(
        cv2.cvtColor(large, cv2.COLOR_RGB2BGR),
        hitThreshold=_LEAST_SCORE,
        winStride=(8, 8),
        scale=_STEP,
        groupThreshold=0,
    )
    figures = [
        Figure((x + w / 2 - _EDGE) / scale, (y + h / 2 - _EDGE) / scale, _HEIGHT_IN_WINDOW * h / scale, float(score))
        for (x, y, w, h), score in zip(windows, np.ravel(scores), strict=True)
    ]
    return surest(figures)


def surest(figures: list[Figure], parts: bool = True) -> list[Figure]:
    """Of figures in the same place, the surest; with ``parts``, also of a body and a part of it, or a group."""
    kept: list[Figure] = []
    for figure in sorted(figures, key=lambda f: -f.score):
        if all(overlap(figure, other) < _OVERLAP and not (parts and _within(figure, other)) for other in kept):
            kept.append(figure)
    return kept[:_MOST_PER_FRAME]


def _within(a: Figure, b: Figure) -> bool:
    """Whether a part of somebody is taken for another person, or a whole group for one."""
    small, large = (a, b) if a.height < b.height else (b, a)
    left, top, right, bottom = large.box(0.3, 1.1)
    inside = left < small.x < right and top < small.y < bottom
    return inside and small.height < 0.75 * large.height
