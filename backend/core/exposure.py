"""How a camera's exposure and white balance change during a clip."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.side_by_side import over

# Only well exposed pixels tell: what is clipped or black does not follow the exposure.
_WELL_EXPOSED = (0.08, 0.9)
# Frames that the steady picture is made from, and how often picture and gains are adapted to each other.
_SAMPLES = 48
_ROUNDS = 4
# A camera that changes less than this (log of display values) is taken for steady: noise must not become a change.
_STEADY = 0.006


def exposure_gains(plate: Floats, bodies: Floats, camera: Camera) -> Floats:
    """What every frame's display values are multiplied by, compared with the clip's middle: (T, 3).

    Exposure multiplies light; in display values, which are nearly a power of light, it is a factor as well. Shadows and
    people are few, so the median over the picture does not see them.

    Args:
        plate: (T, h, w, 3) display values.
        bodies: (T, h, w) 0..1, left out.
        camera: for pictures of that size.
    """
    frames = np.arange(len(plate))
    samples = np.unique(np.linspace(0, frames[-1], _SAMPLES).round().astype(int))
    laid = np.stack([camera.onto_canvas(plate[t], t) for t in samples])
    open_ground = np.stack([camera.onto_canvas(1 - bodies[t], t) > 0.99 for t in samples])
    open_ground &= np.stack([camera.covers(int(t)) for t in samples])
    laid[~open_ground] = np.nan
    gains = np.ones((len(plate), 3), np.float32)
    for _ in range(_ROUNDS if camera.moving else 1):
        steady = _median(laid / gains[samples][:, None, None])
        views = (camera.from_canvas(steady, t) for t in frames)
        gains = np.stack(list(over(lambda each: _gain(*each), zip(plate, bodies, views, strict=True))))
        gains /= np.median(gains, 0)
    if np.abs(np.log(gains)).max() < _STEADY:
        return np.ones_like(gains)
    return np.asarray(gains, np.float32)


def _median(laid: Floats) -> Floats:
    """The median over time of what is known (NaN elsewhere), 0 where nothing is."""
    known = np.sum(~np.isnan(laid), 0)
    ordered = np.sort(laid, 0)
    middle = np.take_along_axis(ordered, (np.maximum(known - 1, 0) // 2)[None], 0)[0]
    return np.where(known > 0, middle, 0).astype(np.float32)


def _gain(plate: Floats, bodies: Floats, steady: Floats) -> npt.NDArray[np.float32]:
    """The factor per channel, 1 where too little of the picture tells."""
    low, high = _WELL_EXPOSED
    usable = (bodies < 0.01) & (steady.min(-1) > low) & (np.maximum(steady, plate).max(-1) < high)
    if usable.mean() < 0.05:
        return np.ones(3, np.float32)
    ratios = plate[usable] / steady[usable]
    return np.asarray(np.median(ratios, 0), np.float32)
