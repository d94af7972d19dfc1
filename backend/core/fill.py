"""Filling gaps from all around them."""

from __future__ import annotations

import cv2
import numpy as np

from backend.core.color import Floats


def fill(values: Floats, weight: Floats) -> Floats:
    """Continue values (H, W, C) smoothly to where their weight (H, W), 0..1, is 0.

    A pull-push pyramid (Gortler et al. 1996, section 3.4): averages are taken at ever smaller sizes until every
    gap is covered, then laid under the known values on the way back.
    """
    if min(weight.shape) <= 1 or float(weight.min()) > 0.99:
        total = max(float(weight.sum()), 1e-6)
        mean = (values * weight[..., None]).sum((0, 1)) / total
        return np.asarray(weight[..., None] * values + (1 - weight[..., None]) * mean, np.float32)
    half = ((weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2)
    small_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    # OpenCV drops the axis of a single channel.
    small = cv2.resize(values * weight[..., None], half, interpolation=cv2.INTER_AREA).reshape(*half[::-1], -1)
    known = np.minimum(1, small_weight * 2)
    below = fill((small / np.maximum(small_weight, 1e-6)[..., None]).astype(np.float32), known.astype(np.float32))
    large = cv2.resize(below, weight.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(values.shape)
    return np.asarray(weight[..., None] * values + (1 - weight[..., None]) * large, np.float32)
