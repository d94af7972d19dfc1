"""How much a shadow or a reflection takes away from what lies behind it, and whose doing that is.

An effect is a *signed density* s per pixel and channel, so that the effects of several people add up: a positive
s darkens the background by exp(-s), a negative one brightens, that is darkens the background's complement.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats, least, most, ramp
from backend.core.one_by_one import picture_by_picture

# Keeps the logarithm calm in black and in white pixels, where noise would read as a strong effect.
FLOOR = np.float32(1 / 32)
# Densities below this are noise rather than evidence for how strong an effect really is; so are differences (display
# values) of this much, as compression leaves them, which is a large density in the dark.
_NOISE, _GRAIN = np.float32(0.02), np.float32(0.01)
_LARGEST_CORRECTION = np.float32(5)
# So many times what a pixel changes by itself are more than that. In the dark at least so much (display values) is
# taken for it, since compression comes and goes.
_FLICKERS, _COMPRESSION = 3.0, 0.01
# A prediction fades out between these densities: below lies what the network could not quite bring to zero. Where a
# body hides the background nothing can be checked, and more is asked of it.
_FAINT_SEEN = (0.005, 0.02)
_FAINT_HIDDEN = (0.08, 0.2)
# An effect of this density that takes no more than this share of the picture, and is at least this share of its width
# away from any body, is a speck of noise.
_SPECK_DENSITY, _SPECK_AREA, _SPECK_APART = 0.05, 2e-4, 0.01
# Where somebody else's effect is this much stronger, the rest is theirs too.
_CONTESTED = (0.08, 0.3)


@picture_by_picture
def density(plate: Floats, background: Floats) -> Floats:
    """The signed density that turns the background into the plate; both of any shape, display values 0..1."""
    dark = np.log((background + FLOOR) / np.maximum(plate + FLOOR, 1e-4))
    bright = np.log(np.maximum(1 - plate + FLOOR, 1e-4) / (1 - background + FLOOR))
    return np.where(plate < background, dark, bright).astype(np.float32)


def with_density(background: Floats, signed: Floats) -> Floats:
    """The background seen through an effect, 0..1."""
    return _scaled(background, np.exp(-np.abs(signed)), signed > 0)


@picture_by_picture
def without_density(plate: Floats, signed: Floats) -> Floats:
    """What lies behind an effect of known density, 0..1: the inverse of ``with_density``."""
    return _scaled(plate, np.exp(np.abs(signed)), signed > 0)


def most_undone(picture: Floats, signed: Floats) -> Floats:
    """How much density of the sign of ``signed`` can be undone in a picture until it is white or black; any shape."""
    left = np.maximum(np.where(signed > 0, picture, 1 - picture), 0)
    return np.asarray(np.log((1 + FLOOR) / (left + FLOOR)), np.float32)


def flicker(picture: Floats, restless: Floats) -> Floats:
    """The density (H, W) up to which a change of a picture (H, W, 3) is no more than its pixels' own flicker.

    ``restless`` (H, W) is how much they change by themselves, in display values; that weighs more in the dark, as
    density does.
    """
    light = least(picture) + FLOOR
    return np.asarray(np.maximum(_FLICKERS * restless, _COMPRESSION * FLOOR / light) / light, np.float32)


def _scaled(picture: Floats, factor: Floats, dark: npt.NDArray[np.bool_]) -> Floats:
    darker = (picture + FLOOR) * factor - FLOOR
    brighter = 1 + FLOOR - (1 - picture + FLOOR) * factor
    return np.clip(np.where(dark, darker, brighter), 0, 1).astype(np.float32)


def stronger(one: Floats, other: Floats) -> Floats:
    """The stronger of two signed densities, place by place; both of any shape."""
    return np.where(np.abs(one) >= np.abs(other), one, other)


def corrected(predicted: Floats, together: Floats, plate: Floats, background: Floats, seen: Floats) -> Floats:
    """Sharpen predicted effects by the evidence: the plate tells how strong, the prediction tells whose.

    Where several shadows overlap, each keeps its own full strength, since the sum they predict together
    (``together``) already knows that a place in full shadow gets no darker.

    Args:
        predicted: (N, H, W, 3) signed density of each person's effect.
        together: (H, W, 3) signed density of all of them at once.
        plate: (H, W, 3) display values.
        background: (H, W, 3) the same without people.
        seen: (H, W) 0..1, 1 where the background is visible (no body in front).

    Returns:
        (N, H, W, 3) densities.
    """
    observed = density(plate, background)
    noise = np.maximum(_NOISE, _GRAIN / (background + FLOOR)) ** 2
    ratio = (observed * together + noise) / (together**2 + noise)
    ratio = np.clip(ratio, 0, _LARGEST_CORRECTION)
    return np.asarray(predicted * (1 + seen[..., None] * (ratio - 1)), np.float32)


def settled(predicted: Floats, seen: Floats, others: Floats) -> Floats:
    """Predicted effects without their faint remains, and with each place left to those who really reach it.

    Args:
        predicted: (N, H, W, 3) signed density of each person's effect.
        seen: (H, W) 0..1, 1 where the background is visible.
        others: (N, H, W) 0..1, 1 where the body of somebody else than each person hides it.
    """
    strength = most(np.abs(predicted))
    faint = ramp(strength, *_FAINT_SEEN)
    clear = seen * faint + (1 - seen) * ramp(strength, *_FAINT_HIDDEN)
    share = strength / np.maximum(strength.max(0), 1e-6)
    keep = np.maximum(clear * ramp(share, *_CONTESTED), others * faint)
    return np.asarray(predicted * keep[..., None], np.float32)


def least_opacity(solo: Floats, background: Floats) -> tuple[Floats, Floats]:
    """The most transparent layer that turns the background into ``solo``, both (H, W, 3).

    Returns:
        alpha (H, W) 0..1 and straight colour (H, W, 3) 0..1.
    """
    tiny = np.float32(1e-3)
    darker = (background - solo) / np.maximum(background, tiny)
    brighter = (solo - background) / np.maximum(1 - background, tiny)
    alpha = np.clip(most(np.maximum(darker, brighter)), 0, 1)
    color = (solo - (1 - alpha[..., None]) * background) / np.maximum(alpha[..., None], tiny)
    return alpha.astype(np.float32), np.clip(color, 0, 1).astype(np.float32)


def without_specks(signed: Floats, seen: Floats) -> Floats:
    """Effects (N, H, W, 3) without specks away from bodies: in the dark, noise reads as a strong effect.

    ``seen`` (H, W) is 0 where a body hides the background; what lies beside one is its contact with the ground.
    """
    height, width = seen.shape
    reach = 2 * round(_SPECK_APART * width) + 1
    by_body = cv2.erode(seen, np.ones((reach, reach), np.uint8)) == 0
    kept = signed.copy()
    for effect in kept:
        strong = (most(np.abs(effect)) > _SPECK_DENSITY).astype(np.uint8)
        _, patches, stats, _ = cv2.connectedComponentsWithStats(strong)
        speck = stats[:, cv2.CC_STAT_AREA] < _SPECK_AREA * height * width
        speck[0] = False
        speck[patches[by_body]] = False
        effect[speck[patches]] = 0
    return kept
