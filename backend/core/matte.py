"""A person's own pixels: soft edges and their clean colour, and body and effects joined into one layer."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from backend.core.boxes import box_of
from backend.core.color import Floats, ramp
from backend.core.opacity import least_opacity
from backend.core.silhouettes import others

_SOLID = np.float32(0.95)
_EDGE_BLUR = 2.0
# A blur by one pixel takes no more than so many into account.
_BLUR_REACH = 5
# Alpha below which an edge's own colour begins to give way to that just inside the body.
_LEAST_TRUSTED = np.float32(0.02)
# A body that covers a little of a pixel covers up to so many times as much in display values.
_MOST_GROWN = np.float32(3)
# A colour from inside is carried to an edge where so much of a body's solid part is near.
_CARRIED = (0.001, 0.01)
# The edge of a mask is looked for so many pixels in and one out, from colours further inside that are carried so far,
# or so many times more in pictures more than so wide; ...
_EDGE_IN, _INSIDE_BLUR, _WIDE = 2, 2.0, 960
# ... believed between these differences of body and ground, up to these misfits of any mixture of both (display
# values), and where so much of the body's own colour is near; and not where this much of others is.
_TOLD, _MISFIT, _NEAR, _OTHERS = (0.1, 0.25), (0.04, 0.1), (0.02, 0.08), 0.05
# An edge's colour can be told from all layers together where the layer is no more transparent than this, and where what
# lies in front of it lets through between these shares: the shadows of others are not in anybody's own colours.
_LEAST_SHOWN, _CLEAR = np.float32(0.005), (0.8, 0.95)


def spread(values: Floats, weight: Floats, sigma: float) -> Floats:
    """Carry values (H, W, C) from where ``weight`` (H, W) is high to its surroundings: a normalised blur."""
    blurred = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    total = cv2.GaussianBlur(np.ascontiguousarray(weight, np.float32), (0, 0), sigma)
    return np.asarray(blurred / np.maximum(total, 1e-6)[..., None], np.float32)


def softened(masks: Floats, plate: Floats, ground: Floats) -> Floats:
    """Masks (N, H, W) with edges as soft as the plate shows them, where body and ground differ clearly.

    The compositing equation solved for alpha, with the body's colour from just inside and the ground that lies there.

    Args:
        masks: visible bodies, 0..1, soft or not.
        plate: (H, W, 3) display values.
        ground: (H, W, 3) the background with everybody's effects on it; just inside a mask, made up will do.
    """
    scale, soft = max(1.0, max(plate.shape) / _WIDE), masks.copy()
    for person, mask in enumerate(masks):
        # Nothing changes further from the body than the blur reaches.
        here = box_of(mask > 0, round(scale * _BLUR_REACH * _INSIDE_BLUR))
        if mask.any():
            soft[person][here] = _softened(mask[here], others(masks, person)[here], plate[here], ground[here], scale)
    return soft


def _softened(mask: Floats, rest: Floats, plate: Floats, ground: Floats, scale: float) -> Floats:
    reach, blur, small = round(scale), _INSIDE_BLUR * scale, np.ones((3, 3), np.uint8)
    solid = (mask > np.float32(0.5)).astype(np.uint8)
    inside = np.asarray(cv2.erode(solid, small, iterations=_EDGE_IN * reach), np.float32)
    apart = cv2.dilate((rest > _OTHERS).astype(np.uint8), small, iterations=reach) == 0
    band = (cv2.dilate(solid, small, iterations=reach) > 0) & (inside == 0) & apart
    differs = spread(plate, inside, blur) - ground
    squared = np.asarray((differs**2).sum(-1), np.float32)
    alpha = np.clip(((plate - ground) * differs).sum(-1) / np.maximum(squared, 1e-4), 0, 1)
    misfit = np.sqrt(((plate - ground - alpha[..., None] * differs) ** 2).mean(-1))
    near = np.asarray(cv2.GaussianBlur(inside, (0, 0), blur), np.float32)
    trust = ramp(np.sqrt(squared / 3), *_TOLD) * (1 - ramp(misfit, *_MISFIT)) * ramp(near, *_NEAR) * band
    return np.asarray(mask + trust * (alpha - mask), np.float32)


def edge_alpha(plate: Floats, alpha: Floats, behind: Floats) -> Floats:
    """Alpha (H, W) of a body, at its soft edges as large as it must be for any colour to explain the plate.

    Light mixes at an edge in linear values, where something bright before something dark counts for more than its share
    of the display values that layers are put together in.

    Args:
        plate: (H, W, 3) display values.
        alpha: (H, W) share of each pixel that the body covers, 0..1.
        behind: (H, W, 3) what lies behind it.
    """
    here, grown = box_of(alpha > 0), alpha.copy()
    needed, _ = least_opacity(plate[here], behind[here])
    grown[here] = np.maximum(alpha[here], np.minimum(_MOST_GROWN * alpha[here], needed))
    return grown


def body_color(plate: Floats, alpha: Floats, behind: Floats) -> Floats:
    """Straight colour (H, W, 3) of a body, free of what shines through its soft edge; the plate's where no body is.

    The compositing equation solved for the foreground. An error in it counts only ``alpha`` times when the body is laid
    over another background, so it is trusted down to an alpha where nothing of the body is left to be seen.
    """
    color, here = plate.copy(), box_of(alpha > 0, round(_BLUR_REACH * _EDGE_BLUR))
    if alpha.any():
        color[here] = _body_color(plate[here], alpha[here], behind[here])
    return color


def _body_color(plate: Floats, alpha: Floats, behind: Floats) -> Floats:
    a = alpha[..., None]
    solved = np.clip((plate - (1 - a) * behind) / np.maximum(a, _LEAST_TRUSTED), 0, 1)
    inside = spread(plate, (alpha > _SOLID).astype(np.float32), _EDGE_BLUR)
    trust = np.clip(a / _LEAST_TRUSTED - 1, 0, 1)
    return np.where(a > _SOLID, plate, trust * solved + (1 - trust) * inside).astype(np.float32)


def edge_neighbours(plate: Floats, mask: Floats, front: Floats, behind: Floats) -> Floats:
    """(H, W, 3): what the soft edge of a body is mixed with, behind it or, where somebody stands in front, before it.

    Args:
        plate: (H, W, 3) display values.
        mask: (H, W) share of each pixel that the visible body covers, 0..1.
        front: (H, W) what those in front of it cover.
        behind: (H, W, 3) what lies behind the body.
    """
    if not front.any():
        return behind
    share = (np.minimum(front, 1 - mask) / np.maximum(1 - mask, 1e-3))[..., None]
    return np.asarray(behind + share * (inner_color(plate, front) - behind), np.float32)


def inner_color(plate: Floats, alpha: Floats) -> Floats:
    """A plate (H, W, 3) in which the soft edge of a body with ``alpha`` (H, W) has the colours just inside it.

    For a body that is taken elsewhere, where what lies behind its edge here would come along. Where nothing of it is
    solid near an edge, as at fingers, nothing changes.
    """
    color, here = plate.copy(), box_of(alpha > 0, round(_BLUR_REACH * _EDGE_BLUR))
    if alpha.any():
        solid = (alpha[here] > _SOLID).astype(np.float32)
        near = np.asarray(cv2.GaussianBlur(solid, (0, 0), _EDGE_BLUR), np.float32)
        share = ((1 - solid) * ramp(near, *_CARRIED))[..., None]
        color[here] += share * (spread(plate[here], solid, _EDGE_BLUR) - plate[here])
    return color


def join(front_alpha: Floats, front: Floats, back_alpha: Floats, back: Floats) -> tuple[Floats, Floats]:
    """One straight-colour layer over another as a single one: alpha (H, W) and colour (H, W, 3)."""
    behind = (1 - front_alpha) * back_alpha
    alpha = front_alpha + behind
    color = (front * front_alpha[..., None] + back * behind[..., None]) / np.maximum(alpha, 1e-6)[..., None]
    return alpha.astype(np.float32), np.clip(color, 0, 1).astype(np.float32)


def edges_as_seen(
    plate: Floats, background: Floats, color: Floats, alpha: Floats, bodies: Floats, order: Sequence[int]
) -> Floats:
    """Straight colours (N, H, W, 3) of layers with which, at bodies' soft edges, they together show the plate.

    Each body's edge was unmixed from effects that were predicted, but lies over those that the plate sharpened: what
    that leaves over, which is little, is the edge's.

    Args:
        plate: (H, W, 3) display values.
        background: (H, W, 3).
        color: (N, H, W, 3) straight, and alpha: (N, H, W) of the layers.
        bodies: (N, H, W) alpha of the bodies in them.
        order: the layers from back to front.
    """
    shown = background
    for person in order:
        shown = color[person] * alpha[person][..., None] + (1 - alpha[person][..., None]) * shown
    left, through, told = plate - shown, np.ones_like(alpha[0]), color.copy()
    for person in reversed(order):
        share = alpha[person] * through
        here = ramp(through, *_CLEAR) * ((bodies[person] > 0) & (bodies[person] < 1) & (share > _LEAST_SHOWN))
        wanted = left * (here / np.maximum(share, _LEAST_SHOWN))[..., None]
        told[person] = np.clip(color[person] + wanted, 0, 1)
        left = left - share[..., None] * (told[person] - color[person])
        through = through * (1 - alpha[person])
    return told
