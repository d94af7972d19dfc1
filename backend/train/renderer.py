"""All that is learned for one shot."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from backend.model.effect_net import EffectNet
from backend.model.shading import Shading
from backend.train.device import quick_arithmetic
from backend.train.settings import TrainSettings


class Renderer(nn.Module):
    """Networks that begin differently, learn side by side, and err differently: the mean of their answers counts."""

    def __init__(self, settings: TrainSettings, charts: bool = False) -> None:
        super().__init__()
        self._members = nn.ModuleList(Member(settings, charts) for _ in range(settings.networks))

    @property
    def members(self) -> list[Member]:
        """The networks."""
        return [cast(Member, member) for member in self._members]

    def forward(self, masks: Tensor, casts: Tensor, charts: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Signed densities of each person's effect (B, N, 3, H, W) and of all together (B, 3, H, W)."""
        answers = [member(masks, casts, charts)[1:] for member in self.members]
        alone, together = (torch.stack(parts).mean(0) for parts in zip(*answers, strict=True))
        return alone, together

    def maps(self) -> list[Tensor]:
        """What is learned about places, not about shapes."""
        return [learned for member in self.members for learned in member.maps()]


class Member(nn.Module):
    """One network, and how dark a full shadow is to it."""

    def __init__(self, settings: TrainSettings, charts: bool) -> None:
        super().__init__()
        self.net = EffectNet(settings.width, settings.levels, charts=charts)
        self.shading = Shading()

    def forward(self, masks: Tensor, casts: Tensor, charts: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Effects (B, N, 4, H, W), and their signed densities alone (B, N, 3, H, W) and together (B, 3, H, W)."""
        with quick_arithmetic(masks.device):
            effects = self.net(masks, casts, charts).float()
        return (effects, *self.shading.densities(effects))

    def maps(self) -> list[Tensor]:
        """Its part of ``Renderer.maps``."""
        atlas = [self.net.atlas.texture] if self.net.atlas is not None else []
        return [self.net.places, self.shading.depth, *atlas]
