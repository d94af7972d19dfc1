"""Changes of a strip's time that turn round or repeat, which are lists of pictures and not keys."""

from __future__ import annotations

import bpy

from .compat import Scene, Strip, content_end, content_start
from .retime_curve import looped, turned
from .strip_keys import RetimingProblem, show_frames
from .strips import source_frames

LOOP_FRAMES = 20_000
"""A strip's list of pictures gets no longer than this by a loop."""


def reverse(context: bpy.types.Context, scene: Scene, strip: Strip, first: int | None, last: int | None) -> None:
    """Let what is seen on the timeline frames first to last, inclusive, run backwards; call inside edited().

    All of a strip is turned by Blender's own Reverse Frames, so that its keys stay. A part can't be.

    Raises:
        RetimingProblem: when nothing moves between the frames.
    """
    if first is None and last is None:
        strip.use_reverse_frames = not strip.use_reverse_frames
        return
    a, b = _part(strip, first, last)
    show_frames(context, scene, strip, turned(_seen(strip), a, b))


def loop(
    context: bpy.types.Context, scene: Scene, strip: Strip, part: tuple[int, int], times: int, ping_pong: bool, end: int
) -> None:
    """Repeat what is seen on some timeline frames, inclusive; what follows comes later; call inside edited().

    Args:
        part: first and last frame.
        times: how often more; 0 means as often as it takes to reach ``end``.
        ping_pong: every other time backwards.
        end: frame after the last one on which the strip is seen.

    Raises:
        RetimingProblem: when nothing moves between the frames, or it would get too long.
    """
    a, b = _part(strip, *part)
    if not times:
        length = max(1, b - a + (0 if ping_pong else 1))
        times = max(1, -(-(end - content_start(strip) - b - 1) // length))
    frames = looped(_seen(strip), a, b, times, ping_pong)
    if len(frames) > LOOP_FRAMES:
        raise RetimingProblem(f"{strip.name} would get {len(frames)} frames long; repeat it fewer times")
    show_frames(context, scene, strip, frames)


def _seen(strip: Strip) -> list[int]:
    return source_frames(strip, range(content_start(strip), content_end(strip)))


def _part(strip: Strip, first: int | None, last: int | None) -> tuple[int, int]:
    """Indices of the first and last frame, counted from the strip's start."""
    start, end = content_start(strip), content_end(strip)
    a = start if first is None else max(first, start)
    b = end - 1 if last is None else min(last, end - 1)
    if b <= a:
        raise RetimingProblem(f"{strip.name} does not move between the frames {first} and {last}; choose others")
    return a - start, b - start
