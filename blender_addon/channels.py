"""Which channels of the sequencer are free, so that nothing is ever overwritten or pushed aside."""

from __future__ import annotations

from collections.abc import Iterable

from .compat import Strip, left_handle, right_handle

CHANNELS = 128
"""Blender's number of channels, counted from 1."""


class NoFreeChannel(Exception):
    """Too little room in the sequencer; the text says what to do."""


def first_free_block(strips: Iterable[Strip], lowest: int, count: int, left: int, right: int) -> int:
    """The lowest of ``count`` neighboring channels that are empty from frame left up to, not including, right.

    Raises:
        NoFreeChannel: when there are none from ``lowest`` upwards.
    """
    taken = {strip.channel for strip in strips if left_handle(strip) < right and right_handle(strip) > left}
    for channel in range(max(lowest, 1), CHANNELS - count + 2):
        if taken.isdisjoint(range(channel, channel + count)):
            return channel
    raise NoFreeChannel(
        f"{count} free channels next to each other are needed above channel {lowest - 1}; move some strips away"
    )


def empty_channel(strips: Iterable[Strip]) -> int:
    """A channel without any strip; raises NoFreeChannel when there is none."""
    taken = {strip.channel for strip in strips}
    for channel in range(CHANNELS, 0, -1):
        if channel not in taken:
            return channel
    raise NoFreeChannel(f"All {CHANNELS} channels are in use; empty one of them")


def strips_above(strips: Iterable[Strip], strip: Strip) -> list[Strip]:
    """The visible strips on higher channels that are seen together with this one."""
    left, right = left_handle(strip), right_handle(strip)
    return [
        other
        for other in strips
        if other.channel > strip.channel
        and other.type != "SOUND"
        and not other.mute
        and left_handle(other) < right
        and right_handle(other) > left
    ]
