"""From predicted effects to a picture: how shadows of several people combine over a background."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn

from backend.model.effect_net import SHADOW_CHANNELS
from backend.model.resize import enlarged

# As core.opacity.FLOOR.
_FLOOR = 1 / 32
# Slope of a prediction outside its range: without it, a pixel that once fell below zero would never learn again.
_LEAK = 0.05


class Shading(nn.Module):
    """How dark a full shadow is, per channel and place; learned with the network.

    Sunlight can only be taken away once. With visibility v = prod(1 - e_i) over the people's shadows e_i, a
    pixel shows B * (1 - D * (1 - v)), so two shadows that overlap are no darker than one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.depth = nn.Parameter(torch.full((1, 3, 8, 8), 0.6))

    def depth_map(self, size: tuple[int, int]) -> Tensor:
        """(1, 3, H, W): the share of light that a full shadow takes, 0.05..0.95."""
        return enlarged(self.depth.clamp(0.05, 0.95), size)

    def densities(self, effects: Tensor) -> tuple[Tensor, Tensor]:
        """Signed densities of each person's effect and of all together.

        Args:
            effects: (B, N, 4, H, W) as the network predicts them.

        Returns:
            (B, N, 3, H, W) and (B, 3, H, W); see ``core.opacity``.
        """
        shadow, reflection = effects[:, :, :SHADOW_CHANNELS], effects[:, :, SHADOW_CHANNELS:]
        shadow = _leaky_clamp(shadow)
        depth = self.depth_map((effects.shape[-2], effects.shape[-1]))
        alone = -torch.log((1 - depth[:, None] * shadow).clamp_min(0.02)) + reflection
        # Not torch.prod, whose gradient makes a card wait for the processor.
        light = functools.reduce(torch.mul, (1 - shadow).unbind(1))
        together = -torch.log((1 - depth * (1 - light)).clamp_min(0.02)) + reflection.sum(1)
        return alone, together


def with_density(background: Tensor, signed: Tensor) -> Tensor:
    """The background seen through an effect; as ``core.opacity.with_density``, differentiable, not clipped."""
    factor = torch.exp(-signed.abs())
    darker = (background + _FLOOR) * factor - _FLOOR
    brighter = 1 + _FLOOR - (1 - background + _FLOOR) * factor
    return torch.where(signed > 0, darker, brighter)


def _leaky_clamp(x: Tensor) -> Tensor:
    inside = x.clamp(0, 1)
    return inside + _LEAK * (x - inside)
