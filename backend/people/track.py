"""One person through a shot, as far as detections tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from backend.core.color import Floats
from backend.people.detect import Figure

# Seen less often nobody is told from chance.
LEAST_HITS = 3

Matter = Callable[[int], Floats]
"""Gives for a frame how much each pixel (h, w) may belong to somebody, 0..1."""


@dataclass(eq=False)
class Track:
    """One person through the shot: where in which frames (0-based), and how the person looks."""

    figures: dict[int, Figure] = field(default_factory=dict)
    looks: Floats | None = None
    several: bool = False
    """Not one person: several who can't be told apart."""

    @property
    def hits(self) -> list[int]:
        """Frames in which the detector saw the person."""
        return sorted(index for index, figure in self.figures.items() if figure.score > 0)

    @property
    def total(self) -> float:
        """How sure the detector was, all frames together."""
        return sum(max(0.0, figure.score) for figure in self.figures.values())

    @property
    def best(self) -> float:
        """How sure the detector was in its best frames."""
        scores = sorted((figure.score for figure in self.figures.values()), reverse=True)
        return float(np.mean(scores[:LEAST_HITS]))

    @property
    def first(self) -> int:
        """First frame of the track."""
        return min(self.figures)

    @property
    def last(self) -> int:
        """Last frame of the track."""
        return max(self.figures)
