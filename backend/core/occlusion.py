"""Who covers whom, and what a covered person looks like behind the other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.camera import Camera
from backend.core.color import Floats

Flags = npt.NDArray[np.bool_]

# Masks closer than this (pixels of the analysis pictures) touch.
_TOUCH = 2
# A contact is judged by areas when one person loses this much more of the usual area than the other.
_CLEAR_LOSS = 0.08
_SEARCH = 4
_COLOR_WEIGHT = 1.5
# Cost of a jump in the sequence of borrowed frames, and the jump from which on all are equally bad.
_JUMP_COST = 0.02
_LARGEST_JUMP = 6
_SHIFT_COST = 0.004
# A walk that is borrowed in step goes on evenly over so many frames each way.
_EVENLY = 2
# With less of the person than this to be seen, there is nothing to fit more exactly.
_LEAST_EVIDENCE = 0.15


@dataclass(frozen=True)
class Borrowed:
    """Where the covered part of a person is taken from: another frame, moved."""

    frame: int
    shift: tuple[float, float]
    """(dx, dy) from that frame's pixels to this frame's, in pixels of the analysis pictures."""


def touching(masks: Floats) -> Flags:
    """(T, N, N): True where two people's masks (T, N, h, w) touch; the diagonal is False."""
    kernel = np.ones((2 * _TOUCH + 1, 2 * _TOUCH + 1), np.uint8)
    frames, people = masks.shape[:2]
    flags = np.zeros((frames, people, people), np.bool_)
    for t in range(frames):
        grown = np.stack([cv2.dilate((mask > 0.5).astype(np.uint8), kernel) for mask in masks[t]])
        flat = grown.reshape(people, -1).astype(np.float32)
        flags[t] = (flat @ flat.T) > 0
        np.fill_diagonal(flags[t], False)
    return flags


def estimate_order(masks: Floats, contact: Flags) -> list[list[int]]:
    """Back-to-front order of the people in every frame.

    During a contact, the one who loses area compared with before and after is behind. Where that is unclear, and
    outside contacts, the one whose feet are lower in the picture is nearer to the camera.
    """
    return rank(np.array([[lowest_row(mask) for mask in frame] for frame in masks]), masks.sum((2, 3)), contact)


def rank(feet: npt.NDArray[np.float64], area: npt.NDArray[np.float64], contact: Flags) -> list[list[int]]:
    """As ``estimate_order``, from the people's lowest rows (T, N) (NaN for nobody), areas (T, N) and contacts."""
    frames, people = area.shape
    feet = _filled_in(feet)
    in_front = np.zeros((frames, people, people))
    for i in range(people):
        for j in range(i + 1, people):
            lead = feet[:, i] - feet[:, j]
            for first, last in _runs(contact[:, i, j]):
                loss = _lost_area(area[:, j], first, last) - _lost_area(area[:, i], first, last)
                lead[first : last + 1] = loss if abs(loss) > _CLEAR_LOSS else lead[first : last + 1].mean()
            in_front[:, i, j], in_front[:, j, i] = lead, -lead
    return [[int(i) for i in np.argsort((np.sign(votes)).sum(1), kind="stable")] for votes in in_front]


def lowest_row(mask: Floats) -> float:
    """The row of somebody's feet in a mask (h, w) 0..1; NaN when nobody is there."""
    rows = np.flatnonzero((mask > 0.5).any(1))
    return float(rows[-1]) if len(rows) else np.nan


