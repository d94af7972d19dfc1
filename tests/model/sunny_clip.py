"""A clip of flat people on a patterned floor in front of a wall, with shadows as a camera would see them."""

from __future__ import annotations

import torch
from torch import Tensor

from backend.model.sunlight import fallen, standing

T, H, W = 8, 112, 192
STILL = torch.zeros(1, 1)
"""The sway of a camera that keeps still."""


def walkers() -> Tensor:
    """One walks, one stands, both with an arm stretched out: (T, 2, H, W)."""
    masks = torch.zeros(T, 2, H, W)
    for t in range(T):
        left = 16 + 8 * t
        masks[t, 0, 32:80, left : left + 12] = 1
        masks[t, 0, 40:48, left - 8 : left + 20] = 1
        masks[t, 1, 40:88, 124:136] = 1
        masks[t, 1, 44:52, 108:144] = 1
    return masks


def shadows(masks: Tensor, light: tuple[float, ...]) -> Tensor:
    """Everybody's (T, N, H, W)."""
    people, flat = standing(masks, STILL).flat(), masks.flatten(0, 1)
    parts = fallen(flat, people, torch.tensor(light).expand(len(flat), 4))
    return torch.maximum(*parts).reshape(masks.shape)


def ground(seed: int = 0) -> Tensor:
    """(3, H, W): a floor with a pattern that has nothing to do with anybody."""
    pattern = torch.rand(1, 1, H // 8, W // 8, generator=torch.Generator().manual_seed(seed))
    large = torch.nn.functional.interpolate(pattern, size=(H, W), mode="bilinear")[0, 0]
    return (0.5 + 0.15 * (large - 0.5)).expand(3, H, W)


def plate(masks: Tensor, fall: Tensor, density: float) -> Tensor:
    """(T, 3, H, W): grey people, and the ground darker where their shadows fall."""
    lit = (ground() + 1 / 32) * torch.exp(-density * fall.amax(1))[:, None] - 1 / 32
    bodies = masks.amax(1)[:, None]
    return lit * (1 - bodies) + 0.35 * bodies


def overlap(a: Tensor, b: Tensor) -> float:
    """1 where both are alike, 0 where they have nothing in common."""
    return float((a * b).sum() / (a.norm() * b.norm() + 1e-9))
