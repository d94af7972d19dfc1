"""Steadiness in time: how much a layer's opacity changes from frame to frame where an effect lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.scenes import Scene

Image = NDArray[np.float32]

EFFECT_LEVEL = 12 / 255
BODY_LEVEL = 0.02
NOISE_LEVEL = 2.5 / 255


@dataclass(frozen=True)
class Flicker:
    """Mean change of opacity from frame to frame in all effects: ours, the true one, and how far the two differ."""

    ours: float
    truth: float
    error: float


def least_alpha(picture: Image, background: Image) -> Image:
    """The smallest opacity that can turn the background into the picture: (H, W), 0..1."""
    change = picture - background
    room = np.where(change < 0, np.maximum(background, 1e-3), np.maximum(1 - background, 1e-3))
    needed = np.clip((np.abs(change) / room).max(axis=2), 0, 1)
    return np.where(np.abs(change).max(axis=2) < NOISE_LEVEL, 0, needed).astype(np.float32)


def flicker(scene: Scene, alpha: Callable[[str, int], Image]) -> Flicker:
    """Compare the steadiness of a decomposition with the truth's.

    Args:
        scene: an unpacked scene.
        alpha: gives the (H, W) opacity of a person's layer in a frame (0-based).
    """
    changes = [_changes(scene, index, partial(alpha, person)) for index, person in enumerate(scene.people)]
    ours, truth, error, pixels = (sum(values) for values in zip(*changes, strict=True))
    return Flicker(ours / max(pixels, 1), truth / max(pixels, 1), error / max(pixels, 1))


def effect_region(scene: Scene, index: int, frame: int) -> NDArray[np.bool_]:
    """Where a person's shadow or reflection lies, the body left out: (H, W)."""
    solo, background = scene.picture(f"solo_{index}", frame), scene.picture("background", frame)
    body = cv2.dilate((scene.matte(f"amodal_{index}", frame) > BODY_LEVEL).astype(np.uint8), np.ones((3, 3), np.uint8))
    region: NDArray[np.bool_] = (np.abs(solo - background).max(axis=2) > EFFECT_LEVEL) & (body == 0)
    return region


def _changes(scene: Scene, index: int, alpha: Callable[[int], Image]) -> tuple[float, float, float, float]:
    """Sums over one person's effects in all frames: our changes, the true ones, their differences, and the pixels."""
    ours = truth = error = pixels = 0.0
    before = (effect_region(scene, index, 0), alpha(0), _true_alpha(scene, index, 0))
    for frame in range(1, scene.frames):
        now = (effect_region(scene, index, frame), alpha(frame), _true_alpha(scene, index, frame))
        region = before[0] | now[0]
        our_change, true_change = now[1] - before[1], now[2] - before[2]
        ours += float(np.abs(our_change)[region].sum())
        truth += float(np.abs(true_change)[region].sum())
        error += float(np.abs(our_change - true_change)[region].sum())
        pixels += float(region.sum())
        before = now
    return ours, truth, error, pixels


def _true_alpha(scene: Scene, index: int, frame: int) -> Image:
    effect = least_alpha(scene.picture(f"solo_{index}", frame), scene.picture("background", frame))
    return np.maximum(effect, scene.matte(f"amodal_{index}", frame))
