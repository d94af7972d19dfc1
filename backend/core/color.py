"""Transfer between display values (sRGB-encoded) and scene-linear light, and the two forms a layer's pixels take."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.boxes import box_of

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]

# IEC 61966-2-1. Below the knee the curve is a line, for negative values too, as in Blender.
_DISPLAY_KNEE = 0.04045
_LINEAR_KNEE = 0.0031308
_HALF_MAX = np.float32(65504.0)


def srgb_to_linear(x: npt.ArrayLike) -> Floats:
    """Display values of any shape to scene-linear ones; nothing is clipped, negatives stay on the line."""
    values = np.asarray(x, np.float32)
    curve = _power((np.maximum(values, np.float32(_DISPLAY_KNEE)) + np.float32(0.055)) / np.float32(1.055), 2.4)
    return np.where(values <= _DISPLAY_KNEE, values / np.float32(12.92), curve).astype(np.float32, copy=False)


def linear_to_srgb(x: npt.ArrayLike) -> Floats:
    """Scene-linear values of any shape to display ones; the inverse of ``srgb_to_linear``."""
    values = np.asarray(x, np.float32)
    power = _power(np.maximum(values, np.float32(_LINEAR_KNEE)), 1 / 2.4)
    curve = np.float32(1.055) * power - np.float32(0.055)
    return np.where(values <= _LINEAR_KNEE, values * np.float32(12.92), curve).astype(np.float32, copy=False)


def _power(x: Floats, exponent: float) -> Floats:
    """Three times as fast as NumPy's own."""
    return np.asarray(cv2.pow(x.reshape(-1, 1), exponent), np.float32).reshape(x.shape) if x.size else x


def encode_layer(color: npt.ArrayLike, alpha: npt.ArrayLike) -> Halves:
    """Pixels as a layer's file holds them.

    Args:
        color: (H, W, 3) straight display colour.
        alpha: (H, W) coverage 0..1.

    Returns:
        (H, W, 4) half: scene-linear colour times alpha, and alpha.
    """
    # The alpha is rounded first, so that dividing by it when reading gives the colour back.
    a = np.asarray(to_half(alpha), np.float32)
    rgba = np.zeros((*a.shape, 4), np.float16)
    # Most of a person's layer is empty.
    box = box_of(a > 0)
    linear = srgb_to_linear(np.asarray(color, np.float32)[box]) * a[box][..., None]
    rgba[box] = to_half(np.where(a[box][..., None] > 0, np.concatenate([linear, a[box][..., None]], -1), 0))
    return rgba


def decode_layer(rgba: npt.ArrayLike) -> Floats:
    """A layer's file as display-space premultiplied colour and alpha.

    Args:
        rgba: (H, W, 4) scene-linear colour premultiplied by alpha, and alpha.

    Returns:
        (H, W, 4): display colour times alpha, and alpha. Where alpha is 0 the colour is 0.
    """
    pixels = from_half(rgba)
    out = np.zeros_like(pixels)
    box = box_of(pixels[..., 3] > 0)
    a = pixels[box][..., 3:]
    color = linear_to_srgb(pixels[box][..., :3] / np.where(a > 0, a, 1)) * a
    out[box] = np.where(a > 0, np.concatenate([color, a], -1), 0)
    return out


def most(values: Floats) -> Floats:
    """The largest of three channels (..., 3); NumPy's own way along so short an axis takes five times as long."""
    return np.asarray(np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2]), np.float32)


def least(values: Floats) -> Floats:
    """The smallest of three channels (..., 3)."""
    return np.asarray(np.minimum(np.minimum(values[..., 0], values[..., 1]), values[..., 2]), np.float32)


def ramp(values: Floats, low: float, high: float) -> Floats:
    """From 0 at ``low`` and below to 1 at ``high`` and above."""
    return np.asarray(np.clip((values - low) / (high - low), 0, 1), np.float32)


def encode_residual(residual: npt.ArrayLike) -> Halves:
    """A signed display-space difference (H, W, 3) as its file holds it: extended linear, alpha 1, (H, W, 4) half."""
    linear = srgb_to_linear(residual)
    return to_half(np.concatenate([linear, np.ones_like(linear[..., :1])], axis=-1))


def decode_residual(rgba: npt.ArrayLike) -> Floats:
    """The signed display-space difference (H, W, 3) back from its file (H, W, 4)."""
    return linear_to_srgb(from_half(rgba)[..., :3])


def to_half(x: npt.ArrayLike) -> Halves:
    """Round to half floats; what is too large becomes the largest half instead of infinity."""
    values = np.asarray(x)
    if values.dtype == np.float16 and np.isfinite(values).all():
        return values
    clipped = np.clip(np.asarray(values, np.float32), -_HALF_MAX, _HALF_MAX)
    # NumPy's own conversion takes twenty times as long.
    halves = cv2.convertFp16(clipped.reshape(-1, 1)) if clipped.size else clipped.astype(np.float16)
    return halves.view(np.float16).reshape(clipped.shape)


def from_half(x: npt.ArrayLike) -> Floats:
    """Half floats, or any others, as single ones."""
    values = np.asarray(x)
    if values.dtype != np.float16 or not values.size:
        return np.asarray(values, np.float32)
    flat = np.ascontiguousarray(values).view(np.int16).reshape(-1, 1)
    return np.asarray(cv2.convertFp16(flat), np.float32).reshape(values.shape)
