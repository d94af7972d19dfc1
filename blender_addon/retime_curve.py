"""Which frame of the source is seen on which frame of the timeline."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


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


def eased(share: float, start: float, end: float) -> float:
    """Which share (0..1) of the time has passed when this share of the way is done, the speed changing evenly.

    Args:
        share: of the way, 0..1.
        start: speed at the beginning, 0 or more.
        end: speed at the end; not both are 0.
    """
    mean = (start + end) / 2
    # Way after a share t of the time: (start t + (end - start) t^2 / 2) / mean.
    curvature = (end - start) / 2
    if abs(curvature) < 1e-9:
        return share
    return (math.sqrt(max(0.0, start**2 + 4 * curvature * mean * share)) - start) / (2 * curvature)


def looped(frames: Sequence[int], first: int, last: int, times: int, ping_pong: bool) -> list[int]:
    """What is seen when the part from index first to last, inclusive, is repeated so many times before going on.

    With ``ping_pong`` every other repeat runs backwards, and the frames at its turns are not seen twice.
    """
    part = list(frames[first : last + 1])
    seen = list(frames[: last + 1])
    for number in range(times):
        repeat = part
        if ping_pong:
            repeat = part[-2::-1] if number % 2 == 0 else part[1:]
        seen += repeat
    return seen + list(frames[last + 1 :])


def turned(frames: Sequence[int], first: int, last: int) -> list[int]:
    """What is seen when the part from index first to last, inclusive, runs backwards."""
    return [*frames[:first], *reversed(frames[first : last + 1]), *frames[last + 1 :]]


def with_holds_on_line(keys: Sequence[Key]) -> list[Key]:
    """Keys as they are, but what is held lies on the straight line that goes on after it, where it may.

    Blender tells which whole frame is held. Where somebody who is slowed down was frozen, that may be half a frame
    off, and the speed on both sides would seem to have changed by the freeze.
    """
    found, last = list(keys), len(keys) - 1
    held = [_is_hold(keys, i - 1) or _is_hold(keys, i) for i in range(len(keys))]
    ends = [i for i in range(len(keys)) if not held[i] or i in (0, last)]
    for a, b in pairwise(ends):
        line = _line_without_holds(keys[a : b + 1])
        near = all(abs(new.source - old.source) <= 0.5 + 1e-6 for new, old in zip(line, keys[a : b + 1], strict=True))
        if near and not any(_is_as_filmed(*pair) for pair in pairwise(keys[a : b + 1])):
            found[a : b + 1] = line
    return found


def _is_hold(keys: Sequence[Key], i: int) -> bool:
    return 0 <= i < len(keys) - 1 and keys[i].source == keys[i + 1].source


def _is_as_filmed(left: Key, right: Key) -> bool:
    """At that speed every key lies on a whole frame."""
    return right.source - left.source == right.frame - left.frame


def _line_without_holds(keys: Sequence[Key]) -> list[Key]:
    """One speed from the first key to the last, but for the holds."""
    passed = [0.0]
    for left, right in pairwise(keys):
        passed.append(passed[-1] + (0 if left.source == right.source else right.frame - left.frame))
    speed = (keys[-1].source - keys[0].source) / passed[-1] if passed[-1] else 0.0
    middle = zip(keys[1:-1], passed[1:-1], strict=True)
    return [keys[0], *(Key(key.frame, keys[0].source + speed * time) for key, time in middle), keys[-1]]


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
