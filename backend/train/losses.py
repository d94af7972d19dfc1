"""What training minimises: named terms, each an unreduced map; weights and means are applied in one place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.model.effect_net import SHADOW_CHANNELS
from backend.train.settings import LossWeights

# Errors below this (display values) are treated as noise: quadratic instead of linear.
_NOISE = 0.03
# What an effect costs behind somebody else's body, as a share of what it costs where it is seen: nothing speaks for it
# there, so at the full price it would be unlearned.
_BEHIND = 0.05


@dataclass(frozen=True)
class LossTerms:
    """What one step minimises; every term is kept so that it can be drawn."""

    reconstruction: Tensor
    shadow_sparsity: Tensor
    reflection_sparsity: Tensor
    range: Tensor

    def total(self, weights: LossWeights) -> Tensor:
        """The weighted sum of the terms' means."""
        return (
            weights.reconstruction * self.reconstruction.mean()
            + weights.shadow_sparsity * self.shadow_sparsity.mean()
            + weights.reflection_sparsity * self.reflection_sparsity.mean()
            + weights.range * self.range.mean()
        )


def reconstruction(picture: Tensor, plate: Tensor, weight: Tensor) -> Tensor:
    """E_recon (LNR eq. 1): how far the picture (B, 3, H, W) is from the plate, where ``weight`` (B, 1, H, W) says."""
    error = (picture - plate).abs()
    return torch.where(error < _NOISE, error**2 / (2 * _NOISE), error - _NOISE / 2) * weight


def sparsity(amount: Tensor, cost: Tensor) -> Tensor:
    """E_reg (LNR eq. 4): effects (B, N, C, H, W) are as few and as weak as they can be; ``cost`` (B, N, 1, H, W)."""
    return amount * cost


def out_of_range(effects: Tensor) -> Tensor:
    """Pulls predictions that mean nothing (a negative share of light) back to their range, (B, N, 1, H, W)."""
    shadow = effects[:, :, :SHADOW_CHANNELS]
    return shadow.clamp(max=0) ** 2 + (shadow - 1).clamp(min=0) ** 2


def loss_terms(
    effects: Tensor,
    picture: Tensor,
    plate: Tensor,
    weight: Tensor,
    distance: Tensor,
    unusual: Tensor,
    far: float | Tensor,
    strange: float,
) -> LossTerms:
    """All terms of one step.

    Args:
        effects: (B, N, 4, H, W) as predicted.
        picture: (B, 3, H, W) the background seen through all effects.
        plate: (B, 3, H, W).
        weight: (B, 1, H, W) 0..1, 0 where a body hides the background.
        distance: (B, N, 1, H, W) squared distance from the person in body heights.
        unusual: (B, N, 1, H, W) 0..1, 1 where a person of that shape has usually no effect.
        far: how much dearer an effect gets with the distance. It plays the part of the paper's mask loss (LNR eq. 2):
            at first an effect belongs near its person, then the schedule lets go.
        strange: how much dearer an effect gets where it is unusual.
    """
    behind_others = (weight[:, None] <= 0) & (distance > 0)
    cost = (1 + far * distance + strange * unusual) * torch.where(behind_others, _BEHIND, 1.0)
    return LossTerms(
        reconstruction=reconstruction(picture, plate, weight),
        shadow_sparsity=sparsity(effects[:, :, :SHADOW_CHANNELS].clamp(min=0), cost),
        reflection_sparsity=sparsity(effects[:, :, SHADOW_CHANNELS:].abs(), cost),
        range=out_of_range(effects),
    )
