"""What masks get wrong, mended by what the finished layers explain: parts left out, and ground taken along."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats, least, most
from backend.core.opacity import density, least_opacity

# A difference (display values) that nothing explains begins to be, and is, a part of a body; so many times what the
# pixel changes by itself are taken off first. It is looked for up to so many heights of the body from its mask.
_MISSED, _FLICKERS, _REACH = (0.05, 0.1), 3.0, 0.15
_SPECK = 0.8
# What differs less than this from the ground is ground, where it lies at the edge of a mask, to so many heights;
# from the second on it is body.
_GROUND, _EDGE = (0.02, 0.06), 0.05
# A difference is a shadow where the weakest channel is darkened by this share of the strongest, and none by more.
_GREY, _DARKEST_SHADOW = 0.5, 1.0


def missed_parts(
    plate: Floats, explained: Floats, restless: Floats, masks: Floats, whole: Floats
) -> tuple[Floats, Floats]:
    """What masks have left out of bodies: alpha (N, H, W), 0 inside the masks, and straight colour (H, W, 3).

    A hand, a shoe or a bag beside a mask is in the plate, but neither ground nor a known shadow, so nothing explains
    it. It belongs to the person whom it touches and is nearest to. What might be a shadow is as transparent as the
    plate allows: a dark shoe is nearly opaque all the same, and what is left of a shadow keeps its ground.

    Args:
        plate: (H, W, 3) display values.
        explained: (H, W, 3) all layers put together.
        restless: (H, W) how much pixels change by themselves, such as waves and leaves.
        masks: (N, H, W) visible bodies.
        whole: (N, H, W) the same with what others hide of them.
    """
    away = cv2.GaussianBlur(most(np.abs(plate - explained)), (0, 0), _SPECK) - _FLICKERS * restless
    low, high = _MISSED
    body = whole.max(0) > 0.5
    odd = np.clip((away - low) / (high - low), 0, 1) * (masks.max(0) <= 0.5)
    distance = np.stack([_heights_from(one > 0.5) for one in whole])
    beside = (odd > 0) & (distance.min(0) < _REACH)
    beside &= _joined(beside | body, body, 8)
    mine = distance.argmin(0) == np.arange(len(masks))[:, None, None]
    shadow = _darkened(plate, explained)
    opacity, color = least_opacity(plate, explained)
    alpha = odd * np.where(shadow, opacity, 1) * (beside & mine)
    return np.asarray(alpha, np.float32), np.where(shadow[..., None], color, plate).astype(np.float32)


def trimmed(masks: Floats, plate: Floats, ground: Floats, known: Floats, restless: Floats) -> Floats:
    """Masks (N, H, W) without the ground at their edges, which would go along with a body that is retimed.

    Eaten away from outside, until the plate shows something else than the ground.

    Args:
        masks: visible bodies, 0..1.
        plate: (H, W, 3) display values.
        ground: (H, W, 3) the background with everybody's effects on it.
        known: (H, W) 0 or 1: where the background was ever seen.
        restless: (H, W) how much pixels change by themselves.
    """
    away = cv2.GaussianBlur(most(np.abs(plate - ground)), (0, 0), _SPECK) - _FLICKERS * restless
    low, high = _GROUND
    kept = np.where(known > 0, np.clip((away - low) / (high - low), 0, 1), 1).astype(np.float32)
    return np.stack([mask * np.maximum(kept, ~_edible(mask, kept)) for mask in masks])


def _edible(mask: Floats, kept: Floats) -> npt.NDArray[np.bool_]:
    """(H, W): at the edge of a mask, and to be reached from outside through what is not body."""
    outside = mask <= 0.5
    near = _heights_from(~outside, inwards=True) < _EDGE
    open_ground = outside | (near & (kept < 0.5))
    reached = _joined(open_ground, outside, 4)
    # The soft edge of what is left lies next to it.
    return np.asarray(near & (cv2.dilate(reached.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0))


def _joined(area: npt.NDArray[np.bool_], part: npt.NDArray[np.bool_], neighbours: int) -> npt.NDArray[np.bool_]:
    """What of an area (H, W) hangs together with a part of it."""
    count, patches = cv2.connectedComponents(area.astype(np.uint8), connectivity=neighbours)
    touched = np.zeros(count, np.bool_)
    touched[patches[part]] = True
    return np.asarray(touched[patches] & area)


def _darkened(plate: Floats, explained: Floats) -> npt.NDArray[np.bool_]:
    """Where a difference looks like what is left of a shadow."""
    left = density(plate, np.clip(explained, 0, 1))
    weakest, strongest = least(left), most(left)
    return np.asarray((weakest > np.maximum(_GREY * strongest, 0)) & (strongest < _DARKEST_SHADOW))


def _heights_from(body: npt.NDArray[np.bool_], inwards: bool = False) -> Floats:
    """How far each pixel (H, W) is from a body, or from its outside, in heights of it; infinite without one."""
    rows = np.flatnonzero(body.any(1))
    if not len(rows):
        return np.full(body.shape, np.inf, np.float32)
    away = cv2.distanceTransform((body if inwards else ~body).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(away / (rows[-1] - rows[0] + 1), np.float32)
