"""Frames of a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats, linear_to_srgb
from backend.errors import PlateError
from backend.media.exr import UnreadableExr, read_exr
from backend.media.files import by_name, may_be_file

IMAGE_KINDS = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg", ".tif": "tif", ".tiff": "tif", ".exr": "exr"}


_HALF_MOST = float(np.finfo(np.float16).max)
_WHOLE = {np.dtype(np.uint8): np.float32(255), np.dtype(np.uint16): np.float32(65535)}


def list_images(folder: Path) -> list[Path]:
    """The images of a folder, sorted by name; other files and hidden ones are ignored.

    Raises:
        PlateError: no images, or images of several kinds, of which one can't tell which is meant.
    """
    named = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_KINDS and not path.name.startswith("."))
    files = [path for path in named if may_be_file(path)]
    if not files:
        raise PlateError(f"{folder} holds no png, jpg, tif or exr images")
    kinds = sorted({IMAGE_KINDS[path.suffix.lower()] for path in files})
    if len(kinds) > 1:
        raise PlateError(
            f"{folder} holds images of different kinds ({', '.join(kinds)})", "Keep one kind in the folder"
        )
    return by_name(files)


def read_image(path: Path) -> Floats:
    """Read one image as (H, W, 3) display values, any alpha dropped.

    Whole-number images are 0..1. Floating-point ones are taken as scene-linear and may leave 0..1; what is beyond
    the range of half floats is brought to its end.

    Raises:
        PlateError: unreadable, or with values that are not numbers.
    """
    pixels = _read_exr(path) if path.suffix.lower() == ".exr" else _read_other(path)
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] < 3 else pixels[..., :3]
    whole = _WHOLE.get(rgb.dtype)
    if whole is None:
        if not np.isfinite(rgb).all():
            raise PlateError(f"{path} holds values that are not numbers or are infinite", "Write the image again")
        return linear_to_srgb(np.clip(rgb, -_HALF_MOST, _HALF_MOST))
    return np.asarray(rgb.astype(np.float32) / whole)


def _read_exr(path: Path) -> npt.NDArray[Any]:
    try:
        return read_exr(path)
    except UnreadableExr as error:
        raise PlateError(f"{path} can't be read: {error}", "Write the image again") from error


def _read_other(path: Path) -> npt.NDArray[Any]:
    """(H, W, C) unsigned or floating, colours in the order R, G, B; C is 1, 3 or 4."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        # Orientation tags are ignored, as Blender ignores them.
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
    except (OSError, cv2.error) as error:
        raise PlateError(f"{path} can't be read as an image", "Write the image again") from error
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise PlateError(f"{path} can't be read as an image", "Write the image again")
    if pixels.ndim == 2:
        return np.asarray(pixels[..., None])
    return np.asarray(pixels[..., 2::-1])
