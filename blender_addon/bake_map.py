"""Which moments of the source a strip is to show, to fractions of a frame, and under which names their pictures lie."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .compat import Strip, content_end
from .retime_curve import Key, keys_from_sources, source_at, with_holds_on_line
from .strips import UNFOLDED, files_of, seen_frames, source_frames

STEPS = 1000
"""Moments closer together than this part of a frame share a picture."""

Moment = tuple[float, float]
"""A source frame, fractional, and for how many source frames the shutter is open around it."""


def moments_of(strip: Strip, shutter: float) -> list[Moment]:
    """What a strip shows on each frame on which it is seen, counted as its files are.

    Args:
        shutter: 0..360 degrees; stretches that go by faster than they were filmed are open for so long.
    """
    sources = sources_of(strip)
    first = int(files_of(strip)[0].partition(".")[0])
    times = [first + round(source * STEPS) / STEPS for source in sources]
    return list(zip(times, spans(times, shutter), strict=True))


def sources_of(strip: Strip) -> list[float]:
    """The source frame (from 0, fractional) on each frame on which the strip is seen."""
    frames = list(seen_frames(strip))
    shown = source_frames(strip, frames)
    if strip.strobe > 1:
        return [float(source) for source in shown]
    keys = [] if strip.get(UNFOLDED) or strip.use_reverse_frames else _own_keys(strip)
    last = len(strip.elements) - 1
    found = [min(max(source_at(keys, frame), 0.0), last) for frame in frames] if keys else []
    # Speed transitions bend between their keys; then what is seen tells.
    if not found or any(abs(a - b) > 0.5 + 1e-6 for a, b in zip(found, shown, strict=True)):
        keys = keys_from_sources(frames, shown)
        found = [source_at(keys, frame) for frame in frames]
    return found


def _own_keys(strip: Strip) -> list[Key]:
    """A strip's retiming keys with what is seen on them."""
    frames = [key.timeline_frame for key in strip.retiming_keys]
    if len(frames) < 2:
        return []
    length, end = len(strip.elements), content_end(strip)
    seen = source_frames(strip, [min(frame, end - 1) for frame in frames])
    # Since 5.0 the last key lies on the frame after the last picture.
    keys = [Key(f, length if f >= end else source) for f, source in zip(frames, seen, strict=True)]
    return with_holds_on_line(keys)


def spans(times: Sequence[float], shutter: float) -> list[float]:
    """For how many source frames the shutter is open at each moment; 0 where it goes by no faster than filmed."""
    steps = [abs(b - a) for a, b in pairwise(times)]
    found = []
    for i in range(len(times)):
        # The smaller one of both sides: a jump is no motion.
        speed = min(steps[max(i - 1, 0) : i + 1], default=0.0)
        found.append(round(speed * shutter / 360 * STEPS) / STEPS if speed > 1 + 2 / STEPS else 0.0)
    return found


def file_name(moment: Moment) -> str:
    """The name of a moment's picture, the same for the same picture."""
    time, span = (round(value * STEPS) for value in moment)
    return f"{time:08d}_{span:06d}.exr" if span else f"{time:08d}.exr"
