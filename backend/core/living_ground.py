"""Ground that lives: it changes though nobody does anything to it, as sand does where waves come and go."""

from __future__ import annotations

import cv2
import numpy as np

from backend.core.background import Flags, at_rank, sorted_over_time
from backend.core.color import Floats, least, most, ramp
from backend.core.opacity import FLOOR

# Between these ranks lies all but a little of what the ground shows; so many frames tell them.
_RANKS, _LEAST_FRAMES = (0.1, 0.9), 5
# An effect is believed where it is so many times as deep as what the ground does by itself, but for so much; ground
# does no more than this.
_DRIFTS, _STILL, _MOST = 1.5, 0.02, 0.25
# Between these densities it is a shadow whatever its colour, for instance one in the blue light of the sky.
_DEEP = (0.3, 0.5)
# The weakest channel of a shadow as a share of the strongest, below which it is none.
_COLORED = 0.35
# As many times an effect that is expected, and at least as deep, are far more.
_FAR_MORE, _EXPECTED = (1.5, 3.0), 0.02


def greyness(change: Floats) -> Floats:
    """(h, w) 0..1: how far a change, densities (h, w, 3), is a shadow by its colour.

    A shadow takes about as much of every colour; what does not is something else, such as sand where a wave was.
    """
    even = least(change) / np.maximum(most(change), 1e-3)
    return np.asarray(np.clip((even - _COLORED) / (1 - 2 * _COLORED), 0, 1), np.float32)


def drift(frames: Floats, free: Flags, alone: Flags) -> Floats:
    """How much ground changes in the course of a clip by itself, (h, w) as a density; 0 where nothing tells.

    Args:
        frames: (T, h, w, 3) display values, without grain; what is darker than black counts as black.
        free: (T, h, w), True where the ground is seen and no effect is expected. There may be one, so that only
            what is no shadow by its colour counts.
        alone: (T, h, w), True where moreover nobody is near.
    """
    light = np.log(np.maximum(frames, 0) + FLOOR)
    near = _spread(light, free)
    return np.asarray(np.maximum(most(_spread(light, alone)), most(near) * (1 - greyness(near))), np.float32)


def _spread(light: Floats, counts: Flags) -> Floats:
    """Between which ranks the logarithms of light (T, h, w, 3) lie in the frames that count, (h, w, 3)."""
    ordered, number = sorted_over_time(light, counts)
    low, high = (at_rank(ordered, number, rank) for rank in _RANKS)
    return np.where((number >= _LEAST_FRAMES)[..., None], high - low, 0)


def beyond(effects: Floats, drifts: Floats) -> Floats:
    """(h, w) 0..1: where effects (h, w, 3) are more than what the ground does by itself, see ``drift``."""
    limit = np.clip(_DRIFTS * drifts - _STILL, 1e-4, _MOST)
    return ramp(most(np.abs(effects)) / limit, 1, 2)


def something_else(change: Floats, expected: Floats) -> Floats:
    """(h, w) 0..1: where a faint shadow is expected, and the plate changes by far more, and not as a shadow does.

    Args:
        change: (h, w, 3) density of the plate over the background.
        expected: (h, w, 3) of all effects together.
    """
    around = np.asarray(cv2.GaussianBlur(change, (0, 0), 1), np.float32)
    depth = most(np.abs(around))
    times = depth / np.maximum(most(np.abs(expected)), _EXPECTED)
    shallow = 1 - ramp(depth, *_DEEP)
    return np.asarray(ramp(times, *_FAR_MORE) * shallow * (1 - greyness(around)) * greyness(expected), np.float32)
