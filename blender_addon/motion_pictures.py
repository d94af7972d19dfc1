"""A person's motion, read from the masks of the layer set or, where there are none, from the layer's own alpha."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np

from .compat import Strip
from .motion import Floats, posture, signal
from .strip_keys import RetimingProblem
from .strips import files_of, source_frames

WIDTH = 240
"""Pictures are made so small before they are measured; a step is seen as well."""


def motion_of(strip: Strip, frames: Sequence[int]) -> Floats:
    """(T, 4) signals of what a person's strip shows on these timeline frames.

    Raises:
        RetimingProblem: when the pictures can't be read.
    """
    shown = source_frames(strip, frames)
    postures = {frame: posture(_coverage(_picture(strip, frame))) for frame in sorted(set(shown))}
    return signal(np.stack([postures[frame] for frame in shown]))


def place_in(strip: Strip, frame: int) -> tuple[float, float] | None:
    """The middle of the person on a frame of the source (0-based), in shares of width and height from the top left.

    Raises:
        RetimingProblem: when the picture can't be read.
    """
    mask = _coverage(_picture(strip, frame))
    mass = float(mask.sum())
    if mass < 1:
        return None
    height, width = mask.shape
    x = float((mask.sum(axis=0) * (np.arange(width) + 0.5)).sum()) / mass
    y = float((mask.sum(axis=1) * (np.arange(height) + 0.5)).sum()) / mass
    return x / width, y / height


def _picture(strip: Strip, frame: int) -> Path:
    layer = Path(bpy.path.abspath(strip.directory))
    file = files_of(strip)[frame]
    mask = layer.parent / "masks" / layer.name / Path(file).with_suffix(".png").name
    return mask if mask.is_file() else layer / file


def _coverage(path: Path) -> Floats:
    """(H, W) 0..1, row 0 at the top: where the person is."""
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError as error:
        raise RetimingProblem(f"{path} can't be read; restore the folder of the layers") from error
    try:
        if not image.size[0]:
            raise RetimingProblem(f"{path} can't be read; restore the folder of the layers")
        if image.size[0] > WIDTH:
            image.scale(WIDTH, max(1, round(image.size[1] * WIDTH / image.size[0])))
        width, height = image.size
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        # A mask is grey and opaque; of a layer the opacity tells.
        channel = 3 if path.suffix.lower() == ".exr" and image.channels == 4 else 0
        return pixels.reshape(height, width, image.channels)[::-1, :, channel]
    finally:
        bpy.data.images.remove(image)
