"""Two squares that walk over a floor, each with a shadow at its side, at training size."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from backend.core.color import Floats
from backend.core.opacity import without_density
from backend.train.loop import Refit
from backend.train.settings import TrainSettings
from backend.train.shot_data import ShotData, make_shot_data

T, N, H, W = 20, 2, 32, 64
SIDE, SHADOW_LENGTH = 8, 10
SHADE = 0.5
"""The share of light that a shadow leaves."""

QUICK = TrainSettings(steps=8, batch_frames=4, width=8, levels=3, warm_up_steps=2, refits=(0.5,))
"""Too short to learn anything, long enough to go through everything once."""


def floor() -> Floats:
    """(H, W, 3)"""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    return np.stack([0.6 + 0.1 * np.sin(x / 6), 0.55 + 0.1 * np.cos(y / 5), 0.5 + 0 * x], -1)


def corner(person: int, frame: int) -> tuple[int, int]:
    """Row and column of a square's upper left corner: one goes right, the other left, on paths of their own."""
    return (2, 2 + 2 * frame) if person == 0 else (18, 44 - 2 * frame + (frame % 3))


def mask(person: int, frame: int) -> Floats:
    """(H, W)"""
    out = np.zeros((H, W), np.float32)
    row, column = corner(person, frame)
    out[row : row + SIDE, column : column + SIDE] = 1
    return out


def shadow(person: int, frame: int) -> Floats:
    """(H, W): 1 where a square keeps the light away, which is to its right and a little below."""
    out = np.zeros((H, W), np.float32)
    row, column = corner(person, frame)
    out[row + 3 : row + SIDE + 3, column + SIDE : column + SIDE + SHADOW_LENGTH] = 1
    return out


def plate(frame: int) -> Floats:
    """(H, W, 3)"""
    picture = floor()
    for person in range(N):
        picture = picture * (1 - (1 - SHADE) * shadow(person, frame)[..., None])
    for person in range(N):
        color = np.float32([0.9, 0.2, 0.1] if person == 0 else [0.1, 0.2, 0.9])
        picture = np.where(mask(person, frame)[..., None] > 0, color, picture)
    return picture.astype(np.float32)


def masks() -> Floats:
    """(T, N, H, W)"""
    return np.stack([[mask(i, t) for i in range(N)] for t in range(T)])


def plates() -> Floats:
    """(T, H, W, 3)"""
    return np.stack([plate(t) for t in range(T)])


def toy_data() -> ShotData:
    """The shot with the median over time as its first background, shadows burnt in where they lie most of the time."""
    background = np.broadcast_to(np.median(plates(), 0), plates().shape).astype(np.float32)
    return make_shot_data(plates(), masks(), masks(), background)


def refit_of(data: ShotData) -> Refit:
    """Estimates the background anew: the median over time of what is seen, with the effects undone."""
    hidden = data.seen[:, 0].numpy() == 0

    def refit(together: Tensor) -> Tensor:
        undone = without_density(plates(), together.permute(0, 2, 3, 1).numpy())
        found = np.nanmedian(np.where(hidden[..., None], np.nan, undone), 0).astype(np.float32)
        return torch.from_numpy(found.transpose(2, 0, 1)[None].repeat(T, 0).copy())

    return refit
