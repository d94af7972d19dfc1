"""What goes on behind somebody who never leaves: a network trained once, on drawn places."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.model.convolution import convolution
from backend.model.stored import with_weights

WEIGHTS = Path(__file__).with_name("ground.pt")
# It looks at squares of so many pixels.
SIDE = 192
INPUTS = 4
_SHUFFLE, _WIDTHS, _HEADS = 4, (64, 96, 128), 4


class GroundNet(nn.Module):
    """A U-Net whose coarser levels see whole rows and columns at once, along which rails and posts go on."""

    def __init__(self) -> None:
        super().__init__()
        fine, coarse, coarsest = _WIDTHS
        side = SIDE // _SHUFFLE
        self.entry = nn.Sequential(convolution(INPUTS * _SHUFFLE**2, fine), Lines(fine, side), convolution(fine, fine))
        self.down = nn.ModuleList(
            [
                nn.Sequential(convolution(fine, coarse, 2), Lines(coarse, side // 2), convolution(coarse, coarse)),
                nn.Sequential(convolution(coarse, coarsest, 2), *(Lines(coarsest, side // 4) for _ in range(2))),
            ]
        )
        self.up = nn.ModuleList(
            [
                nn.Sequential(
                    convolution(coarsest + coarse, coarse), Lines(coarse, side // 2), convolution(coarse, coarse)
                ),
                nn.Sequential(
                    convolution(coarse + fine, fine),
                    Lines(fine, side),
                    convolution(fine, fine),
                    convolution(fine, fine),
                ),
            ]
        )
        self.exit = nn.Conv2d(fine, 3 * _SHUFFLE**2, 3, padding=1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Pictures (B, 3, SIDE, SIDE) of display values; ``inputs`` (B, INPUTS, SIDE, SIDE) are from ``inputs_of``."""
        levels = [self.entry(F.pixel_unshuffle(inputs, _SHUFFLE))]
        for down in self.down:
            levels.append(down(levels[-1]))
        y = levels.pop()
        for up in self.up:
            skip = levels.pop()
            y = up(torch.cat([F.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False), skip], 1))
        begun, holes = (inputs[:, :3] + 1) / 2, inputs[:, 3:]
        return begun + holes * F.pixel_shuffle(self.exit(y), _SHUFFLE)


class Lines(nn.Module):
    """Every place looks along its row, then along its column (Ho et al. 2019, axial attention)."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(1, width) for _ in range(2))
        self.places = nn.ParameterList(nn.Parameter(0.02 * torch.randn(width, side)) for _ in range(2))
        self.asked = nn.ModuleList(nn.Conv2d(width, 3 * width, 1) for _ in range(2))
        self.told = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, side, side) from the same."""
        for axis, (norm, place, asked, told) in enumerate(
            zip(self.norms, self.places, self.asked, self.told, strict=True)
        ):
            where = place[:, None, :] if axis == 0 else place[:, :, None]
            found = _along(asked(norm(x) + where), axis == 0)
            x = x + told(found)
        return x


def _along(asked: Tensor, rows: bool) -> Tensor:
    """Attention within rows, or within columns, of queries, keys and values (B, 3 W, h, w)."""
    queries = asked if rows else asked.transpose(2, 3)
    batch, width, height, length = queries.shape
    parts = queries.reshape(batch, 3, _HEADS, width // 3 // _HEADS, height, length).permute(1, 0, 4, 2, 5, 3)
    q, k, v = parts.reshape(3, batch * height, _HEADS, length, width // 3 // _HEADS).unbind(0)
    seen = F.scaled_dot_product_attention(q, k, v).reshape(batch, height, _HEADS, length, -1)
    told = seen.permute(0, 2, 4, 1, 3).reshape(batch, width // 3, height, length)
    return told if rows else told.transpose(2, 3)


def inputs_of(begun: Tensor, holes: Tensor) -> Tensor:
    """What the network sees, (B, INPUTS, h, w).

    Args:
        begun: (B, 3, h, w) display values 0..1, filled smoothly in their holes.
        holes: (B, 1, h, w), 1 where nothing is known.
    """
    return torch.cat([2 * begun - 1, holes], 1)


def ground_net(weights: Path = WEIGHTS) -> GroundNet:
    """The network with the weights that ship with the product."""
    return with_weights(GroundNet(), weights)
