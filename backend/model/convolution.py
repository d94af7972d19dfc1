"""The piece that all our networks are built of."""

from __future__ import annotations

from torch import nn


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3 by 3 pixels, and a slope for what is negative: (B, outputs, H / stride, W / stride) from (B, inputs, H, W)."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.1, inplace=True))
