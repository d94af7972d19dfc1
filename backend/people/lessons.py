"""Which pixels of which frames the segmenter learns from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.core.color import Floats
from backend.media.frame_store import FrameStore
from backend.people.detect import Figure, overlap
from backend.people.evidence import Evidence
from backend.people.follow import Anchors
from backend.people.labels import UNKNOWN, Labels, area, first_labels, hinted_labels, learned_labels, place_from
from backend.people.segmenter import Place, Trainer, place_of

_FRAMES = 48
_PIXELS = 1500
_DRAWN_PIXELS = 8000
# Two people this near are in contact: what was found there may be the other's.
_CONTACT = 0.12
# With so many frames apart from others, those in contact are not learned from.
_ENOUGH = 6


@dataclass(frozen=True)
class Lessons:
    """What is known of a shot before the segmenter is trained (again)."""

    frames: int
    anchors: Anchors
    masks: FrameStore | None
    """What an earlier round has found; None in the first."""
    evidence: Callable[[int], Evidence]
    looks: Callable[[int], Floats]

    def teach(self, trainer: Trainer) -> None:
        """Give the trainer the pixels of frames spread over the shot, and of all drawn ones."""
        drawn = {index for frames in self.anchors.masks.values() for index in frames}
        spread = set(np.linspace(0, self.frames - 1, min(self.frames, _FRAMES)).round().astype(int).tolist())
        if self.masks is None and not any(self.anchors.figures):
            spread = set()
        crowds = {index: self._crowd(index) for index in spread - drawn}
        free = [sum(p not in crowd for crowd in crowds.values()) for p in range(self._people)]
        for index in sorted(spread | drawn):
            if index in drawn:
                trainer.add(self.looks(index), *self._drawn(index), _DRAWN_PIXELS)
            else:
                left_out = {person for person in crowds[index] if free[person] >= _ENOUGH}
                trainer.add(self.looks(index), *self._found(index, left_out), _PIXELS)

    @property
    def _people(self) -> int:
        return max(len(self.anchors.masks), len(self.anchors.figures))

    def _figures(self, index: int) -> dict[int, Figure]:
        """Where everybody is, seen or not: as tracked, else as found before."""
        figures = {p: f[index] for p, f in enumerate(self.anchors.figures) if index in f}
        if self.masks is not None:
            for person, mask in enumerate(self.masks.frame(index).transpose(2, 0, 1)):
                place = None if person in figures else place_of(mask)
                if place is not None:
                    figures[person] = Figure(place.x, place.y, place.height, 0.0)
        return figures

    def _crowd(self, index: int) -> set[int]:
        """Those who are in contact with somebody."""
        figures = self._figures(index)
        return {
            one
            for one, figure in figures.items()
            if any(other != one and overlap(figure, figures[other]) > _CONTACT for other in figures)
        }

    def _drawn(self, index: int) -> tuple[Labels, list[Place | None]]:
        hinted = {person: frames[index] for person, frames in self.anchors.masks.items() if index in frames}
        places = [place_of(hinted[p]) if p in hinted else None for p in range(self._people)]
        rest = {person: figure for person, figure in self._figures(index).items() if person not in hinted}
        everybody = len(hinted) + len(rest) == self._people
        return hinted_labels(hinted, rest.values(), everybody), places

    def _found(self, index: int, left_out: set[int]) -> tuple[Labels, list[Place | None]]:
        """What is certain in a frame without those ``left_out``, and where everybody is."""
        figures = self._figures(index)
        places: Sequence[Place | None]
        if self.masks is not None:
            found = self.masks.frame(index).transpose(2, 0, 1)
            labels = learned_labels(self.evidence(index), found)
            places = [place_of(mask) for mask in found]
        else:
            seen = {p: figure for p, figure in figures.items() if figure.score > 0 and p not in left_out}
            labels = first_labels(self.evidence(index), seen)
            places = [place_from(seen[p]) if p in seen else None for p in range(self._people)]
        _forget(labels, {p: figures[p] for p in left_out})
        return labels, [None if person in left_out else place for person, place in enumerate(places)]


def _forget(labels: Labels, figures: Mapping[int, Figure]) -> None:
    """Leave open whose the pixels around these people are."""
    for figure in figures.values():
        part = labels[area(figure, labels.shape, 1.1, 1.3)]
        part[part > 0] = UNKNOWN
