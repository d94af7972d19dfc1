"""Where the strips of a layer set go: on which frames and in which channels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import bpy

from .channels import first_free_block
from .compat import Scene, Strip, content_skipped, content_start, left_handle, right_handle
from .depth_order import lanes, stretches
from .layer_set_file import Layer, LayerSet


@dataclass(frozen=True)
class Placement:
    """Where the strips of a layer set go on the timeline."""

    start: int
    """Frame of the first layer frame, seen or not."""
    left: int
    """First frame to be seen."""
    right: int
    """Frame after the last one to be seen."""
    channel: int
    """Lowest channel to use."""


@dataclass(frozen=True)
class PlannedStrip:
    """A strip that a layer will get: its channel, and the frames from left up to, not including, right."""

    layer: Layer
    channel: int
    left: int
    right: int


def place(scene: Scene, layer_set: LayerSet, source: Strip | None, channel: int) -> Placement:
    """Align a layer set with its source strip, or with the start of the scene where there is none.

    Args:
        channel: the lowest channel to use; 0 means the one above the source strip.
    """
    skipped = layer_set.first_frame - 1
    if source is None:
        start = scene.frame_start + skipped
        return Placement(start, start, start + layer_set.frames, channel or 1)
    start = _plate_start(source, layer_set) + skipped
    end = start + layer_set.frames
    left, right = max(start, left_handle(source)), min(end, right_handle(source))
    if left >= right:
        left, right = start, end
    return Placement(start, left, right, channel or source.channel + 1)


def _plate_start(source: Strip, layer_set: LayerSet) -> int:
    """The timeline frame on which the first frame of the plate is seen.

    A plate that is the strip's own file begins where the file begins; otherwise its frames were rendered from the
    strip, and it begins where the strip begins.
    """
    if source.type == "MOVIE" and _same_file(source.filepath, layer_set.plate):
        return content_start(source) - content_skipped(source)
    return left_handle(source)


def _same_file(strip_path: str, plate: str) -> bool:
    return bool(plate) and Path(bpy.path.abspath(strip_path)).resolve() == Path(plate).resolve()


def plan_strips(layer_set: LayerSet, strips: Iterable[Strip], where: Placement) -> list[PlannedStrip]:
    """One strip for the background, one for each stretch of a subject's depth, one for the residual, from below.

    Args:
        strips: those that are there already, which are left alone.

    Raises:
        NoFreeChannel: when there is no room.
    """
    subjects, residual = layer_set.with_role("subject"), layer_set.with_role("residual")
    pieces = stretches(layer_set.order, [layer.name for layer in subjects])
    rows = lanes(pieces)
    count = 1 + len(rows) + len(residual)
    channel = first_free_block(strips, where.channel, count, where.left, where.right)
    whole = where.left, where.right
    planned = [PlannedStrip(layer_set.with_role("background")[0], channel, *whole)]
    for row, (rank, name) in enumerate(rows, channel + 1):
        layer = next(layer for layer in subjects if layer.name == name)
        for stretch in (s for s in pieces[name] if s.rank == rank):
            left = max(where.left, where.start + stretch.first)
            right = min(where.right, where.start + stretch.last + 1)
            if left < right:
                planned.append(PlannedStrip(layer, row, left, right))
    return planned + [PlannedStrip(layer, channel + count - 1, *whole) for layer in residual]
