"""What a covered person looks like behind others: the hidden part is borrowed from a frame that shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.bending import Bend, Shown, bend
from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.occlusion import stretches
from backend.core.silhouettes import middles

Indices = npt.NDArray[np.int64]
Box = tuple[int, int, int, int]
"""Top, bottom, left and right, the second and the last beyond the box."""

# Around the place that a rough fit has found, in pixels of the analysis pictures.
_SEARCH = (2, 1)
# Somebody may be so far (in body heights) from the straight path between the frames in which they are known.
_FURTHEST = 0.35
# A difference of a fifth counts as much squared as it does as it is.
_COLOR_WEIGHT, _SQUARED_WEIGHT = 1.5, 7.5
# Cost of a jump in the sequence of borrowed frames, and the jump from which on all are equally bad.
_JUMP_COST = 0.02
_LARGEST_JUMP = 6
_SHIFT_COST = 0.004
# Beside others, masks are less exact.
_COVERED_COST = 0.02
# With this share of the largest area within so many frames, enough is seen of somebody to know the place, and to lend.
_MOSTLY, _NEARBY = 0.7, 12
# So many frames in which somebody is whole, the nearest ones, and so many others are tried.
_MOST_WHOLE, _MOST_PARTLY = 40, 24
# A body that fits worse than this, and this share of what is visible, is in another pose: it would have three arms.
_CONTRADICTS = (0.25, 0.5)
# With less of the person than this to be seen, there is nothing to fit more exactly.
_LEAST_EVIDENCE = 0.15
# Shifts within so many pixels are all tried; those further away first at half the size.
_ALL_TRIED = 3


@dataclass(frozen=True)
class Borrowed:
    """Where the covered part of a person is taken from: another frame, moved."""

    frame: int
    shift: tuple[float, float]
    """(dx, dy) from that frame's pixels to this frame's, in pixels of the analysis pictures."""
    bend: Bend | None = None
    """What is left to do after the move: the pose differs a little."""

    def laid(self, picture: Floats) -> Floats:
        """The other frame's picture (H, W) or (H, W, C), moved and bent into place."""
        there = moved(picture, self.shift)
        return there if self.bend is None else self.bend.applied(there)

    def bent_onto(self, target: Shown, lent: Shown) -> Borrowed:
        """The same with the body that the other frame shows, once moved, bent onto what is visible in this one."""
        return replace(self, bend=bend(target, Shown(*map(self.laid, (lent.plate, lent.body, lent.front)))))


@dataclass(frozen=True)
class _Seen:
    """What a clip shows of one person."""

    plate: Floats
    """(T, h, w, 3)"""
    body: Floats
    """(T, h, w): what is visible of the person."""
    front: Floats
    """(T, h, w): what covers the person."""
    height: float
    """The person's usual one, in pixels."""

    def open(self, t: int) -> Floats:
        """(h, w): where a frame would show the person; not beside others, whose edges are shared."""
        return np.asarray(1 - cv2.dilate(self.front[t], np.ones((3, 3), np.uint8)), np.float32)

    def box(self, s: int) -> Box:
        """Where the person must be in a frame, though half hidden."""
        rows, columns = (np.flatnonzero(self.body[s].any(axis)) for axis in (1, 0))
        missing = max(0, round(self.height) - (int(rows[-1]) + 1 - int(rows[0])))
        top, bottom = max(0, int(rows[0]) - missing), min(self.body.shape[1], int(rows[-1]) + 1 + missing)
        return top, bottom, int(columns[0]), int(columns[-1]) + 1


