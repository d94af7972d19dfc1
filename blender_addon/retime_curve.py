"""Which frame of the source is seen on which frame of the timeline."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """A retiming key: on this timeline frame this source frame is seen.

    ``frame`` counts like the timeline, ``source`` from 0 at the first frame of the strip's content.
    """

    frame: float
    source: float


def source_at(keys: Sequence[Key], frame: float) -> float:
    """The source frame on a timeline frame, fractional; before the first and after the last key it is held."""
    if frame <= keys[0].frame:
        return keys[0].source
    if frame >= keys[-1].frame:
        return keys[-1].source
    i = bisect_right([key.frame for key in keys], frame)
    left, right = keys[i - 1], keys[i]
    share = (frame - left.frame) / (right.frame - left.frame)
    return left.source + share * (right.source - left.source)


def nearest_sources(keys: Sequence[Key], frames: Sequence[int], length: int) -> list[int]:
    """The source frames Blender shows: the nearest, a half rounded up, within 0 .. length-1."""
    return [min(max(math.floor(source_at(keys, frame) + 0.5), 0), length - 1) for frame in frames]


def keys_from_sources(frames: Sequence[int], sources: Sequence[int]) -> list[Key]:
    """The fewest straight pieces through seen frames that come within half a frame of every one of them.

    Blender tells which whole source frame it shows, not the fraction behind it; a slow motion is a staircase then.
    This finds the straight lines again, for in-between frames at fractional times.
    """
    keys = [Key(frames[0], sources[0])]
    i = 0
    while i < len(frames) - 1:
        i = _furthest(frames, sources, i)
        keys.append(Key(frames[i], sources[i]))
    return keys


def _furthest(frames: Sequence[int], sources: Sequence[int], i: int) -> int:
    """The last index that one line from point i can reach, passing within half a frame of all in between."""
    low, high = -math.inf, math.inf
    best = i + 1
    for j in range(i + 1, len(frames)):
        run, rise = frames[j] - frames[i], sources[j] - sources[i]
        if low <= rise / run <= high:
            best = j
        low, high = max(low, (rise - 0.5) / run), min(high, (rise + 0.5) / run)
        if low > high:
            break
    return best
