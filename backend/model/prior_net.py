"""What shadows and reflections look like in general: a network trained once, on drawn scenes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.model.convolution import convolution
from backend.model.sunlight import CASTS

FEATURES = 14 + 2 * CASTS
_SHADOW, _DEPTH, _REFLECTION = 1, 3, 3
_OUTPUTS = _SHADOW + _DEPTH + _REFLECTION
_SHUFFLE = 2
_MOST_DENSITY = 2.0


@dataclass(frozen=True)
class Evidence:
    """What a clip shows of F frames and N people before anybody's effects are known; (S, F, ...) for S clips.

    Attributes:
        plate: (S, F, 3, h, w) display values.
        observed: (S, F, 3, h, w) signed density between the background as known so far and the plate, 0 under bodies.
        masks: (S, F, N, h, w) whole bodies.
        seen: (S, F, h, w) 0 where a body hides the background.
        distance: (S, F, N, h, w) squared distance from each person in body heights.
        restless: (S, F, h, w) change from frame to frame in display values.
        free: (S, F, h, w) share of the clip's frames in which nobody was near.
        darkest: (S, F, h, w) the largest density ever observed.
        cast: (S, F, N, 3, h, w) where shadows would fall, see ``model.sunlight``.
    """

    plate: Tensor
    observed: Tensor
    masks: Tensor
    seen: Tensor
    distance: Tensor
    restless: Tensor
    free: Tensor
    darkest: Tensor
    cast: Tensor

    def features(self) -> Tensor:
        """(S, F, N, FEATURES, h, w): all of it as each person's input."""
        people = self.masks.shape[2]
        near = torch.exp(-self.distance)
        if people > 1:
            others = torch.stack([_without(self.masks, i).amax(2) for i in range(people)], 2)
            others_near = torch.stack([_without(near, i).amax(2) for i in range(people)], 2)
            others_cast = torch.stack([_without(self.cast, i).amax(2) for i in range(people)], 2)
        else:
            others, others_near = torch.zeros_like(self.masks), torch.zeros_like(near)
            others_cast = torch.zeros_like(self.cast)
        shared = torch.cat(
            [
                self.seen[:, :, None],
                self.observed.clamp(-_MOST_DENSITY, _MOST_DENSITY),
                self.plate,
                (self.restless[:, :, None] * 20).clamp(max=2),
                self.free[:, :, None],
                self.darkest[:, :, None].clamp(0, _MOST_DENSITY),
            ],
            2,
        )
        shared = shared[:, :, None].expand(-1, -1, people, -1, -1, -1)
        own = torch.stack([self.masks, others, near, others_near], 3)
        return torch.cat([own, shared, self.cast, others_cast], 3)


def _without(values: Tensor, person: int) -> Tensor:
    return torch.cat([values[:, :, :person], values[:, :, person + 1 :]], 2)


class PriorNet(nn.Module):
    """From a clip's evidence to everybody's effects, without any training on the clip.

    At its coarsest level every person's features meet the mean over all people and frames of the clip: the sun
    is the same for all of them, and what one shadow tells holds for the others.
    """

    def __init__(self, width: int = 48, levels: int = 4) -> None:
        super().__init__()
        channels = [width, *([width * 2] * (levels - 1))]
        deep = channels[-1]
        self.entry = convolution(FEATURES * _SHUFFLE**2, width)
        self.down = nn.ModuleList(
            nn.Sequential(convolution(a, b, stride=2), convolution(b, b)) for a, b in pairwise(channels)
        )
        self.common = nn.Sequential(nn.Linear(2 * deep, deep), nn.LeakyReLU(0.1), nn.Linear(deep, deep))
        self.meet = nn.Sequential(convolution(2 * deep, deep), convolution(deep, deep))
        self.up = nn.ModuleList(convolution(a + b, a) for a, b in pairwise(channels))
        self.exit = nn.Conv2d(width, _OUTPUTS * _SHUFFLE**2, 3, padding=1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Signed densities (see ``core.opacity``) of each person alone and of all together.

        Args:
            features: (S, F, N, FEATURES, h, w) as ``Evidence.features`` makes them.

        Returns:
            (S, F, N, 3, h, w) and (S, F, 3, h, w).
        """
        s, f, n, _, h, w = features.shape
        x = F.pixel_unshuffle(features.flatten(0, 2), _SHUFFLE).contiguous(memory_format=torch.channels_last)
        levels = [self.entry(x)]
        for down in self.down:
            levels.append(down(levels[-1]))
        y = self._met(levels.pop(), s)
        for up in reversed(self.up):
            skip = levels.pop()
            y = up(torch.cat([F.interpolate(y, size=skip.shape[-2:], mode="bilinear", align_corners=False), skip], 1))
        out = F.pixel_shuffle(self.exit(y), _SHUFFLE).reshape(s, f, n, _OUTPUTS, h, w)
        return _densities(out)

    def _met(self, deep: Tensor, clips: int) -> Tensor:
        each = deep.reshape(clips, -1, *deep.shape[1:])
        summary = self.common(torch.cat([each.mean((1, 3, 4)), each.amax((3, 4)).mean(1)], 1))
        spread = summary[:, None, :, None, None].expand(-1, each.shape[1], -1, *deep.shape[2:])
        met: Tensor = self.meet(torch.cat([deep, spread.reshape(deep.shape)], 1))
        return deep + met


def _densities(out: Tensor) -> tuple[Tensor, Tensor]:
    """As ``model.shading``: sunlight can be taken away only once."""
    shadow = torch.sigmoid(out[:, :, :, :_SHADOW] - 3)
    depth = 0.97 * torch.sigmoid(out[:, :, :, _SHADOW : _SHADOW + _DEPTH])
    reflection = 0.1 * out[:, :, :, _SHADOW + _DEPTH :]
    alone = -torch.log(1 - depth * shadow) + reflection
    weight = shadow + 1e-3
    shared_depth = (depth * weight).sum(2) / weight.sum(2)
    taken = 1 - functools.reduce(torch.mul, (1 - shadow).unbind(2))
    return alone, -torch.log(1 - shared_depth * taken) + reflection.sum(2)
