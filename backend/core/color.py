"""Transfer between display values (sRGB-encoded) and scene-linear light, and the two forms a layer's pixels take."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]

# IEC 61966-2-1. Below the knee the curve is a line, for negative values too, as in Blender.
_DISPLAY_KNEE = 0.04045
_LINEAR_KNEE = 0.0031308
_HALF_MAX = np.float32(65504.0)


def srgb_to_linear(x: npt.ArrayLike) -> Floats:
    """Display values of any shape to scene-linear ones; nothing is clipped, negatives stay on the line."""
    values = np.asarray(x, np.float32)
    curve = ((np.maximum(values, np.float32(_DISPLAY_KNEE)) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(values <= _DISPLAY_KNEE, values / np.float32(12.92), curve).astype(np.float32, copy=False)


def linear_to_srgb(x: npt.ArrayLike) -> Floats:
    """Scene-linear values of any shape to display ones; the inverse of ``srgb_to_linear``."""
    values = np.asarray(x, np.float32)
    power = np.maximum(values, np.float32(_LINEAR_KNEE)) ** np.float32(1 / 2.4)
    curve = np.float32(1.055) * power - np.float32(0.055)
    return np.where(values <= _LINEAR_KNEE, values * np.float32(12.92), curve).astype(np.float32, copy=False)


def encode_layer(color: npt.ArrayLike, alpha: npt.ArrayLike) -> Halves:
    """Pixels as a layer's file holds them.

    Args:
        color: (H, W, 3) straight display colour.
        alpha: (H, W) coverage 0..1.

    Returns:
        (H, W, 4) half: scene-linear colour times alpha, and alpha.
    """
    # The alpha is rounded first, so that dividing by it when reading gives the colour back.
    a = np.asarray(alpha, np.float16)
    rgba = np.zeros((*a.shape, 4), np.float32)
    seen = a > 0
    rgba[seen, :3] = srgb_to_linear(np.asarray(color, np.float32)[seen]) * a[seen, None].astype(np.float32)
    rgba[..., 3] = a
    return to_half(rgba)


def decode_layer(rgba: npt.ArrayLike) -> Floats:
    """A layer's file as display-space premultiplied colour and alpha.

    Args:
        rgba: (H, W, 4) scene-linear colour premultiplied by alpha, and alpha.

    Returns:
        (H, W, 4): display colour times alpha, and alpha. Where alpha is 0 the colour is 0.
    """
    pixels = np.asarray(rgba, np.float32)
    out = np.zeros_like(pixels)
    seen = pixels[..., 3] > 0
    a = pixels[seen, 3:]
    out[seen, :3] = linear_to_srgb(pixels[seen, :3] / a) * a
    out[seen, 3:] = a
    return out


def encode_residual(residual: npt.ArrayLike) -> Halves:
    """A signed display-space difference (H, W, 3) as its file holds it: extended linear, alpha 1, (H, W, 4) half."""
    linear = srgb_to_linear(residual)
    return to_half(np.concatenate([linear, np.ones_like(linear[..., :1])], axis=-1))


def decode_residual(rgba: npt.ArrayLike) -> Floats:
    """The signed display-space difference (H, W, 3) back from its file (H, W, 4)."""
    return linear_to_srgb(np.asarray(rgba, np.float32)[..., :3])


def to_half(x: npt.ArrayLike) -> Halves:
    """Round to half floats; what is too large becomes the largest half instead of infinity."""
    return np.clip(np.asarray(x, np.float32), -_HALF_MAX, _HALF_MAX).astype(np.float16)
