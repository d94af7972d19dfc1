"""One small U-Net, shared by all people, that paints what a person does to the background."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.model.charts import CHANNELS, ChartAtlas
from backend.model.convolution import convolution
from backend.model.resize import doubled, enlarged
from backend.model.sunlight import CASTS

SHADOW_CHANNELS = 1
REFLECTION_CHANNELS = 3
OUTPUT_CHANNELS = SHADOW_CHANNELS + REFLECTION_CHANNELS
# The net works at half the size of its pictures: most arithmetic would sit in the full-size stages.
_SHUFFLE = 2


class EffectNet(nn.Module):
    """From a person's mask to that person's shadow and reflection.

    It never sees the frame's number or its pixels (LNR section 3): a shadow is learned for the person from whose
    shape it is easiest to predict. All people share the weights, so what one person's shadow teaches holds for
    a person who never moves.
    """

    def __init__(self, width: int, levels: int, places: int = 2, charts: bool = False) -> None:
        super().__init__()
        channels = [width, *([width * 2] * (levels - 1))]
        self.atlas = ChartAtlas() if charts else None
        self.entry = convolution((1 + CASTS) * _SHUFFLE**2 + 2 + places + charts * CHANNELS, width)
        self.down = nn.ModuleList(
            nn.Sequential(convolution(a, b, stride=2), convolution(b, b)) for a, b in pairwise(channels)
        )
        self.up = nn.ModuleList(convolution(a + b, a) for a, b in pairwise(channels))
        self.exit = nn.Conv2d(width, OUTPUT_CHANNELS * _SHUFFLE**2, 3, padding=1)
        self.places = nn.Parameter(torch.randn(1, places, 8, 8) * 0.1)
        with torch.no_grad():
            # Nobody has an effect at first, yet no prediction is stuck at exactly zero.
            self.exit.weight.mul_(0.1)
        nn.init.zeros_(cast(Tensor, self.exit.bias))

    def forward(self, masks: Tensor, casts: Tensor, charts: Tensor | None = None) -> Tensor:
        """Predict effects.

        Args:
            masks: (B, N, H, W) 0..1, each person's whole body; H and W are multiples of ``size_multiple``.
            casts: (B, N, 3, H, W) where each person's shadow would fall, see ``model.sunlight``.
            charts: (B, N, 3, H, W) as ``ChartAtlas`` takes them, for a network that was made for charts.

        Returns:
            (B, N, 4, H, W), unbounded: the share of the light a person's shadow takes, and the signed density of
            the reflection in three channels.
        """
        b, n, h, w = masks.shape
        x = F.pixel_unshuffle(torch.cat([masks[:, :, None], casts], 2).flatten(0, 1), _SHUFFLE)
        x = torch.cat([x, self._place(x), *self._painted(charts)], 1).contiguous(memory_format=torch.channels_last)
        features = [self.entry(x)]
        for down in self.down:
            features.append(down(features[-1]))
        y = features.pop()
        for up in reversed(self.up):
            y = up(torch.cat([doubled(y), features.pop()], 1))
        return F.pixel_shuffle(self.exit(y), _SHUFFLE).reshape(b, n, OUTPUT_CHANNELS, h, w)

    def _painted(self, charts: Tensor | None) -> list[Tensor]:
        if self.atlas is None or charts is None:
            return []
        return [F.avg_pool2d(self.atlas(charts.flatten(0, 1)), _SHUFFLE)]

    def _place(self, x: Tensor) -> Tensor:
        """Where in the picture a pixel is: coordinates, and a coarse learned map (ground is not wall)."""
        size = x.shape[-2:]
        ys = torch.linspace(-1, 1, size[0], device=x.device, dtype=x.dtype)
        xs = torch.linspace(-1, 1, size[1], device=x.device, dtype=x.dtype)
        grid = torch.stack(torch.meshgrid(ys, xs, indexing="ij"))[None]
        learned = enlarged(self.places, (size[0], size[1])).to(x.dtype)
        return torch.cat([grid, learned], 1).expand(len(x), -1, -1, -1)

    @staticmethod
    def size_multiple(levels: int) -> int:
        """What the height and width of the masks must be a multiple of."""
        return _SHUFFLE << (levels - 1)
