"""Ground that no frame shows, made up from what lies around it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from backend.core.boxes import box_of
from backend.core.color import Floats
from backend.core.inpaint_ways import USUAL_SAY, Flags, ways

Learned = Callable[[Floats, Flags], Floats]
"""A way that was learned: from a picture (h, w, 3; display 0..1) and its holes (h, w) to the filled picture."""

# How much the learned way usually has to say.
_LEARNED_SAY = 0.4
# How dear it is that a way has more or less to say than usual.
_USUAL = 0.1
# Ways are tried where so much of the holes, moved sideways, lies on known ground; in steps of this share of the width.
_TESTED, _STEP = 0.7, 1 / 112
# Next to a hole lies the edge of what covers it.
_EDGE = 4
_DESCENTS, _RATE = 500, 0.2
# A way that is off by so much (display values) from what all say together has half as much to say; told by what is
# around, to so great a share of the picture's length.
_DOUBT, _AROUND, _VOTES = 0.06, 1 / 150, 3


def textured(picture: Floats, holes: Flags, known: Flags, rehearsals: int, learned: Learned) -> Floats:
    """Holes filled so that patterns go on.

    Several ways that err differently (``inpaint_ways``), and one that was learned from other places. How much each has
    to say is rehearsed on holes of the same shape in known ground beside them. Then they vote, place by place: who says
    something else than the others has little to say.

    Args:
        picture: (h, w, 3), display 0..1.
        holes: (h, w), what to fill.
        known: (h, w), where the picture is that of the clip.
        rehearsals: so many places at most tell how much each way has to say.
        learned: the way that was learned.
    """
    if not holes.any() or holes.all():
        return picture
    beside = _elsewhere(holes, known, rehearsals)
    many = [holes, *(holes | there for there in beside)]
    performed, *rehearsed = (
        [*filled, learned(picture, each)[box_of(each)]] for filled, each in zip(ways(picture, many), many, strict=True)
    )
    usual = np.array([*((1 - _LEARNED_SAY) * say for say in USUAL_SAY), _LEARNED_SAY], np.float32)
    say = _rehearsed(picture, holes, beside, rehearsed, usual)
    box = box_of(holes)
    voted = np.clip(_voted(performed, say, holes), 0, 1)
    filled = picture.copy()
    filled[box] = np.where(holes[box][..., None], voted, picture[box])
    return filled


def _rehearsed(
    picture: Floats, holes: Flags, beside: list[Flags], rehearsed: list[list[Floats]], usual: Floats
) -> Floats:
    """How much each way should say, that their mean be next to known ground under holes beside the true ones.

    Exponentiated gradient descent (Kivinen and Warmuth 1997): shares stay shares.
    """
    errors = []
    for there, filled in zip(beside, rehearsed, strict=True):
        box = box_of(holes | there)
        errors.append([(way - picture[box])[there[box]].ravel() for way in filled])
    if not errors:
        return usual
    together = np.concatenate(errors, axis=1)
    cost = together @ together.T
    cost /= max(float(np.trace(cost)) / len(cost), 1e-9)
    say = usual
    for _ in range(_DESCENTS):
        say = say * np.exp(-_RATE * (cost @ say + _USUAL * (say - usual)))
        say /= say.sum()
    return np.asarray(say, np.float32)


def _elsewhere(holes: Flags, known: Flags, count: int) -> list[Flags]:
    """The holes moved sideways onto known ground, as little as possible, and not twice to the same place."""
    width = holes.shape[1]
    side = 2 * _EDGE + 1
    ground = known & (cv2.dilate(holes.astype(np.uint8), np.ones((side, side), np.uint8)) == 0)
    step, found = max(1, round(width * _STEP)), list[Flags]()
    for way in sorted(range(-width + step, width, step), key=abs):
        if len(found) == count:
            break
        moved = np.zeros_like(holes)
        moved[:, max(0, way) : width + min(0, way)] = holes[:, max(0, -way) : width + min(0, -way)]
        there = moved & ground
        if there.sum() > _TESTED * holes.sum() and not any(there[other].mean() > 0.5 for other in found):
            found.append(there)
    return found


def _voted(filled: list[Floats], say: Floats, holes: Flags) -> Floats:
    """A mean of pictures, each with its say; place by place, those far from it weigh little (Weiszfeld 1937)."""
    blur, inside = _AROUND * max(holes.shape), holes[box_of(holes)]
    weights = [np.full(inside.shape, share, np.float32) for share in say]
    for _ in range(_VOTES):
        mean = _weighted(filled, weights)
        unlike = [cv2.GaussianBlur(((way - mean) ** 2).mean(-1) * inside, (0, 0), blur) for way in filled]
        weights = [share / (np.float32(_DOUBT**2) + off) for share, off in zip(say, unlike, strict=True)]
    return _weighted(filled, weights)


def _weighted(filled: list[Floats], weights: list[Floats]) -> Floats:
    total = np.sum(weights, axis=0)[..., None]
    return np.asarray(sum(way * (w[..., None] / total) for way, w in zip(filled, weights, strict=True)), np.float32)
