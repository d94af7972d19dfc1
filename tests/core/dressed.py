"""Somebody in a patterned dress, of whom every part can be told from every other."""

from __future__ import annotations

import cv2
import numpy as np

from backend.core.color import Floats


def dressed(size: tuple[int, int], rows: slice, columns: slice, patch: int) -> tuple[Floats, Floats]:
    """A picture of ``size`` (H, W), grey around a body that fills these rows and columns, and the mask, (H, W).

    ``patch``: how many pixels wide the parts of the pattern are.
    """
    height, width = size
    noise = np.random.default_rng(3).random((height // patch, width // patch, 3)).astype(np.float32)
    pattern = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    mask = np.zeros(size, np.float32)
    mask[rows, columns] = 1
    return np.where(mask[..., None] > 0, pattern, 0.5).astype(np.float32), mask