def borrow(plate: Floats, masks: Floats, front: Floats, camera: Camera) -> list[list[Borrowed | None]]:
    """For every frame and person, the frame from which the covered part may be borrowed; None where nothing is covered.

    The borrowed frame is one that shows what is covered, whose silhouette and colours fit what is still visible,
    and whose neighbours in time fit the neighbours of this frame (a shortest path over the stretch). None, too, where
    no frame fits.

    Args:
        plate: (T, h, w, 3) analysis pictures.
        masks: (T, N, h, w) visible bodies.
        front: (T, N, h, w) as from ``occlusion.covered_by``.
        camera: for pictures of this size.
    """
    frames, people = masks.shape[:2]
    out: list[list[Borrowed | None]] = [[None] * people for _ in range(frames)]
    for i in range(people):
        covered = front[:, i].max((1, 2)) > 0
        area = masks[:, i].sum((1, 2))
        shown = (area > 4) & (~covered | (area >= _MOSTLY * _largest_nearby(area)))
        if not shown.any():
            continue
        paths = _positions(masks[:, i], np.flatnonzero(shown), camera)
        seen = _Seen(plate, masks[:, i], front[:, i], _usual_height(masks[shown, i]))
        for first, last in stretches(covered):
            stretch = range(first, last + 1)
            lenders = _lenders(shown, covered, stretch)
            for t, found in zip(stretch, _best_path(seen, paths, lenders, stretch), strict=True):
                # The only frame that shows the person has nothing to lend to itself.
                out[t][i] = None if found.frame == t or _contradicted(seen, t, found) else found
    return out


def _contradicted(seen: _Seen, t: int, found: Borrowed) -> bool:
    """Whether a borrowed body, though the best there is, is not the one that frame t shows: a hole is better."""
    open_ground, (dx, dy) = seen.open(t), found.shift
    visible = float((open_ground * seen.body[t]).sum()) / max(float(seen.body[found.frame].sum()), 1.0)
    least, share = _CONTRADICTS
    misfit = _misfit(seen, open_ground, t, found.frame, seen.box(found.frame), (round(dx), round(dy)))
    return misfit > least + share * visible


