"""Writing the layer set: every frame's layers, what was used, and what is left over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.core.color import Floats, decode_layer
from backend.core.composite import composite
from backend.core.side_by_side import in_order
from backend.media.layer_set import LayerSetWriter
from backend.stages.clean_plate import CleanPlate
from backend.stages.effects import Effects
from backend.stages.layers import FrameLayers, frame_layers
from backend.stages.progress import Progress
from backend.stages.shade import Shades
from backend.stages.shot import Shot

STAGE = "Writing"
# Bytes that a frame in work takes per pixel, and per pixel and person, at most; measured.
_MEMORY, _MEMORY_EACH = 180, 70


@dataclass(frozen=True)
class Written:
    """What is known of a frame, or of all, once written."""

    error: float
    """Mean squared error of the layers alone against the plate."""
    observed: float
    """Share of the background that some frame shows."""


def write_frames(
    writer: LayerSetWriter, shot: Shot, effects: Effects, clean: CleanPlate, residual: bool, progress: Progress
) -> Written:
    """Write all frames.

    Everything is computed anew after a resume: it takes little time, and the files come out the same.
    """
    first, count = shot.footage.info.first_frame, len(shot.footage)
    shades = Shades(shot, effects)

    def write(index: int) -> Written:
        layers = frame_layers(shot, effects, clean, shades, index)
        left = _write_frame(writer, shot, layers, index, residual)
        seen = clean.observed(index)
        writer.write_coverage(first + index, seen)
        return Written(float(np.mean(left**2)), float(seen.mean()))

    error, observed = 0.0, 0.0
    progress.tell(STAGE, 0)
    for index, frame in enumerate(in_order(write, count, _memory(shot))):
        progress.tell(STAGE, (index + 1) / count, f"Frame {first + index}")
        error, observed = error + frame.error / count, observed + frame.observed / count
    return Written(error, observed)


def _memory(shot: Shot) -> int:
    """Bytes that a frame takes while it is worked on."""
    width, height = shot.footage.view
    return width * height * (_MEMORY + _MEMORY_EACH * len(shot.footage.names))


def _write_frame(writer: LayerSetWriter, shot: Shot, layers: FrameLayers, index: int, residual: bool) -> Floats:
    """Write one frame; returns plate minus composite, (H, W, 3) in display space.

    The composite is that of the layers with the rounding of their files, so that the residual mends that too.
    """
    number = shot.footage.info.first_frame + index
    names, masks = shot.footage.names, shot.footage.masks(index)
    written = []
    back = decode_layer(writer.write_background(number, layers.background))[..., :3]
    for person, name in enumerate(names):
        written.append(writer.write_layer(name, number, layers.color[person], layers.alpha[person]))
        writer.write_mask(name, number, masks[person])
    left = shot.footage.plate(index) - composite(back, [decode_layer(written[i]) for i in shot.order[index]])
    if residual:
        writer.write_residual(number, left)
    return left
