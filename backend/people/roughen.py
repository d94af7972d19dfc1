"""How masks go wrong: true ones spoilt in the ways in which found ones are, so that mending them can be learned."""

from __future__ import annotations

import cv2
import numpy as np

from backend.core.color import Floats

# Shares of the body's height.
_SHIFT, _SWELL, _BITE = 0.02, 0.025, (0.03, 0.16)
_BITES = 4
_TAKEN_SHADOW, _TAKEN_NEIGHBOUR, _LOST_FEET = 0.35, 0.3, 0.15
_FAITHFUL = 0.1


def roughened(rng: np.random.Generator, mask: Floats, others: Floats, changed: Floats) -> Floats:
    """A mask (h, w) 0..1 as it might have been found.

    Args:
        rng: chooses what goes wrong.
        mask: the true one.
        others: (h, w) everybody else.
        changed: (h, w) how much each pixel differs from the empty scene, 0..1: what is easily taken for a body.
    """
    rows = np.flatnonzero(mask.max(1) > 0.5)
    if not len(rows) or rng.random() < _FAITHFUL:
        return mask
    height = float(rows[-1] - rows[0] + 1)
    # Some are nearly right, others hardly show where the body is.
    much = rng.uniform(0.1, 1)
    rough = _swollen(rng, _moved(rng, mask, height, much), height, much)
    for _ in range(rng.integers(0, 1 + round(_BITES * much))):
        bite = _ellipse(rng, mask, height)
        gain = np.maximum(changed, 0.7 * float(rng.random() < 0.3))
        rough = rough * (1 - bite) if rng.random() < 0.5 else np.maximum(rough, bite * gain)
    if rng.random() < _TAKEN_SHADOW * much:
        rough = np.maximum(rough, _wide(rng, mask, height) * changed * rng.uniform(0.5, 1))
    if rng.random() < _TAKEN_NEIGHBOUR:
        rough = _neighbourly(rng, rough, others, height)
    if rng.random() < _LOST_FEET:
        rough = rough.copy()
        rough[round(rows[-1] - rng.uniform(0.02, 0.12) * height) :] = 0
    soft = cv2.GaussianBlur(rough, (0, 0), float(rng.uniform(0.3, 0.02 * much * height + 0.6)))
    steep = (soft - 0.5) * rng.uniform(1, 2.5) + rng.uniform(0.4, 0.55)
    return np.asarray(np.clip(steep, 0, 1) * (soft > 0.05), np.float32)


def _moved(rng: np.random.Generator, mask: Floats, height: float, much: float) -> Floats:
    turn, grow = rng.normal(0, 0.02 * much), np.exp(rng.normal(0, 0.02 * much))
    rows, columns = np.nonzero(mask > 0.5)
    center = float(columns.mean()), float(rows.mean())
    matrix = np.asarray(cv2.getRotationMatrix2D(center, float(np.degrees(turn)), grow), np.float64)
    matrix[:, 2] += rng.normal(0, _SHIFT * much * height, 2)
    return np.asarray(cv2.warpAffine(mask, matrix, mask.shape[::-1]), np.float32)


def _swollen(rng: np.random.Generator, mask: Floats, height: float, much: float) -> Floats:
    """Larger here and smaller there."""
    coarse = ((rng.normal(0, 0.5, (5, 5)) + rng.normal(0, 0.2)) * much).astype(np.float32)
    field = cv2.resize(coarse, mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.5, float(rng.uniform(0.3, 1)) * _SWELL * height * much))
    return np.asarray(np.clip((soft - 0.5 + 0.5 * field) * 4 + 0.5, 0, 1) * (soft > 0.02), np.float32)


def _ellipse(rng: np.random.Generator, mask: Floats, height: float) -> Floats:
    """A soft spot somewhere at the rim of the body."""
    rim = cv2.morphologyEx((mask > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero(rim)
    spot = np.zeros(mask.shape, np.float32)
    if not len(rows):
        return spot
    pick = rng.integers(len(rows))
    axes = [max(1, round(v)) for v in rng.uniform(*_BITE, 2) * height]
    cv2.ellipse(spot, (int(columns[pick]), int(rows[pick])), axes, float(rng.uniform(0, 180)), 0, 360, (1.0,), -1)
    return spot


def _wide(rng: np.random.Generator, mask: Floats, height: float) -> Floats:
    """The surroundings of a body, more of them below."""
    reach = max(3, round(float(rng.uniform(0.05, 0.35)) * height)) | 1
    near = cv2.dilate(mask, np.ones((max(3, reach // 2) | 1, reach), np.uint8))
    rows = np.flatnonzero(mask.max(1) > 0.5)
    level = np.arange(mask.shape[0]) > rows[-1] - rng.uniform(0.05, 0.6) * height
    return np.asarray(near * level[:, None], np.float32)


def _neighbourly(rng: np.random.Generator, rough: Floats, others: Floats, height: float) -> Floats:
    """Part of a neighbour taken, or part of the body given away."""
    if others.max() < 0.5:
        return rough
    spot = _ellipse(rng, others, 2 * height)
    return np.asarray(np.maximum(rough, spot * others), np.float32)