def _largest_nearby(area: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The largest of the values around each, (T,)."""
    return np.array([area[max(0, t - _NEARBY) : t + _NEARBY + 1].max() for t in range(len(area))])


def _usual_height(bodies: Floats) -> float:
    return float(np.median([np.ptp(np.flatnonzero(body.any(1))) + 1 for body in bodies]))


def _lenders(shown: npt.NDArray[np.bool_], covered: npt.NDArray[np.bool_], stretch: range) -> Indices:
    """Frames from which a stretch may borrow: the nearest whole ones, and some of those that show most."""
    whole, partly = np.flatnonzero(shown & ~covered), np.flatnonzero(shown & covered)
    away = np.maximum(stretch[0] - whole, whole - stretch[-1])
    nearest = whole[np.argsort(away, kind="stable")[:_MOST_WHOLE]]
    spread = np.linspace(0, len(partly) - 1, min(len(partly), _MOST_PARTLY)).round().astype(int)
    return np.sort(np.concatenate([nearest, partly[spread]]))


def _positions(body: Floats, known: Indices, camera: Camera) -> npt.NDArray[np.float64]:
    """(T, 2, 2): the centre of the body in every frame, carried through the others along the canvas.

    Beyond the ends there are two guesses: who walks goes on, and who jumps or dances stays about there.
    """
    centre = middles(body[known])
    on_canvas = np.concatenate(
        [cv2.perspectiveTransform(c[None, None], camera.to_canvas[t])[0] for c, t in zip(centre, known, strict=True)]
    )
    times = np.arange(len(body))
    guesses = [[way(times, known, on_canvas[:, axis]) for axis in range(2)] for way in (_carried_on, np.interp)]
    return np.concatenate(
        [
            cv2.perspectiveTransform(c[None], np.linalg.inv(camera.to_canvas[t]))
            for t, c in enumerate(np.transpose(guesses, (2, 0, 1)))
        ]
    )


def _carried_on(times: Indices, known: Indices, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Interpolate, and beyond the ends go on at the mean speed of the last few known frames."""
    out = np.interp(times, known, values)
    for beyond, ends in ((times > known[-1], slice(-6, None)), (times < known[0], slice(None, 6))):
        if beyond.any() and len(known[ends]) > 2:
            speed, start = np.polyfit(known[ends], values[ends], 1)
            out[beyond] = start + speed * times[beyond]
    return out


def _best_path(seen: _Seen, paths: npt.NDArray[np.float64], lenders: Indices, stretch: range) -> list[Borrowed]:
    """The cheapest sequence of borrowed frames over a stretch (Viterbi)."""
    jump = np.abs(lenders[None, :] - lenders[:, None] - 1)
    change = _JUMP_COST * np.minimum(jump, _LARGEST_JUMP)
    total, back, shifts = np.zeros(len(lenders)), [], []
    for t in stretch:
        cost, shift = _fits(seen, paths, lenders, t)
        arrive = total[:, None] + change
        back.append(arrive.argmin(0))
        shifts.append(shift)
        total = arrive.min(0) + cost
    state = int(total.argmin())
    found = []
    for step in reversed(range(len(back))):
        dx, dy = shifts[step][state]
        found.append(Borrowed(int(lenders[state]), (float(dx), float(dy))))
        state = int(back[step][state])
    return found[::-1]


def _fits(
    seen: _Seen, paths: npt.NDArray[np.float64], lenders: Indices, t: int
) -> tuple[npt.NDArray[np.float64], Indices]:
    """Cost of borrowing each frame for frame ``t``, and the shift (dx, dy) that fits it best."""
    costs, shifts = np.full(len(lenders), np.inf), np.zeros((len(lenders), 2), np.int64)
    across, down = _SEARCH
    # Whoever was carried on for long may have left the picture far behind.
    most = np.array(seen.body.shape[:0:-1])
    open_ground = seen.open(t)
    for k, s in enumerate(map(int, lenders)):
        if s == t:
            continue
        doubt = _COVERED_COST * float(seen.front[s].any())
        box = seen.box(s)
        for base in np.unique(np.clip(np.round(paths[t] - paths[s]), -most, most).astype(int), axis=0):
            rough = base + _rough_fit(seen, open_ground, t, s, box, base)
            for dx in range(rough[0] - across, rough[0] + across + 1):
                for dy in range(rough[1] - down, rough[1] + down + 1):
                    cost = _misfit(seen, open_ground, t, s, box, (dx, dy))
                    cost += doubt + _SHIFT_COST * (abs(dx - base[0]) + abs(dy - base[1]))
                    if cost < costs[k]:
                        costs[k], shifts[k] = cost, (dx, dy)
    return costs, shifts


def _rough_fit(seen: _Seen, open_ground: Floats, t: int, s: int, box: Box, base: Indices) -> Indices:
    """How far beside the shift ``base`` frame s fits frame t best: someone who jumps is on no straight path.

    As ``_misfit``, but with squared colours, so that the sums over all shifts at once are correlations.
    """
    top, bottom, left, right = box
    reach = max(*_SEARCH, round(_FURTHEST * seen.height))
    body, color, lacking = (x[s, top:bottom, left:right] for x in (seen.body, seen.plate, seen.front))
    border = reach + int(np.abs(base).max())
    y, x = top + base[1] - reach + border, left + base[0] - reach + border

    def summed(here: Floats, lent: Floats) -> Floats:
        wide = cv2.copyMakeBorder(here, border, border, border, border, cv2.BORDER_CONSTANT)
        within = wide[y : y + bottom - top + 2 * reach, x : x + right - left + 2 * reach]
        return np.asarray(cv2.matchTemplate(within, np.ascontiguousarray(lent), cv2.TM_CCORR), np.float32)

    visible = seen.body[t] * open_ground
    here, lent = visible[..., None] * seen.plate[t], body[..., None] * color
    unlike = (
        summed((here * seen.plate[t]).sum(-1), body) - 2 * summed(here, lent) + summed(visible, (lent * color).sum(-1))
    )
    silhouette = summed(open_ground, body) - 2 * summed(visible, body) - summed(visible, lacking)
    cost = silhouette + summed(seen.front[t], lacking) + _SQUARED_WEIGHT * unlike / 3
    away = np.abs(np.arange(-reach, reach + 1))
    cost = cost / max(float(body.sum()), 1.0) + _SHIFT_COST * (away[:, None] + away)
    dy, dx = np.unravel_index(int(cost.argmin()), cost.shape)
    return np.array([dx - reach, dy - reach])


def _misfit(seen: _Seen, open_ground: Floats, t: int, s: int, box: Box, shift: tuple[int, int]) -> float:
    """How badly a box of frame s, shifted, completes frame t.

    Silhouettes and colours where both frames would show the person, and what is hidden in both.
    """
    here, there = _overlap(seen.body.shape[1:], shift, box)
    visible, guess = seen.body[t][here], seen.body[s][there]
    lacking = seen.front[s][there]
    free = open_ground[here] * (1 - lacking)
    beyond = float((open_ground * seen.body[t]).sum() - (open_ground[here] * visible).sum())
    silhouette = beyond + float((free * np.abs(guess - visible)).sum())
    both = np.minimum(guess, visible) * free
    color = float((both[..., None] * np.abs(seen.plate[t][here] - seen.plate[s][there])).sum()) / 3
    hidden = float((seen.front[t][here] * lacking).sum())
    return (silhouette + hidden + _COLOR_WEIGHT * color) / max(float(seen.body[s].sum()), 1.0)


def refined(target: Shown, lent: Shown, shift: tuple[float, float], reach: int) -> tuple[float, float]:
    """The shift (dx, dy), in whole pixels near a given one, that fits best at the size of these pictures.

    Args:
        target: the frame to complete.
        lent: the frame that lends.
        shift: (dx, dy) as found so far.
        reach: how many pixels to look further in each direction.
    """
    rows, columns = np.flatnonzero(lent.body.any(1)), np.flatnonzero(lent.body.any(0))
    dx, dy = round(shift[0]), round(shift[1])
    margin = reach + 2
    height, width = target.body.shape
    box = (
        slice(max(0, rows[0] + min(dy, 0) - margin), min(height, rows[-1] + max(dy, 0) + margin + 1)),
        slice(max(0, columns[0] + min(dx, 0) - margin), min(width, columns[-1] + max(dx, 0) + margin + 1)),
    )
    plate = np.stack([target.plate[box], lent.plate[box]])
    body, front = np.stack([target.body[box], lent.body[box]]), np.stack([target.front[box], lent.front[box]])
    seen = _Seen(plate, body, front, float(rows[-1] + 1 - rows[0]))
    open_ground = seen.open(0)
    if float((open_ground * seen.body[0]).sum()) < _LEAST_EVIDENCE * float(seen.body[1].sum()):
        return shift
    if reach > _ALL_TRIED:
        here, there = (Shown(_halved(plate[k]), _halved(body[k]), _halved(front[k])) for k in (0, 1))
        half = refined(here, there, (dx / 2, dy / 2), (reach + 1) // 2)
        dx, dy, reach = round(2 * half[0]), round(2 * half[1]), _ALL_TRIED
    tries = [(dx + a, dy + b) for a in range(-reach, reach + 1) for b in range(-reach, reach + 1)]
    whole = seen.box(1)
    best = min(tries, key=lambda by: _misfit(seen, open_ground, 0, 1, whole, by))
    return float(best[0]), float(best[1])


def _halved(picture: Floats) -> Floats:
    """A picture (H, W) or (H, W, C) at half its size, rounded up."""
    height, width = picture.shape[:2]
    even = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(even, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA), np.float32)


def _overlap(
    shape: tuple[int, ...], shift: tuple[int, int], box: Box
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of the target and of the source picture that lie on each other when a box of the source is shifted."""
    here, there = [], []
    for size, by, first, last in zip(shape, shift[::-1], box[::2], box[1::2], strict=True):
        first, last = min(max(first, -by), size), max(min(last, size - by), 0)
        last = max(first, last)
        there.append(slice(first, last))
        here.append(slice(first + by, last + by))
    return (here[0], here[1]), (there[0], there[1])


def moved(picture: Floats, shift: tuple[float, float]) -> Floats:
    """A picture (H, W) or (H, W, C) shifted by (dx, dy) pixels, its border carried on; masks move in over 0."""
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    border = cv2.BORDER_REPLICATE if picture.ndim == 3 else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(picture, matrix, picture.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=border), np.float32
    )
