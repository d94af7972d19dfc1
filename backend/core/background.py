"""The clean background: what a pixel shows in the frames in which nobody and nothing covers it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats

# Shadows darken: where a pixel changes, the start lies near the brightest that was ever seen, ...
_BRIGHT_RANK = 0.9
# ... but not where it only flickers: this many times the usual distance from the median is noise.
_FLICKER = 3.0
# Of the frames in which a pixel is seen, the share with the weakest effects that the background is made of, ...
_CALMEST_SHARE = 0.3
# ... and the strength (density) up to which all frames are as good as the best.
_CALM = 0.02
_INPAINT_RADIUS = 3


@dataclass(frozen=True)
class Estimate:
    """A background and how well it is known."""

    picture: Floats
    """(h, w, 3) display values; 0 where nothing was ever seen."""
    observed: npt.NDArray[np.bool_]
    """(h, w): seen without a body in front in at least one frame."""


def start(frames: Floats, seen: npt.NDArray[np.bool_]) -> Estimate:
    """The closed-form start: the median over time, or the brightest where somebody's shadow may be in the median.

    Args:
        frames: (T, h, w, 3).
        seen: (T, h, w), False where a body is in front.
    """
    ordered, count = _ordered(frames, seen)
    middle, bright = _rank(ordered, count, 0.5), _rank(ordered, count, _BRIGHT_RANK)
    observed = count > 0
    rise = np.where(observed[..., None], np.maximum(bright - middle, 0), 0)
    flicker = _FLICKER * np.median(rise[observed]) if observed.any() else 0
    picture = middle + np.maximum(rise - flicker, 0)
    return Estimate(np.where(observed[..., None], picture, 0).astype(np.float32), observed)


def spread(frames: Floats, seen: npt.NDArray[np.bool_]) -> Floats:
    """How much a pixel changes over time, (h, w): the middle 80 % of its values; 0 where it was never seen."""
    ordered, count = _ordered(frames, seen)
    width = _rank(ordered, count, 0.9) - _rank(ordered, count, 0.1)
    return np.where(count > 1, width.max(-1), 0).astype(np.float32)


def calmest(undone: Floats, seen: npt.NDArray[np.bool_], strength: Floats) -> Estimate:
    """The median over time of the frames in which a pixel's effects are weakest.

    Args:
        undone: (T, h, w, 3) the frames with the known effects taken away.
        seen: (T, h, w).
        strength: (T, h, w) how strong the effects were (largest density of the channels).
    """
    hidden = np.where(seen, strength, np.inf)
    count = seen.sum(0)
    ranked = np.sort(hidden, axis=0)
    limit = _pick(ranked, np.maximum(count - 1, 0) * _CALMEST_SHARE)
    calm = seen & (hidden <= np.maximum(limit, _CALM))
    ordered, chosen = _ordered(undone, calm)
    observed = count > 0
    return Estimate(np.where(observed[..., None], _rank(ordered, chosen, 0.5), 0).astype(np.float32), observed)


def _ordered(frames: Floats, seen: npt.NDArray[np.bool_]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Frames sorted over time with the unseen ones last, and how many were seen."""
    return np.sort(np.where(seen[..., None], frames, np.inf), axis=0), seen.sum(0)


def _rank(ordered: Floats, count: npt.NDArray[np.int64], rank: float) -> Floats:
    """A rank (0..1) of what was seen, 0 where nothing was."""
    ranked = _pick(ordered, (np.maximum(count - 1, 0) * rank)[..., None])
    return np.where(np.isfinite(ranked), ranked, 0).astype(np.float32)


def _pick(ordered: Floats, position: npt.NDArray[np.float64]) -> Floats:
    """The value at a fractional position of an array sorted along axis 0."""
    low = np.floor(position).astype(np.int64)
    below = np.take_along_axis(ordered, np.broadcast_to(low, ordered.shape[1:])[None], 0)[0]
    above = np.take_along_axis(
        ordered, np.broadcast_to(np.ceil(position).astype(np.int64), ordered.shape[1:])[None], 0
    )[0]
    with np.errstate(invalid="ignore"):
        mixed = below + (above - below) * (position - low)
    return np.where(np.isfinite(mixed), mixed, below).astype(np.float32)


def filled(estimate: Estimate) -> Floats:
    """The background with never-seen pixels filled from around them (Telea 2004), (h, w, 3)."""
    holes = ~estimate.observed
    if not holes.any() or holes.all():
        return estimate.picture
    eight_bit = np.round(np.clip(estimate.picture, 0, 1) * 255).astype(np.uint8)
    patched = cv2.inpaint(eight_bit, holes.astype(np.uint8), _INPAINT_RADIUS, cv2.INPAINT_TELEA)
    return np.where(holes[..., None], patched.astype(np.float32) / 255, estimate.picture).astype(np.float32)
