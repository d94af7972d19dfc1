"""One layer between two frames: both neighbours moved along their own paths, and put together where they meet."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.core.color import Floats
from backend.core.matching import dense_search, displaced

_TRUSTED = 3.0
"""There and back again, a displacement may miss its beginning by about so many pixels."""
_LEAST_TRUST = 0.8
"""What lies at the end of a way that is not to be believed still counts so much: a soft limb beats a wrong one."""
_AGREEMENT = 1.5
"""How quickly a way counts less the more its two ends differ."""
_SETTLINGS = 2
"""So many times both sides are brought to where they meet."""
_SPREADS = (1, 2, 4, 8, 16)
"""How far, in pixels, the displacements of what is seen reach into what is not."""


@dataclass(frozen=True)
class Motion:
    """How a layer moves around one interval, each (H, W, 2) in pixels, x and y.

    ``forward`` leads from the frame before the in-between to the one after it, ``backward`` the other way.
    ``earlier`` leads from the frame before to the one before that, ``later`` from the frame after to the next;
    None at the ends of the clip. With them people speed up and slow down between frames instead of at them.
    """

    forward: Floats
    backward: Floats
    earlier: Floats | None = None
    later: Floats | None = None


@dataclass(frozen=True)
class _Paths:
    """Seen from the in-between: where a pixel came from, where it goes, and how far that is to be believed."""

    start: Floats
    end: Floats
    trust: Floats
    covered: Floats


@dataclass(frozen=True)
class _Side:
    """One frame's view of the in-between: itself and the other one moved there, how far both are to be believed."""

    near: Floats
    far: Floats
    trust: Floats
    covered: Floats
    part: float


def between(before: Floats, after: Floats, motion: Motion, share: float) -> Floats:
    """A layer between two frames.

    Args:
        before: (H, W, 4) premultiplied display colour and alpha.
        after: the same of the next frame.
        motion: see ``Motion``; its fields may be smaller than the layer by a whole factor of any size.
        share: 0 at the frame before, 1 at the one after.

    Returns:
        (H, W, 4) premultiplied display colour and alpha.
    """
    sides = (
        _side(before, after, motion.forward, motion.backward, motion.earlier, share),
        _side(after, before, motion.backward, motion.forward, motion.later, 1 - share),
    )
    total = np.zeros_like(before)
    weights = np.zeros((*before.shape[:2], 1), np.float32)
    for side, settled in zip(sides, _settled(sides, motion.forward), strict=True):
        share_far = side.part * np.maximum(side.trust, _LEAST_TRUST)
        picture = ((1 - side.part) * settled + share_far * side.far) / ((1 - side.part) + share_far)
        unlike = cv2.blur(np.abs(side.near - side.far).sum(-1), (5, 5))[..., None]
        weight = (1 - side.part) * np.minimum(side.covered, 1) * np.exp(-_AGREEMENT * unlike) + np.float32(1e-3)
        total, weights = total + picture * weight, weights + weight
    return _premultiplied(total / weights)


def _side(near: Floats, far: Floats, there: Floats, back: Floats, away: Floats | None, part: float) -> _Side:
    """Both frames as the displacements of the near one bring them to the in-between, a part (0..1) of the way on."""
    start, end, trust, covered = _as_large(_paths(_alpha_like(near, there), there, back, away, part), near)
    return _Side(displaced(near, start), displaced(far, end), trust, covered, part)


def _settled(sides: tuple[_Side, _Side], like: Floats) -> list[Floats]:
    """Both frames at the in-between, brought to where they meet; what is still apart the first time is less so."""
    pictures = [side.near for side in sides]
    for _ in range(_SETTLINGS):
        aparts = [_apart(one, other, like) for one, other in (pictures, pictures[::-1])]
        pictures = [
            displaced(picture, -side.part * apart) for picture, side, apart in zip(pictures, sides, aparts, strict=True)
        ]
    return pictures


