"""Where each pixel of a layer went by another frame, even where a limb moved further than it is wide."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from backend.core.silhouettes import middles

_GREY = 0.5
"""Layers are looked at over grey, where both bright and dark effects are to be seen."""
_SEARCH_PIXELS = 4000
"""A layer is shrunk to about this many pixels for the search over all displacements."""
_SEARCH_RADIUS = 16
"""Furthest displacement beside the whole person's own, in shrunken pixels; a third of a person's height or more."""
_MOST_DIFFERENCE = 0.6
"""Larger differences (sum over channels) tell no more than that it is not the same."""
_BEND, _BREAK = 0.03, 0.5
"""What it costs that neighbours' displacements differ by one pixel, and by more."""
_MARGIN = 0.02
"""The finer match is taken where it isn't worse than the other one by this much (sum over channels)."""
_DIS_PIXELS = 16
"""A smaller picture is too small for the pyramid of the finer match."""

_FINEST_PIXELS = 200_000
"""Larger pictures are matched by every second pixel only."""


def match(a: Floats, b: Floats) -> Floats:
    """The displacement (H, W, 2), x and y in pixels, of what layer ``a`` shows towards where layer ``b`` shows it.

    Both (H, W, 4) are premultiplied display colour and alpha. A search over all displacements finds limbs
    (semi-global matching, Hirschmueller 2008, over both axes); dense inverse searches (Kroeger et al. 2016), one from
    there and one from rest, are finer, and kept where they explain the picture as well. Where nothing is seen the
    answer means nothing.
    """
    searched = _searched(a, b)
    best = _refined(a, b, searched)
    least = _difference(a, b, best) + _MARGIN
    for start in (searched, np.zeros_like(searched)):
        fine = dense_search(a, b, start)
        unlike = _difference(a, b, fine)
        is_better = unlike < least
        best, least = np.where(is_better[..., None], fine, best), np.where(is_better, unlike, least)
    return _without_specks(best)


def dense_search(a: Floats, b: Floats, start: Floats) -> Floats:
    """As ``match``, for displacements that are near ``start`` (H, W, 2) or small, and to a fraction of a pixel."""
    if min(a.shape[:2]) < _DIS_PIXELS:
        return start
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(0 if a.shape[0] * a.shape[1] <= _FINEST_PIXELS else 1)
    return np.asarray(flow.calc(_grey(a), _grey(b), np.array(start, np.float32)), np.float32)


