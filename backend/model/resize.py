"""Bilinear enlargement whose gradients come out the same every time, on a graphics card too."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

# What a pixel gives to those of twice the size, along one axis.
_SPREAD = (0.25, 0.75, 0.75, 0.25)


def doubled(pictures: Tensor) -> Tensor:
    """(B, C, h, w) at twice the size, as ``F.interpolate`` does it."""
    if not pictures.is_cuda:
        return F.interpolate(pictures, scale_factor=2, mode="bilinear", align_corners=False)
    found: Tensor = _Doubled.apply(pictures)  # type: ignore[no-untyped-call]
    return found


def enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Small maps (B, C, h, w) at a size (H, W), as ``F.interpolate`` does it."""
    rows, columns = (_weights(few, many, maps) for few, many in zip(maps.shape[-2:], size, strict=True))
    return rows @ maps @ columns.mT


class _Doubled(torch.autograd.Function):
    """On a card, torch adds up the gradient of its own enlargement in any order."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor) -> Tensor:
        return F.interpolate(pictures, scale_factor=2, mode="bilinear", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return doubled_adjoint(gradients[0])


def doubled_adjoint(gradient: Tensor) -> Tensor:
    """What ``doubled`` makes of a gradient (B, C, 2h, 2w) on the way back: (B, C, h, w)."""
    channels = gradient.shape[1]
    kernel = _kernel(gradient.dtype, gradient.device).expand(channels, 1, 4, 4)
    return F.conv2d(F.pad(gradient, (1, 1, 1, 1), mode="replicate"), kernel, stride=2, groups=channels)


@cache
def _kernel(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Made once: a recorded step (``train.recorded``) must copy nothing to a card."""
    along = torch.tensor(_SPREAD, dtype=dtype, device=device)
    return torch.outer(along, along)


def _weights(few: int, many: int, like: Tensor) -> Tensor:
    """(many, few): how values along an axis are mixed when there are to be more of them."""
    each = torch.eye(few, dtype=like.dtype, device=like.device)[None]
    return F.interpolate(each, size=many, mode="linear", align_corners=False)[0].T
