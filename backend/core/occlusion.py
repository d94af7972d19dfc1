"""Who covers whom."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats

Flags = npt.NDArray[np.bool_]

# Masks closer than this (pixels of the analysis pictures) touch.
_TOUCH = 2
# A contact is judged by areas when one person loses this much more of the usual area than the other.
_CLEAR_LOSS = 0.08


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
            others = np.delete(contact, [i, j], 2)
            # What somebody loses to a third person tells nothing about these two.
            own = [np.where(others[:, who].any(1), np.nan, area[:, who]) for who in (i, j)]
            for first, last in stretches(contact[:, i, j]):
                loss = _lost_area(own[1], first, last) - _lost_area(own[0], first, last)
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


def stretches(flags: Flags) -> list[tuple[int, int]]:
    """First and last index of every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _lost_area(area: npt.NDArray[np.float64], first: int, last: int) -> float:
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
