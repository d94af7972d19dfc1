"""A second, third, … copy of a person, each with a time of its own."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from .channels import first_free_block
from .compat import Scene, Strip, left_handle, right_handle
from .sequencer_ops import run_on, selection_kept, strips_beside
from .strips import SUBJECT, layer_strips


def duplicate(context: bpy.types.Context, scene: Scene, pieces: Sequence[Strip]) -> str:
    """Copy all strips of a person to free channels above; returns the name of the copy.

    Raises:
        NoFreeChannel: when there is no room.
    """
    beside = list(strips_beside(scene, pieces[0]))
    left, right = min(map(left_handle, pieces)), max(map(right_handle, pieces))
    rows = sorted({piece.channel for piece in pieces})
    lowest = first_free_block(beside, rows[-1] + 1, len(rows), left, right)
    before = {strip.name for strip in scene.sequence_editor.strips_all}
    with selection_kept(scene):
        run_on(context, scene, pieces, bpy.ops.sequencer.duplicate)
    copies = [strip for strip in layer_strips(scene) if strip.name not in before]
    # The copy of the strip that bears the person's name, "anna.001", rather than "anna part 2.001".
    name = min((strip.name for strip in copies), key=len)
    for strip in copies:
        strip.channel = lowest + rows.index(strip.channel)
        strip[SUBJECT] = name
    return name
