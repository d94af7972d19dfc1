"""Writing the layer set: every frame's layers, what was used, and what is left over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.core.color import Floats, decode_layer, encode_layer
from backend.core.composite import composite
from backend.media.layer_set import LayerSetWriter
from backend.stages.clean_plate import CleanPlate
from backend.stages.effects import Effects
from backend.stages.layers import FrameLayers, frame_layers
from backend.stages.progress import Progress
from backend.stages.shot import Shot

STAGE = "Writing"


@dataclass(frozen=True)
class Written:
    """What is known of all frames once they are written."""

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
    error, observed, count = 0.0, 0.0, len(shot.footage)
    for index in range(count):
        progress.tell(STAGE, index / count, f"Frame {shot.footage.info.first_frame + index}")
        layers = frame_layers(shot, effects, clean, index)
        left = _write_frame(writer, shot, layers, index, residual)
        seen = clean.observed(index)
        writer.write_coverage(shot.footage.info.first_frame + index, seen)
        error += float(np.mean(left**2)) / count
        observed += float(seen.mean()) / count
    return Written(error, observed)


def _write_frame(writer: LayerSetWriter, shot: Shot, layers: FrameLayers, index: int, residual: bool) -> Floats:
    """Write one frame; returns plate minus composite, (H, W, 3) in display space."""
    number = shot.footage.info.first_frame + index
    names = shot.footage.names
    masks = shot.footage.masks(index)
    writer.write_background(number, layers.background)
    for person, name in enumerate(names):
        writer.write_layer(name, number, layers.color[person], layers.alpha[person])
        writer.write_mask(name, number, masks[person])
    left = shot.footage.plate(index) - _as_read_back(layers, shot.order[index])
    if residual:
        writer.write_residual(number, left)
    return left


def _as_read_back(layers: FrameLayers, order: list[int]) -> Floats:
    """The composite (H, W, 3) of the layers with the rounding of their files, so that the residual mends that too."""
    opaque = np.ones(layers.background.shape[:2], np.float32)
    back = decode_layer(encode_layer(layers.background, opaque))[..., :3]
    return composite(back, [decode_layer(encode_layer(layers.color[i], layers.alpha[i])) for i in order])
