"""The faint outermost part of bodies and effects, which predictions end short of."""

from __future__ import annotations

import cv2
import numpy as np

from backend.core.background import calm_ground
from backend.core.color import Floats, most, ramp
from backend.core.opacity import density, flicker, with_density

# How far from a body or an effect its rim reaches, as a share of the picture's width, and how much of either must be
# near: all of a rim lies where the second share is.
_REACH, _NEAR = 1 / 200, (0.01, 0.04)
# What is left over is a rim up to the first of these densities, and something else from the second on; ...
_FAINT = (0.1, 0.2)
# ... and not where effects are stronger than this: what overlapping ones leave over is nobody's.
_STRONG = (0.05, 0.15)


def with_rims(
    alone: Floats, masks: Floats, seen: Floats, plate: Floats, background: Floats, restless: Floats
) -> Floats:
    """Effects (N, H, W, 3), and what the plate shows beyond them right beside effects and bodies.

    Penumbras are fainter than can be learned, and lenses and lossy video smear a body beyond its mask. What differs
    there by more than the pixel flickers by itself, on calm ground, goes to whoever is near.

    Args:
        alone: signed densities of everybody's effect.
        masks: (N, H, W) visible bodies, 0..1.
        seen: (H, W) 1 where the background is visible, else 0.
        plate: (H, W, 3) display values.
        background: (H, W, 3) the same without people.
        restless: (H, W) how much pixels change by themselves, in display values.
    """
    left = density(plate, with_density(background, alone.sum(0)))
    amount, noise = most(np.abs(left)), flicker(background, restless)
    near = np.stack([_around(np.maximum(most(np.abs(s)), mask)) for s, mask in zip(alone, masks, strict=True)])
    trust = ramp(near.max(0), *_NEAR) * seen * calm_ground(restless)
    # What the flicker may explain is no rim; twice as much is one.
    trust *= np.clip(amount / noise - 1, 0, 1)
    trust *= (1 - ramp(amount, *_FAINT)) * (1 - ramp(most(np.abs(alone)).max(0), *_STRONG))
    share = near / np.maximum(near.sum(0), 1e-6)
    return np.asarray(alone + (share * trust)[..., None] * left, np.float32)


def _around(values: Floats) -> Floats:
    """Values (H, W) blurred as far as rims reach; in a small picture, since far is many pixels in a large one."""
    height, width = values.shape
    reach = _REACH * width
    shrunk = max(1, round(reach / 4))
    small = cv2.resize(values, (-(-width // shrunk), -(-height // shrunk)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), reach / shrunk), (width, height)), np.float32)
