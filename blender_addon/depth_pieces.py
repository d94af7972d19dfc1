"""Who is in front for a stretch of the timeline: a person's strip is cut there, and the part lies higher or lower."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from .channels import CHANNELS, NoFreeChannel
from .compat import Scene, Strip, left_handle, right_handle, set_handles
from .sequencer_ops import run_on, selection_kept, strips_beside
from .strips import SHOT, SUBJECT, layer_strips, pieces_of


def put_in_front(
    context: bpy.types.Context, scene: Scene, person: str, other: str, left: int, right: int
) -> list[Strip]:
    """Let a person lie above another one from frame left up to, not including, right. Returns the parts that moved.

    Raises:
        NoFreeChannel: when strips that are not ours leave no room.
    """
    obstacles = [strip for strip in pieces_of(scene, other) if _overlaps(strip, left, right)]
    below = [s for s in pieces_of(scene, person) if _overlaps(s, left, right)]
    moved = []
    for piece in below:
        over = [strip for strip in obstacles if _overlaps(strip, left_handle(piece), right_handle(piece))]
        top = max((strip.channel for strip in over), default=0)
        if piece.channel < top:
            part = _cut_out(context, scene, piece, max(left, left_handle(piece)), min(right, right_handle(piece)))
            _lift(scene, part, top)
            moved.append(part)
    return moved


def _overlaps(strip: Strip, left: int, right: int) -> bool:
    return left_handle(strip) < right and right_handle(strip) > left


def _cut_out(context: bpy.types.Context, scene: Scene, piece: Strip, left: int, right: int) -> Strip:
    """Leave of a strip only the frames from left up to right; copies with the same time take over what is outside."""
    ends = [(left_handle(piece), left), (right, right_handle(piece))]
    channel, person = piece.channel, piece[SUBJECT]
    parts = [piece]
    with selection_kept(scene):
        for a, b in ends:
            if a < b:
                copy = _copy(context, scene, piece)
                set_handles(copy, a, b)
                parts.append(copy)
        set_handles(piece, left, right)
        for copy in parts[1:]:
            copy.channel = channel
        if len(parts) > 1 and parts[0].name == person:
            # The name stays with the part that comes first.
            first = min(parts, key=left_handle)
            name, piece.name = first.name, _part_name(scene, person)
            first.name = person
            piece.name = name
        run_on(context, scene, pieces_of(scene, person), bpy.ops.sequencer.connect, toggle=False)
    return piece


def _copy(context: bpy.types.Context, scene: Scene, strip: Strip) -> Strip:
    before = {s.name for s in scene.sequence_editor.strips_all}
    run_on(context, scene, [strip], bpy.ops.sequencer.duplicate)
    copy = next(s for s in layer_strips(scene, strip[SHOT]) if s.name not in before)
    copy.name = _part_name(scene, strip[SUBJECT])
    return copy


def _part_name(scene: Scene, person: str) -> str:
    taken = {strip.name for strip in scene.sequence_editor.strips_all}
    return next(name for number in range(2, len(taken) + 3) if (name := f"{person} Part {number}") not in taken)


def _lift(scene: Scene, part: Strip, channel: int) -> None:
    """Put a strip just above a channel; what lies higher of the same shot makes room and keeps its order."""
    beside = list(strips_beside(scene, part))
    above = [s for s in beside if s != part and s.get(SHOT) == part[SHOT] and s.channel > channel]
    wanted = channel + 1
    in_the_way = [s for s in beside if s != part and s.channel == wanted and _meets(s, part)]
    if in_the_way and not _shift_up(beside, above):
        raise NoFreeChannel(f"There is no free channel above channel {channel}; move the strips above the layers up")
    part.channel = wanted


def _shift_up(beside: Sequence[Strip], ours: Sequence[Strip]) -> bool:
    """Move strips one channel up each, the highest first; False, with nothing moved, when others are in the way."""
    others = [strip for strip in beside if strip not in ours]
    for strip in ours:
        if strip.channel >= CHANNELS or any(o.channel == strip.channel + 1 and _meets(o, strip) for o in others):
            return False
    for strip in sorted(ours, key=lambda strip: -strip.channel):
        strip.channel += 1
    return True


def _meets(a: Strip, b: Strip) -> bool:
    return _overlaps(a, left_handle(b), right_handle(b))
