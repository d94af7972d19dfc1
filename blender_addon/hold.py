"""Strips that are seen for longer than what is in them: Blender holds their last picture."""

from __future__ import annotations

from collections.abc import Sequence

from .channels import NoFreeChannel
from .compat import Scene, Strip, left_handle, right_handle, set_handles
from .sequencer_ops import metas_around, strips_beside
from .strips import SHOT, background_of


def hold_until(scene: Scene, pieces: Sequence[Strip], right: int) -> None:
    """Show a person's last strips, what is behind them and the meta strips around them up to, not including, a frame.

    Raises:
        NoFreeChannel: when another strip follows in a channel before that frame.
    """
    end = max(map(right_handle, pieces))
    longer = [piece for piece in pieces if right_handle(piece) == end]
    background = background_of(scene, pieces[0][SHOT])
    longer += [strip for strip in (background, *metas_around(pieces[0])) if strip and right_handle(strip) < right]
    for strip in longer:
        _check_room(scene, strip, right)
    # From the outermost inwards, since a meta strip shows no more of its strips than it lasts itself.
    for strip in reversed(longer):
        set_handles(strip, left_handle(strip), max(right, left_handle(strip) + 1))


def _check_room(scene: Scene, strip: Strip, right: int) -> None:
    for other in strips_beside(scene, strip):
        follows = other.channel == strip.channel and right_handle(strip) <= left_handle(other) < right
        if other != strip and follows:
            raise NoFreeChannel(f"{other.name} follows {strip.name} in channel {strip.channel}; move it away first")
