"""How people move, as numbers, and by how much one has to wait so that two move alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LEAST_MOTION = 0.01
"""Signals that change by less, in heights of the body, are noise."""
LEAST_OVERLAP = 8
ALIKE = 0.95
"""Shifts that fit this well, compared with the best, are as good; the smallest of them is taken."""
TEMPOS = tuple(float(ratio) for ratio in np.geomspace(0.5, 2.0, 33))
TEMPO_COST = 0.05
"""By how much a tempo twice as fast has to fit better."""


@dataclass(frozen=True)
class Alignment:
    """Shift in frames (later is above 0), tempo as a factor of speed, and how well it fits (-1..1)."""

    shift: int
    tempo: float
    fit: float


def posture(mask: Floats) -> Floats:
    """Five numbers that tell how a body is held, whatever its size and place.

    Args:
        mask: (H, W) 0..1, row 0 at the top.

    Returns:
        width, width of the legs, height of the middle, area, each in heights of the body, and 1; all 0 where nobody is.
    """
    mass = float(mask.sum())
    if mass < 1:
        return np.zeros(5, np.float32)
    rows, columns = mask.sum(axis=1), mask.sum(axis=0)
    y, x = np.arange(mask.shape[0]), np.arange(mask.shape[1])
    middle, height = _mean_and_spread(rows, y)
    _, width = _mean_and_spread(columns, x)
    legs = mask[y > middle + 0.5 * height]
    spread = _mean_and_spread(legs.sum(axis=0), x)[1] if legs.size and legs.sum() > 0 else 0.0
    height = max(height, 1e-3)
    return np.array([width / height, spread / height, -middle / height, mass / height**2, 1], np.float32)


def signal(postures: Floats) -> Floats:
    """(T, 5) postures as (T, 4) signals around 0; where nobody is to be seen a signal is carried on from its sides."""
    seen = postures[:, 4] > 0
    if not seen.any():
        return np.zeros((len(postures), 4), np.float32)
    frames = np.arange(len(postures))
    filled = [np.interp(frames, frames[seen], channel[seen]) for channel in postures.T[:4]]
    return np.stack([_detrended(channel) for channel in filled], axis=1).astype(np.float32)


def best_alignment(moving: Floats, still: Floats, tempos: tuple[float, ...] = (1.0,)) -> Alignment:
    """How the first of two (T, C) signals has to be shifted, and sped up, to go with the second one."""
    best = Alignment(0, 1.0, -1.0)
    cost = -np.inf
    for tempo in tempos:
        shift, fit = _best_shift(_resampled(moving, tempo), still)
        value = fit - TEMPO_COST * abs(np.log2(tempo))
        if value > cost:
            best, cost = Alignment(shift, tempo, fit), value
    return best


def _best_shift(moving: Floats, still: Floats) -> tuple[int, float]:
    least = min(len(moving), len(still), max(LEAST_OVERLAP, min(len(moving), len(still)) // 2))
    shifts = range(least - len(moving), len(still) - least + 1)
    fits = {shift: _fit(moving, still, shift) for shift in shifts}
    if not fits:
        return 0, -1.0
    top = max(fits.values())
    shift = min((shift for shift in fits if fits[shift] >= top - (1 - ALIKE) * abs(top)), key=abs)
    return shift, fits[shift]


def _fit(moving: Floats, still: Floats, shift: int) -> float:
    """Correlation over the frames that both have, channels that move little counting little."""
    first, last = max(0, shift), min(len(still), len(moving) + shift)
    a, b = moving[first - shift : last - shift], still[first:last]
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return float((a * b).sum() / size.sum()) if size.sum() > 1e-9 else 0.0


def _resampled(values: Floats, tempo: float) -> Floats:
    length = max(2, round(len(values) / tempo))
    at = np.linspace(0, len(values) - 1, length)
    return np.stack([np.interp(at, np.arange(len(values)), channel) for channel in values.T], axis=1)


def _mean_and_spread(weights: Floats, at: NDArray[np.int64]) -> tuple[float, float]:
    total = float(weights.sum())
    mean = float((weights * at).sum() / total)
    return mean, float(np.sqrt((weights * (at - mean) ** 2).sum() / total))


def _detrended(channel: Floats) -> Floats:
    frames = np.arange(len(channel))
    rest = channel - np.polyval(np.polyfit(frames, channel, 1), frames) if len(channel) > 2 else channel * 0
    spread = float(rest.std())
    return rest / spread if spread > LEAST_MOTION else rest * 0
