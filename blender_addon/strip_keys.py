"""Changing the time of one strip by Blender's own retiming keys, while it stays where it is seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import bpy

from .channels import empty_channel
from .compat import (
    Scene,
    Strip,
    content_end,
    content_start,
    left_handle,
    right_handle,
    set_content_start,
    set_handles,
)
from .retime_curve import eased
from .sequencer_ops import (
    deselect_retiming_keys,
    level_shown,
    metas_around,
    run_on,
    selection_kept,
    strips_beside,
)
from .strip_order import keys_safe
from .strips import UNFOLDED, files_of, source_frames

RAMP_STEPS, RAMP_FRAMES = 12, 3
"""A ramp is so many short straight pieces at most, each so many frames long at least."""


class RetimingProblem(Exception):
    """A change of time that is not possible; the text says why and what to do."""


def seed_keys(context: bpy.types.Context, scene: Scene, strip: Strip) -> None:
    """Give a strip the two keys at its ends that every retiming begins with; without them Blender crashes."""
    if len(strip.retiming_keys) < 2:
        with _positive_time(strip, content_start(strip)):
            frame = content_start(strip)
            # A trimmed strip would get further keys at its trims.
            set_handles(strip, frame, frame + len(strip.elements))
            run_on(context, scene, [strip], bpy.ops.sequencer.retiming_key_add, timeline_frame=frame)


@contextmanager
def edited(context: bpy.types.Context, scene: Scene, strip: Strip) -> Iterator[None]:
    """Let a strip's time be changed; afterwards it is seen on the same frames and channel as before.

    It waits on an empty channel meanwhile, and so do the meta strips around it, which grow and shrink with it:
    Blender moves strips that overlap, if only for a moment.
    """
    chain = [*metas_around(strip), strip]
    places = [(s, left_handle(s), right_handle(s), s.channel) for s in chain]
    with selection_kept(scene):
        for item in chain:
            item.channel = empty_channel(strips_beside(scene, item))
        # Operators would add keys at the trims of a trimmed strip.
        set_handles(strip, content_start(strip), content_end(strip))
        try:
            with level_shown(scene, strip.parent_meta()):
                yield
        finally:
            for item, left, right, channel in reversed(places):
                set_handles(item, left, right)
                item.channel = channel


@contextmanager
def _positive_time(strip: Strip, frame: int) -> Iterator[int]:
    """Move a strip to where operators reach it: they take no frame below zero. Tells by how many frames."""
    shift = max(0, 1 - min(frame, content_start(strip)))
    set_content_start(strip, content_start(strip) + shift)
    try:
        yield shift
    finally:
        set_content_start(strip, content_start(strip) - shift)


def move_content(strip: Strip, frames: int) -> None:
    """Let everything in a strip happen later (or earlier, if negative); call inside edited()."""
    set_content_start(strip, content_start(strip) + frames)


def freeze(context: bpy.types.Context, scene: Scene, strip: Strip, frame: int, duration: int) -> None:
    """Hold what is seen on a timeline frame for so many frames more, then go on as before; call inside edited().

    Raises:
        RetimingProblem: when the frame lies inside a speed transition.
    """
    seed_keys(context, scene, strip)
    if frame <= content_start(strip):
        move_content(strip, duration)
        return
    if frame >= content_end(strip) - 1 and strip.use_reverse_frames:
        # The last picture is held anyway; to keys it would be the first.
        return
    with _positive_time(strip, frame) as shift, keys_safe(context, scene, strip):
        at = _key_time(strip, frame + shift)
        if at > _key_frames(strip)[-1]:
            return
        held = _is_held(strip, at)
        if not held:
            _add_key(strip, at)
        _move_keys(strip, [f + duration if f > at else f for f in _key_frames(strip)])
        if not held:
            _freeze_at_key(context, scene, strip, at, duration)


def set_speed(
    context: bpy.types.Context, scene: Scene, strip: Strip, percent: float, first: int | None, last: int | None
) -> None:
    """Let what is seen on the timeline frames first to last, inclusive, go by at another speed; call inside edited().

    Args:
        percent: 100 leaves all as it is, 50 takes twice as long. What follows keeps its speed and moves along.
        first: None means the first frame of the content.
        last: None means the last.

    Raises:
        RetimingProblem: when there is nothing between the frames, or too little to go by that fast.
    """
    seed_keys(context, scene, strip)
    with _positive_time(strip, content_start(strip)) as shift, keys_safe(context, scene, strip):
        ends = _key_frames(strip)
        begin, end = _key_range(strip, first, last, shift)
        a = ends[0] if begin is None else max(begin, ends[0])
        b = ends[-1] if end is None else min(end + 1, ends[-1])
        if b <= a:
            raise RetimingProblem(f"{strip.name} does not move between the frames {first} and {last}; choose others")
        _add_key(strip, a)
        _add_key(strip, b)
        length = max(1, round((b - a) * 100 / percent))
        _move_keys(strip, _moved(_key_frames(strip), a, b, length, lambda share: share))


def ramp(
    context: bpy.types.Context, scene: Scene, strip: Strip, speeds: tuple[float, float], first: int, last: int
) -> None:
    """Change the speed bit by bit over the timeline frames first to last, inclusive; call inside edited().

    Args:
        speeds: percent at the beginning and at the end; one of them may be 0. What follows moves along.

    Raises:
        RetimingProblem: when there are fewer than two frames to change, or too little to go by that fast.
    """
    seed_keys(context, scene, strip)
    with _positive_time(strip, content_start(strip)) as shift, keys_safe(context, scene, strip):
        ends = _key_frames(strip)
        begin, end = _key_range(strip, first, last, shift)
        a, b = max(begin, ends[0]), min(end + 1, ends[-1])
        if b - a < 2:
            raise RetimingProblem(f"{strip.name} does not move between the frames {first} and {last}; choose others")
        steps = min(RAMP_STEPS, (b - a) // RAMP_FRAMES + 1)
        for step in range(steps + 1):
            frame = a + (b - a) * step // steps
            # Where the person stands still no key can be added, and none is needed.
            if step in (0, steps) or not _is_held(strip, frame):
                _add_key(strip, frame)
        slow, fast = (speed / 100 for speed in (reversed(speeds) if strip.use_reverse_frames else speeds))
        length = max(steps, round(2 * (b - a) / (slow + fast)))
        _move_keys(strip, _moved(_key_frames(strip), a, b, length, lambda share: eased(share, slow, fast)))


def reset(context: bpy.types.Context, scene: Scene, strip: Strip, start: int) -> None:
    """Back to the original time, with the first source frame at frame ``start``; call inside edited()."""
    if strip.get(UNFOLDED):
        show_frames(context, scene, strip, range(len(files_of(strip))))
        del strip[UNFOLDED]
    strip.use_reverse_frames, strip.strobe = False, 1
    strip.retiming_keys.reset()
    set_content_start(strip, start)
    seed_keys(context, scene, strip)


def show_frames(context: bpy.types.Context, scene: Scene, strip: Strip, frames: Sequence[int]) -> None:
    """Let a strip show these source frames (from 0), one on each frame from its start on; call inside edited().

    Keys that were there are used up by this: Blender's keys can't go back in time, a list of pictures can.
    """
    files, elements = files_of(strip), strip.elements
    strip.retiming_keys.reset()
    strip.use_reverse_frames = False
    strip[UNFOLDED] = True
    for _ in range(len(elements) - 1):
        elements.pop(-1)
    elements[0].filename = files[frames[0]]
    for frame in frames[1:]:
        elements.append(files[frame])
    set_handles(strip, content_start(strip), content_start(strip) + len(frames))
    seed_keys(context, scene, strip)


def _moved(frames: Sequence[int], a: int, b: int, length: int, curve: Callable[[float], float]) -> list[int]:
    """Where keys go when the frames from a to b are to take so many frames; no two come to lie on one frame.

    ``curve`` tells for a share (0..1) of the old frames which share of the new ones it takes.
    """
    moved: list[int] = []
    for frame in frames:
        if frame >= b:
            target = frame + length - (b - a)
        else:
            target = a + math.floor(curve((frame - a) / (b - a)) * length + 0.5) if frame > a else frame
            target = max(target, moved[-1] + 1) if moved else target
        moved.append(target)
    return moved


def _key_time(strip: Strip, frame: int) -> int:
    """The frame on which a key has to lie for what is seen on a timeline frame: a reversed strip mirrors its keys."""
    return content_start(strip) + content_end(strip) - 1 - frame if strip.use_reverse_frames else frame


def _key_range(strip: Strip, first: int | None, last: int | None, shift: int) -> tuple[int | None, int | None]:
    """The frames of the keys from first to last; None stays None, for where there is no end."""
    ends = [None if frame is None else _key_time(strip, frame + shift) for frame in (first, last)]
    return (ends[1], ends[0]) if strip.use_reverse_frames else (ends[0], ends[1])


def _key_frames(strip: Strip) -> list[int]:
    return [key.timeline_frame for key in strip.retiming_keys]


def _is_held(strip: Strip, frame: int) -> bool:
    """True when the frame lies between two keys that show the same picture, where no key can be added."""
    frames = _key_frames(strip)
    if frame in frames or not frames[0] < frame < frames[-1]:
        return False
    right = next(i for i, f in enumerate(frames) if f > frame)
    between = source_frames(strip, [_key_time(strip, f) for f in range(frames[right - 1], frames[right] + 1)])
    return len(set(between)) == 1


def _add_key(strip: Strip, frame: int) -> None:
    if frame in _key_frames(strip):
        return
    strip.retiming_keys.add(timeline_frame=frame)
    if frame not in _key_frames(strip):
        raise RetimingProblem(
            f"Frame {frame} of {strip.name} lies inside a freeze frame or a speed transition; choose a frame outside it"
        )


def _move_keys(strip: Strip, frames: Sequence[int]) -> None:
    """Move each key to its new frame. A key stops at its neighbor, so the neighbor has to make way first."""
    if any(b <= a for a, b in pairwise(frames)):
        raise RetimingProblem(f"{strip.name} has too many retiming keys to go by that fast; remove some")
    before = _key_frames(strip)
    keys = strip.retiming_keys
    later = [i for i in reversed(range(len(frames))) if frames[i] > before[i]]
    earlier = [i for i in range(len(frames)) if frames[i] < before[i]]
    for i in [*later, *earlier]:
        keys[i].timeline_frame = frames[i]


def _freeze_at_key(context: bpy.types.Context, scene: Scene, strip: Strip, frame: int, duration: int) -> None:
    """Use Blender's operator, the only way to two keys with one picture; it works at the current frame."""
    deselect_retiming_keys(context, scene)
    current, before = scene.frame_current, len(strip.retiming_keys)
    shown = strip.show_retiming_keys
    strip.show_retiming_keys = False
    try:
        scene.frame_current = frame
        run_on(context, scene, [strip], bpy.ops.sequencer.retiming_freeze_frame_add, duration=duration)
    finally:
        scene.frame_current = current
        strip.show_retiming_keys = shown
    if len(strip.retiming_keys) == before:
        raise RetimingProblem(
            f"Blender can't add a freeze frame at frame {frame} of {strip.name}; choose another frame"
        )
