"""Bringing a rough mask to the edges of a picture."""

from __future__ import annotations

import cv2
import numpy as np

from backend.core.color import Floats


def guided(mask: Floats, guide: Floats, radius: int, noise: float) -> Floats:
    """A mask made locally a linear function of a grey picture (guided filter, He et al. 2010).

    Args:
        mask: (H, W) 0..1.
        guide: (H, W) grey picture 0..1.
        radius: half the side of the window, in pixels.
        noise: variance of the picture below which an edge is none.

    Returns:
        (H, W) 0..1.
    """

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)

    middle, average = mean(guide), mean(mask)
    slope = (mean(guide * mask) - middle * average) / (mean(guide * guide) - middle * middle + np.float32(noise))
    offset = average - slope * middle
    return np.asarray(np.clip(mean(slope) * guide + mean(offset), 0, 1), np.float32)
