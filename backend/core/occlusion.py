"""Who covers whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats

Flags = npt.NDArray[np.bool_]

# Masks closer than this (pixels of the analysis pictures) touch.
_TOUCH = 2
# Where two outlines meet is looked at in a disk of this much of a body's height, at least of so many pixels.
_DISK, _SMALLEST_DISK = 0.06, 2
# Who jumps stands where the feet are lowest within so many seconds before and after.
_JUMP = 0.4
# What counts how much beside the place where two outlines meet, as told right most often on drawn crossings: how many
# body heights the feet are lower, and how much more of the other's usual area is missing.
_FEET, _LOSS = 2.0, 0.5
# Of two who never touch, it is told only by feet that are this much of a body's height apart.
_LEVEL = 0.025


@dataclass(frozen=True)
class Figures:
    """What the masks of one frame tell of N people."""

    feet: Floats
    """(N,) everybody's lowest row; NaN for nobody."""
    height: Floats
    """(N,) in rows; NaN for nobody."""
    area: Floats
    """(N,) in pixels."""
    contact: Flags
    """(N, N): whose masks touch; the diagonal is False."""
    whole: Floats
    """(N, N): where two outlines and the ground meet, how much more there is of the first, -1..1; NaN if nowhere.

    The outline of who is in front goes on there and leaves half of the surroundings to that body, while the other's
    ends at it: a T-junction (Guzman 1968).
    """


def figures(masks: Floats) -> Figures:
    """What masks (N, h, w) 0..1 tell."""
    rows = [np.flatnonzero((mask > 0.5).any(1)) for mask in masks]
    feet = np.array([r[-1] if len(r) else np.nan for r in rows], np.float32)
    height = np.array([r[-1] - r[0] + 1 if len(r) else np.nan for r in rows], np.float32)
    contact = touching(masks)
    return Figures(feet, height, masks.sum((1, 2)), contact, _whole(masks, height, contact))


def touching(masks: Floats) -> Flags:
    """(N, N): True where two people's masks (N, h, w) touch; the diagonal is False."""
    kernel = np.ones((2 * _TOUCH + 1, 2 * _TOUCH + 1), np.uint8)
    grown = np.stack([cv2.dilate((mask > 0.5).astype(np.uint8), kernel) for mask in masks])
    flat = grown.reshape(len(masks), -1).astype(np.float32)
    flags = (flat @ flat.T) > 0
    np.fill_diagonal(flags, False)
    return np.asarray(flags)


def _whole(masks: Floats, height: Floats, contact: Flags) -> Floats:
    whole = np.full(contact.shape, np.nan, np.float32)
    grown = [_grown(mask > 0.5) for mask in masks]
    bare = _grown(masks.max(0) <= 0.5)
    for i, j in np.argwhere(np.triu(contact)).tolist():
        meeting = grown[i] & grown[j] & bare
        if meeting.any():
            reach = max(_SMALLEST_DISK, round(_DISK * float(height[[i, j]].min())))
            disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
            more = cv2.filter2D(masks[i] - masks[j], cv2.CV_32F, disk / disk.sum())
            whole[i, j] = more[meeting].mean()
            whole[j, i] = -whole[i, j]
    return whole


def _grown(flags: Flags) -> Flags:
    return np.asarray(cv2.dilate(flags.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def estimate_order(frames: Sequence[Figures], fps: float) -> list[list[int]]:
    """Back-to-front order of the people in every frame.

    For a whole contact it is told by where the outlines meet, by who loses area compared with before and after, and by
    whose feet are lower in the picture; outside contacts by the feet alone.
    """
    area, contact = np.stack([f.area for f in frames]), np.stack([f.contact for f in frames])
    feet, height = _standing(frames, fps)
    whole = np.stack([f.whole for f in frames])
    people = area.shape[1]
    in_front = np.zeros(contact.shape)
    for i in range(people):
        for j in range(i + 1, people):
            lead = _FEET * (feet[:, i] - feet[:, j]) / np.maximum(height[:, [i, j]].min(1), 1)
            others = np.delete(contact, [i, j], 2)
            # What somebody loses to a third person tells nothing about these two.
            own = [np.where(others[:, who].any(1), np.nan, area[:, who]) for who in (i, j)]
            for first, last in stretches(contact[:, i, j]):
                during = slice(first, last + 1)
                loss = _lost_area(own[1], first, last) - _lost_area(own[0], first, last)
                met = whole[during, i, j][np.isfinite(whole[during, i, j])]
                lead[during] = lead[during].mean() + _LOSS * loss + (met.mean() if len(met) else 0.0)
            in_front[:, i, j], in_front[:, j, i] = lead, -lead
    return [[int(i) for i in np.argsort((np.sign(votes)).sum(1), kind="stable")] for votes in in_front]


def order_told(frames: Sequence[Figures], fps: float) -> Flags:
    """(N, N): of whom anything tells who is in front: they touch at some time, or mostly stand at different depths."""
    feet, height = _standing(frames, fps)
    apart = np.abs(feet[:, :, None] - feet[:, None]) / np.maximum(np.minimum(height[:, :, None], height[:, None]), 1)
    return np.asarray(np.any([f.contact for f in frames], axis=0) | (np.median(apart, axis=0) > _LEVEL))


def _standing(frames: Sequence[Figures], fps: float) -> tuple[Floats, Floats]:
    """On which rows people stand, and how tall they are in rows, both (T, N)."""
    feet, height = (_filled_in(np.stack(values)) for values in zip(*((f.feet, f.height) for f in frames), strict=True))
    return _landed(feet, round(_JUMP * fps)), height


def _landed(feet: Floats, reach: int) -> Floats:
    """The lowest rows (T, N) so many frames around each moment: who is in the air is no further away for that."""
    wide = np.pad(feet, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([wide[t : t + 2 * reach + 1].max(0) for t in range(len(feet))])


def _filled_in(tracks: Floats) -> Floats:
    """Interpolate NaN in each column over time; a column without any value becomes 0."""
    times = np.arange(len(tracks))
    out = np.zeros_like(tracks)
    for column in range(tracks.shape[1]):
        known = np.isfinite(tracks[:, column])
        if known.any():
            out[:, column] = np.interp(times, times[known], tracks[known, column])
    return out


def stretches(flags: Flags) -> list[tuple[int, int]]:
    """First and last index of every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _lost_area(area: Floats, first: int, last: int) -> float:
    """Share of the usual area (NaN where it is not known) that is missing during a contact, at its worst third."""
    around = np.concatenate([area[max(0, first - 5) : first], area[last + 1 : last + 6]])
    around, during, ever = (part[np.isfinite(part)] for part in (around, area[first : last + 1], area))
    if not len(during):
        return 0.0
    usual = float(np.median(around)) if len(around) else float(ever.max())
    # Who looks larger than before has another pose; that tells nothing about the other one.
    return max(0.0, 1 - float(np.quantile(during, 0.33)) / max(usual, 1.0))


def covered_by(masks: Floats, contact: Flags, order: list[list[int]]) -> Floats:
    """(T, N, h, w): for each person the union of the people in front who touch that person."""
    out = np.zeros_like(masks)
    for t, ranking in enumerate(order):
        for place, i in enumerate(ranking):
            for j in ranking[place + 1 :]:
                if contact[t, i, j]:
                    out[t, i] = np.maximum(out[t, i], masks[t, j])
    return out
