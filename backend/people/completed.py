"""The people whom one way of looking has found, completed by those whom another way has seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.people.track import Track
from backend.people.tracks import doubted, together

# The other way must have seen somebody in so many frames, in such a share of them, and this surely in their mean.
_LEAST_HITS, _LEAST_SHARE, _LEAST_MEAN = 8, 0.5, 0.5
# Tracks that share less of their frames have nothing to do with each other; one that shares so much is the other's.
_APART, _HERS = 0.25, 0.6
# Up to this many times as tall it is the same body, seen a little differently; taller, the first has seen a part of it.
_AS_TALL = 1.33
# Who was taken for less than she is must have been seen for less long by so much.
_LONGER = 1.5


def completed(known: Sequence[Track], others: Sequence[Track]) -> list[Track]:
    """The ``known`` tracks; with those of ``others`` who are new, pieces of one person joined, and parts made whole.

    Where a known track tells where somebody is, it is believed. What contradicts two known people at once is left out.
    Close to where one of them was lost, what is seen is doubted: it may be the other.
    """
    found = list(known)
    for other in sorted(others, key=lambda track: -track.total):
        count = len(other.figures)
        if len(other.hits) >= max(_LEAST_HITS, _LEAST_SHARE * count) and other.total >= _LEAST_MEAN * count:
            found = _with(found, other)
    return [doubted(track, found) for track in found]


def _with(found: list[Track], other: Track) -> list[Track]:
    met = [track for track in found if max(together(other, track), together(track, other)) > _APART]
    hers = [track for track in met if together(track, other) > _HERS]
    same = [track for track in hers if 1 / _AS_TALL < _height(other) / _height(track) < _AS_TALL]
    parts = [track for track in hers if _is_part(track, other)]
    at_once = any(a is not b and a.first <= b.last and b.first <= a.last for a in same for b in same)
    if at_once or len(same) + len(parts) < len(met):
        return found
    figures = dict(other.figures)
    for track in same:
        figures.update(track.figures)
    surest = max(same, key=lambda track: track.total, default=other)
    whole = Track(dict(sorted(figures.items())), surest.looks)
    return [track for track in found if track not in met] + [whole]


def _is_part(track: Track, whole: Track) -> bool:
    taller = _height(whole) / _height(track) >= _AS_TALL
    return taller and len(whole.figures) > _LONGER * len(track.figures)


def _height(track: Track) -> float:
    return float(np.median([track.figures[index].height for index in track.hits]))
