"""The shape that both small networks of the finder have: down to a coarse picture, and up again with what was fine."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.model.convolution import convolution

SHUFFLE = 2


class Pyramid(nn.Module):
    """A U-Net that folds squares of pixels into channels first."""

    def __init__(self, inputs: int, outputs: int, width: int, levels: int, finest: int = 0) -> None:
        """``finest`` is the level, counted from the finest, at which it answers."""
        super().__init__()
        channels = [width, *([width * 2] * (levels - 1))]
        self.entry = convolution(inputs * SHUFFLE**2, width)
        self.down = nn.ModuleList(
            nn.Sequential(convolution(a, b, stride=2), convolution(b, b)) for a, b in pairwise(channels)
        )
        self.up = nn.ModuleList(convolution(a + b, a) for a, b in pairwise(channels[finest:]))
        self.exit = nn.Conv2d(channels[finest], outputs, 3, padding=1)

    def answer(self, inputs: Tensor) -> Tensor:
        """(B, outputs, H / s, W / s) from (B, inputs, H, W); s is ``SHUFFLE`` times 2 for each level left out."""
        levels = [self.entry(F.pixel_unshuffle(inputs, SHUFFLE).contiguous(memory_format=torch.channels_last))]
        for down in self.down:
            levels.append(down(levels[-1]))
        y = levels.pop()
        for up in reversed(self.up):
            skip = levels.pop()
            y = up(torch.cat([F.interpolate(y, size=skip.shape[-2:], mode="bilinear", align_corners=False), skip], 1))
        found: Tensor = self.exit(y)
        return found