def _filled_in(tracks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Interpolate NaN in each column over time; a column without any value becomes 0."""
    times = np.arange(len(tracks))
    out = np.zeros_like(tracks)
    for column in range(tracks.shape[1]):
        known = np.isfinite(tracks[:, column])
        if known.any():
            out[:, column] = np.interp(times, times[known], tracks[known, column])
    return out


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """First and last index of every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _lost_area(area: npt.NDArray[np.float64], first: int, last: int) -> float:
    """Share of the usual area that is missing during a contact, at its worst third."""
    around = np.concatenate([area[max(0, first - 5) : first], area[last + 1 : last + 6]])
    usual = float(np.median(around)) if len(around) else float(area.max())
    return 1 - float(np.quantile(area[first : last + 1], 0.33)) / max(usual, 1.0)


def covered_by(masks: Floats, contact: Flags, order: list[list[int]]) -> Floats:
    """(T, N, h, w): for each person the union of the people in front who touch that person."""
    out = np.zeros_like(masks)
    for t, ranking in enumerate(order):
        for place, i in enumerate(ranking):
            for j in ranking[place + 1 :]:
                if contact[t, i, j]:
                    out[t, i] = np.maximum(out[t, i], masks[t, j])
    return out


def borrow(plate: Floats, masks: Floats, front: Floats, camera: Camera) -> list[list[Borrowed | None]]:
    """For every frame and person, the frame from which the covered part may be borrowed; None where nothing is covered.

    The borrowed frame is one in which the person is whole, whose silhouette and colours fit what is still visible,
    and whose neighbours in time fit the neighbours of this frame (a shortest path over the stretch).

    Args:
        plate: (T, h, w, 3) analysis pictures.
        masks: (T, N, h, w) visible bodies.
        front: (T, N, h, w) as from ``covered_by``.
        camera: for pictures of this size.
    """
    frames, people = masks.shape[:2]
    out: list[list[Borrowed | None]] = [[None] * people for _ in range(frames)]
    for i in range(people):
        covered = front[:, i].max((1, 2)) > 0
        present = masks[:, i].sum((1, 2)) > 4
        whole = np.flatnonzero(~covered & present)
        if len(whole):
            path = _positions(masks[:, i], whole, camera)
            for first, last in _runs(covered):
                for t, found in zip(
                    range(first, last + 1),
                    _best_path(plate, masks[:, i], front[:, i], path, whole, range(first, last + 1)),
                    strict=True,
                ):
                    out[t][i] = found
    return out


def _positions(masks: Floats, whole: npt.NDArray[np.int64], camera: Camera) -> npt.NDArray[np.float64]:
    """(T, 2): the centre of the body in every frame, carried through covered frames along the canvas."""
    ys, xs = np.mgrid[: masks.shape[1], : masks.shape[2]]
    weight = masks[whole].sum((1, 2))
    centre = np.stack([(masks[whole] * xs).sum((1, 2)) / weight, (masks[whole] * ys).sum((1, 2)) / weight], 1)
    on_canvas = np.concatenate(
        [cv2.perspectiveTransform(c[None, None], camera.to_canvas[t])[0] for c, t in zip(centre, whole, strict=True)]
    )
    times = np.arange(len(masks))
    moved = np.stack([_carried(times, whole, on_canvas[:, axis]) for axis in range(2)], 1)
    return np.concatenate(
        [cv2.perspectiveTransform(c[None, None], np.linalg.inv(camera.to_canvas[t]))[0] for t, c in enumerate(moved)]
    )


def _carried(
    times: npt.NDArray[np.int64], known: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Interpolate, and beyond the ends go on at the mean speed of the last few known frames."""
    out = np.interp(times, known, values)
    for beyond, ends in ((times > known[-1], slice(-6, None)), (times < known[0], slice(None, 6))):
        if beyond.any() and len(known[ends]) > 2:
            speed, start = np.polyfit(known[ends], values[ends], 1)
            out[beyond] = start + speed * times[beyond]
    return out


def _best_path(
    plate: Floats,
    masks: Floats,
    front: Floats,
    path: npt.NDArray[np.float64],
    whole: npt.NDArray[np.int64],
    stretch: range,
) -> list[Borrowed]:
    """The cheapest sequence of borrowed frames over a stretch (Viterbi)."""
    jump = np.abs(whole[None, :] - whole[:, None] - 1)
    change = _JUMP_COST * np.minimum(jump, _LARGEST_JUMP)
    total, back, shifts = np.zeros(len(whole)), [], []
    for t in stretch:
        cost, shift = _fits(plate, masks, front, path, whole, t)
        arrive = total[:, None] + change
        back.append(arrive.argmin(0))
        shifts.append(shift)
        total = arrive.min(0) + cost
    state = int(total.argmin())
    found = []
    for step in reversed(range(len(back))):
        dx, dy = shifts[step][state]
        found.append(Borrowed(int(whole[state]), (float(dx), float(dy))))
        state = int(back[step][state])
    return found[::-1]


def _fits(
    plate: Floats,
    masks: Floats,
    front: Floats,
    path: npt.NDArray[np.float64],
    whole: npt.NDArray[np.int64],
    t: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Cost of borrowing each whole frame for frame ``t``, and the shift (dx, dy) that fits it best."""
    open_ground = 1 - cv2.dilate(front[t], np.ones((3, 3), np.uint8))
    costs, shifts = np.zeros(len(whole)), np.zeros((len(whole), 2), np.int64)
    for k, s in enumerate(whole):
        base = np.round(path[t] - path[s]).astype(int)
        best = np.inf
        for dx in range(base[0] - _SEARCH, base[0] + _SEARCH + 1):
            for dy in range(base[1] - 1, base[1] + 2):
                cost = _misfit(plate, masks, open_ground, t, int(s), (dx, dy))
                cost += _SHIFT_COST * (abs(dx - base[0]) + abs(dy - base[1]))
                if cost < best:
                    best, shifts[k] = cost, (dx, dy)
        costs[k] = best
    return costs, shifts


def _misfit(plate: Floats, masks: Floats, open_ground: Floats, t: int, s: int, shift: tuple[int, int]) -> float:
    """How badly frame s, shifted, agrees with what frame t shows: silhouettes outside the cover, colours in both."""
    here, there = _overlap(masks.shape[1:], shift)
    visible, guess, free = masks[t][here], masks[s][there], open_ground[here]
    silhouette = float((free * np.abs(guess - visible)).sum())
    both = np.minimum(guess, visible) * free
    color = float((both[..., None] * np.abs(plate[t][here] - plate[s][there])).sum()) / 3
    return (silhouette + _COLOR_WEIGHT * color) / max(float(masks[s].sum()), 1.0)


def refined(
    plates: tuple[Floats, Floats], masks: tuple[Floats, Floats], front: Floats, shift: tuple[float, float], reach: int
) -> tuple[float, float]:
    """The shift (dx, dy), in whole pixels near a given one, that fits best at the size of these pictures.

    Args:
        plates: (H, W, 3) of the frame to complete and of the frame that lends.
        masks: (H, W) the person in both.
        front: (H, W) what covers the person.
        reach: how many pixels to look further in each direction.
    """
    rows, columns = np.flatnonzero(masks[1].any(1)), np.flatnonzero(masks[1].any(0))
    dx, dy = round(shift[0]), round(shift[1])
    margin = reach + 2
    height, width = front.shape
    box = (
        slice(max(0, rows[0] + min(dy, 0) - margin), min(height, rows[-1] + max(dy, 0) + margin + 1)),
        slice(max(0, columns[0] + min(dx, 0) - margin), min(width, columns[-1] + max(dx, 0) + margin + 1)),
    )
    plate, mask = np.stack([p[box] for p in plates]), np.stack([m[box] for m in masks])
    open_ground = 1 - cv2.dilate(front[box], np.ones((3, 3), np.uint8))
    if float((open_ground * mask[0]).sum()) < _LEAST_EVIDENCE * float(mask[1].sum()):
        return shift
    tries = [(dx + a, dy + b) for a in range(-reach, reach + 1) for b in range(-reach, reach + 1)]
    best = min(tries, key=lambda by: _misfit(plate, mask, open_ground, 0, 1, by))
    return float(best[0]), float(best[1])


def steadied(borrowed: list[list[Borrowed | None]]) -> list[list[Borrowed | None]]:
    """The same with shifts that are the median of those before and after, where a whole stretch is borrowed in step.

    Each was fitted to what little is seen in its own frame, and a rough mask misleads it by a pixel or two.
    """
    return [
        [None if found is None else _steadied(borrowed, index, person, found) for person, found in enumerate(frame)]
        for index, frame in enumerate(borrowed)
    ]


def _steadied(borrowed: list[list[Borrowed | None]], index: int, person: int, found: Borrowed) -> Borrowed:
    around = range(max(0, index - _EVENLY), min(len(borrowed), index + _EVENLY + 1))
    others = [(other - index, borrowed[other][person]) for other in around]
    shifts = [b.shift for by, b in others if b is not None and b.frame - found.frame == by]
    if len(shifts) <= _EVENLY:
        return found
    across, along = np.round(np.median(shifts, axis=0))
    return Borrowed(found.frame, (float(across), float(along)))


def _overlap(shape: tuple[int, ...], shift: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of the target and of the source picture that lie on each other when the source is shifted."""
    here, there = [], []
    for size, by in zip(shape, shift[::-1], strict=True):
        by = max(-size, min(size, by))
        here.append(slice(max(0, by), size + min(0, by)))
        there.append(slice(max(0, -by), size + min(0, -by)))
    return (here[0], here[1]), (there[0], there[1])


def moved(picture: Floats, shift: tuple[float, float]) -> Floats:
    """A picture (H, W) or (H, W, C) shifted by (dx, dy) pixels, its border carried on; masks move in over 0."""
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    border = cv2.BORDER_REPLICATE if picture.ndim == 3 else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(picture, matrix, picture.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=border), np.float32
    )