def displaced(picture: Floats, flow: Floats) -> Floats:
    """What lies at the end of each displacement (H, W, 2): ``picture`` (H, W, C) read there, empty outside."""
    h, w = flow.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    moved = cv2.remap(picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(moved.reshape(h, w, *picture.shape[2:]), np.float32)


def _searched(a: Floats, b: Floats) -> Floats:
    shrink = min(1.0, float(np.sqrt(_SEARCH_PIXELS / (a.shape[0] * a.shape[1]))))
    size = (max(1, round(a.shape[1] * shrink)), max(1, round(a.shape[0] * shrink)))
    small_a, small_b = (_resized(_features(x), size) for x in (a, b))
    whole = np.round((_centre(b) - _centre(a)) * shrink).astype(int)
    flow = _cheapest(_regularised(_costs(small_a, small_b, whole))) + whole.astype(np.float32)
    large = cv2.resize(_without_specks(flow), (a.shape[1], a.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large / shrink, np.float32)


def _without_specks(flow: Floats) -> Floats:
    return np.stack([cv2.medianBlur(np.ascontiguousarray(flow[..., axis]), 3) for axis in (0, 1)], -1)


def _resized(picture: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _costs(a: Floats, b: Floats, whole: npt.NDArray[np.int_]) -> Floats:
    """How unlike ``a`` (h, w, C) is ``b`` displaced by ``whole`` (x, y) and up to the radius more: (h, w, K, K)."""
    h, w = a.shape[:2]
    count, reach = 2 * _SEARCH_RADIUS + 1, _SEARCH_RADIUS + int(np.abs(whole).max())
    empty = (_GREY, _GREY, _GREY, 0.0)
    wide = cv2.copyMakeBorder(b, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=empty)
    costs = np.empty((count, count, h, w), np.float32)
    for row in range(count):
        for column in range(count):
            top, left = reach + whole[1] + row - _SEARCH_RADIUS, reach + whole[0] + column - _SEARCH_RADIUS
            unlike = np.abs(a - wide[top : top + h, left : left + w]).sum(-1)
            costs[row, column] = cv2.boxFilter(np.minimum(unlike, _MOST_DIFFERENCE), -1, (3, 3))
    return np.ascontiguousarray(costs.transpose(2, 3, 0, 1))


def _regularised(costs: Floats) -> Floats:
    """The costs (h, w, K, K) with those of all that lies along the row and the column."""
    total = np.zeros_like(costs)
    h, w = costs.shape[:2]
    for lines in (range(h), reversed(range(h))):
        _pass_along(costs, total, lines)
    costs, turned = costs.swapaxes(0, 1), total.swapaxes(0, 1)
    for lines in (range(w), reversed(range(w))):
        _pass_along(costs, turned, lines)
    return total


def _pass_along(costs: Floats, total: Floats, lines: Iterable[int]) -> None:
    before: Floats | None = None
    for line in lines:
        here = costs[line]
        if before is not None:
            least = before.min((1, 2), keepdims=True)
            kept = np.minimum(before, _least_nearby(before) + np.float32(_BEND))
            here = here + np.minimum(kept, least + np.float32(_BREAK)) - least
        total[line] += here
        before = here


def _least_nearby(costs: Floats) -> Floats:
    """The least of each 3 x 3 neighbourhood of the last two axes of (n, K, K)."""
    rows = costs.copy()
    np.minimum(rows[:, 1:], costs[:, :-1], out=rows[:, 1:])
    np.minimum(rows[:, :-1], costs[:, 1:], out=rows[:, :-1])
    least = rows.copy()
    np.minimum(least[:, :, 1:], rows[:, :, :-1], out=least[:, :, 1:])
    np.minimum(least[:, :, :-1], rows[:, :, 1:], out=least[:, :, :-1])
    return least


def _cheapest(costs: Floats) -> Floats:
    """The displacement (h, w, 2) of least cost, beside the whole one, to a fraction of a pixel."""
    h, w, count, _ = costs.shape
    row, column = np.divmod(costs.reshape(h, w, -1).argmin(-1), count)
    y, x = np.mgrid[:h, :w]

    def vertex(down: int, right: int) -> Floats:
        """Where a parabola through the costs on both sides is lowest."""
        sides = [
            costs[y, x, np.clip(row + s * down, 0, count - 1), np.clip(column + s * right, 0, count - 1)]
            for s in (-1, 0, 1)
        ]
        bend = np.maximum(sides[0] - 2 * sides[1] + sides[2], 1e-6)
        return np.asarray(np.clip((sides[0] - sides[2]) / (2 * bend), -0.5, 0.5), np.float32)

    found = [column + vertex(0, 1), row + vertex(1, 0)]
    return np.asarray(np.stack(found, -1) - _SEARCH_RADIUS, np.float32)


def _refined(a: Floats, b: Floats, flow: Floats) -> Floats:
    refinement = cv2.VariationalRefinement.create()
    refinement.setFixedPointIterations(5)
    return np.asarray(refinement.calc(_grey(a), _grey(b), flow.copy()), np.float32)


def _difference(a: Floats, b: Floats, flow: Floats) -> Floats:
    """How unlike the two ends of each displacement are, (H, W), with what is around."""
    unlike = np.abs(_features(a) - _features(displaced(b, flow))).sum(-1)
    return np.asarray(cv2.boxFilter(np.minimum(unlike, _MOST_DIFFERENCE), -1, (5, 5)), np.float32)


def _features(layer: Floats) -> Floats:
    """(H, W, 4): colour over grey, and alpha a little less weighty."""
    alpha = layer[..., 3:]
    return np.concatenate([layer[..., :3] + (1 - alpha) * np.float32(_GREY), alpha * np.float32(0.7)], -1)


def _grey(layer: Floats) -> npt.NDArray[np.uint8]:
    picture = (np.clip(_features(layer)[..., :3], 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _centre(layer: Floats) -> npt.NDArray[np.float64]:
    """The middle (x, y) of what is more than half opaque, which is the body."""
    body = np.clip(layer[..., 3] * 2 - 1, 0, 1)
    return middles(body if body.any() else layer[..., 3])