def _apart(one: Floats, other: Floats, like: Floats) -> Floats:
    """How far, in pixels, two pictures of one moment are still from each other; looked for at a field's size."""
    (h, w), (small_h, small_w) = one.shape[:2], like.shape[:2]
    small_one, small_other = (
        np.asarray(cv2.resize(x, (small_w, small_h), interpolation=cv2.INTER_AREA), np.float32) for x in (one, other)
    )
    found = dense_search(small_one, small_other, np.zeros((small_h, small_w, 2), np.float32))
    large = cv2.resize(found, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large * np.array([w / small_w, h / small_h], np.float32), np.float32)


def _paths(alpha: Floats, there: Floats, back: Floats, away: Floats | None, part: float) -> _Paths:
    """Carry a frame's displacements to where its pixels are after a part (0..1) of the way."""
    miss = np.linalg.norm(there + displaced(back, there), axis=-1)
    trust = np.exp(-((miss / _TRUSTED) ** 2)).astype(np.float32)
    way = _after(there, away, part)
    carried = _splat(np.dstack([way, there, trust]), way, (alpha + np.float32(0.03)) * (trust + np.float32(0.02)))
    filled = carried.copy()
    for spread in _SPREADS:
        side = 4 * spread + 1
        filled += cv2.blur(carried, (side, side)) * np.float32(0.02 / spread)
    mean = filled[..., :-1] / np.maximum(filled[..., -1:], 1e-9)
    passed, whole = mean[..., :2], mean[..., 2:4]
    return _Paths(-passed, whole - passed, mean[..., 4:5], carried[..., -1:])


def _after(there: Floats, away: Floats | None, part: float) -> Floats:
    """The way made after a part of the time, the speed changing evenly from the last interval to this one."""
    if away is None:
        return np.asarray(part * there, np.float32)
    return np.asarray(part * (there - away) / 2 + part**2 * (there + away) / 2, np.float32)


def _splat(values: Floats, way: Floats, weight: Floats) -> Floats:
    """Add each pixel's values (H, W, C), weighted, to the four pixels it comes to lie on: (H, W, C + 1)."""
    h, w = weight.shape
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    x, y = x + way[..., 0], y + way[..., 1]
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    right_share, lower_share = x - left, y - top
    channels = np.concatenate([values * weight[..., None], weight[..., None]], -1).reshape(h * w, -1)
    out = np.zeros((channels.shape[1], h * w), np.float32)
    for down in (0, 1):
        for right in (0, 1):
            share = (right_share if right else 1 - right_share) * (lower_share if down else 1 - lower_share)
            column, row = left + right, top + down
            inside = ((column >= 0) & (column < w) & (row >= 0) & (row < h)).ravel()
            place = (row * w + column).ravel()[inside]
            shared = channels[inside] * share.ravel()[inside, None]
            for channel in range(len(out)):
                out[channel] += np.bincount(place, shared[:, channel], h * w).astype(np.float32)
    return np.ascontiguousarray(out.reshape(-1, h, w).transpose(1, 2, 0))


def _alpha_like(layer: Floats, flow: Floats) -> Floats:
    h, w = flow.shape[:2]
    return np.asarray(cv2.resize(layer[..., 3], (w, h), interpolation=cv2.INTER_AREA), np.float32)


def _as_large(paths: _Paths, layer: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The fields of paths at a layer's size."""
    h, w = layer.shape[:2]
    small_h, small_w = paths.start.shape[:2]
    if (small_h, small_w) == (h, w):
        return paths.start, paths.end, paths.trust, paths.covered
    scale = np.array([w / small_w, h / small_h], np.float32)

    def large(field: Floats) -> Floats:
        return np.asarray(cv2.resize(field, (w, h), interpolation=cv2.INTER_LINEAR), np.float32).reshape(h, w, -1)

    return large(paths.start) * scale, large(paths.end) * scale, large(paths.trust), large(paths.covered)


def _premultiplied(layer: Floats) -> Floats:
    """A layer whose alpha is within 0..1; what is too faint to be stored is nothing."""
    layer[..., 3] = np.clip(layer[..., 3], 0, 1)
    layer[layer[..., 3] < 1 / 1024] = 0
    return np.asarray(layer, np.float32)
