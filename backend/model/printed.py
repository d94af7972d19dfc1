"""How strongly shadows are printed into a picture, measured by their outlines alone.

A shadow of somebody who never moves is in every frame, so no other frame tells how the ground looks without it. But
its outline is known from the body and the sun, and a shadow of density d makes a step of d in the logarithm of the
picture all along that outline. Other edges of the picture cross the outline as often one way as the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

# As core.opacity.FLOOR.
_FLOOR = 1 / 32
_BLUR = 1.0
"""Pixels by which outlines are forgiven for lying beside the true ones."""
_STEEPEST = 0.25
"""Edges of things are steeper than those of shadows, and should not count for more."""
_LEAST_OUTLINE = 3.0
_FAINT = 0.1
_TOLD_BY = 16
_ELSEWHERE = tuple((i, j) for i in (-12, -8, 0, 8, 12) for j in (-24, -18, -12, 12, 18, 24))
"""Pixels down and to the right by which a shadow is moved to where there is none."""
_LEAST_DOUBT = 0.02
_CLEARER = (1.5, 3.0)
"""So many times as clear as elsewhere is nothing yet, or beyond doubt."""
_AS_OTHERS = 0.8
"""So far is somebody's shadow believed in because another's is."""
_DARKEST = 1.2
_COLORED = (0.4, 1.7)
"""A shadow takes at least, and at most, so much of a colour, in shares of the mean."""
_A_SHADOW, _AS_FULL = (0.5, 0.65), 0.9
"""Outlines that lie beside the true ones tell too little. What is so many times as deep as a full shadow is taken to be
one, and for at least this much of it."""
_ROUGHLY = 0.35
"""What a blur leaves of the squares of an outline's slopes, about."""


@dataclass(frozen=True)
class _Print:
    """What the outlines of somebody's shadow tell."""

    shift: tuple[int, int]
    """Pixels down and to the right at which they are clearest."""
    density: Tensor
    """(3,)"""
    clarity: Tensor
    """() how many times as dark as at places where no shadow is to be expected."""
    outline: Tensor
    """() how much of it there is, in squared slopes."""


@dataclass(frozen=True)
class Printed:
    """How dark everybody's shadow on one surface is, and how far from where it would fall.

    A few numbers, because the densities themselves would be as large as the effects of the whole clip.
    """

    depths: Tensor
    """(N, 3) densities of full shadows; 0 of whom no outline tells."""
    shifts: tuple[tuple[int, int], ...]
    """Of each of the N, pixels down and to the right."""

    def densities(self, shadows: Tensor) -> Tensor:
        """Those of shadows (N, h, w) 0..1 of one frame: (N, 3, h, w)."""
        moved = torch.stack([one.roll(by, (0, 1)) for one, by in zip(shadows, self.shifts, strict=True)])
        return self.depths[:, :, None, None] * moved[:, None]


def told_by_outlines(plate: Tensor, seen: Tensor, shadows: Tensor, full: Tensor | None) -> Printed:
    """Everybody's shadow on one surface, also of who never moves, as dark as outlines tell.

    Each is moved by a few pixels to where its outlines are clearest. On one surface and under one sun all shadows are
    equally dark, so the clearest and longest outlines tell it for all; and where somebody casts a shadow beyond doubt,
    so does everybody else. Where nobody does, what is no clearer than at places where no shadow is to be expected
    counts nothing.

    Args:
        plate: (T, 3, h, w) display values.
        seen: (T, h, w) 0 or 1, 0 where a body hides the ground.
        shadows: (T, N, h, w) 0..1, where they would fall.
        full: (3,) the density of shadows of known ground, of which the colour is taken, and the depth where outlines
            tell of about as much; None where nothing is known.
    """
    people = shadows.shape[1]
    depths, shifts = torch.zeros(people, plate.shape[1]), [(0, 0)] * people
    frames = torch.linspace(0, len(plate) - 1, min(_TOLD_BY, len(plate))).round().long()
    edges = Edges(plate[frames], seen[frames])
    there = [who for who in range(people) if shadows[:, who].amax() > _FAINT]
    prints = {who: _measured(edges, shadows[frames, who]) for who in there}
    clear = [each for each in prints.values() if each.clarity > _CLEARER[0]]
    if not clear:
        return Printed(depths, tuple(shifts))
    weights = torch.stack([each.clarity**2 * each.outline for each in clear])
    density = (weights[:, None] * torch.stack([each.density for each in clear])).sum(0) / weights.sum()
    if full is not None:
        share = density.mean() / full.mean()
        low, high = _A_SHADOW
        surely = ((share - low) / (high - low)).clamp(0, 1)
        density = full * (share + surely * (_AS_FULL - share).clamp(min=0))
    density = density.clamp(_COLORED[0] * density.mean(), _COLORED[1] * density.mean()).clamp(max=_DARKEST)
    trusts = {
        who: ((each.clarity - _CLEARER[0]) / (_CLEARER[1] - _CLEARER[0])).clamp(0, 1) for who, each in prints.items()
    }
    surest = torch.stack(list(trusts.values())).amax()
    for who, each in prints.items():
        depths[who], shifts[who] = torch.maximum(trusts[who], _AS_OTHERS * surest) * density, each.shift
    return Printed(depths, tuple(shifts))


def _measured(edges: Edges, shadow: Tensor) -> _Print:
    """What is printed of one shadow (F, h, w)."""
    outline = edges.outline(shadow)

    def moved(by: tuple[int, int]) -> Tensor:
        return edges.density(shadow.roll(by, (1, 2)), outline)

    best, density = (0, 0), moved((0, 0))
    for step in (2, 1):
        for by in [(best[0] + i * step, best[1] + j * step) for i in range(-2, 3) for j in range(-2, 3)]:
            tried = moved(by)
            if tried.mean() > density.mean():
                best, density = by, tried
    doubt = torch.stack([moved(by).mean() for by in _ELSEWHERE]).square().mean().sqrt().clamp(min=_LEAST_DOUBT)
    return _Print(best, density, density.mean() / doubt, outline)


class Edges:
    """The slopes of F frames where the ground is seen."""

    def __init__(self, plate: Tensor, seen: Tensor) -> None:
        """``plate`` (F, 3, h, w) display values, ``seen`` (F, h, w) 0 or 1."""
        blurred = _blurred(seen)
        light = _blurred(torch.log(plate + _FLOOR) * seen[:, None]) / blurred.clamp(min=1e-3)[:, None]
        self._seen = seen * (blurred > 0.9)
        slopes = [slope.clamp(-_STEEPEST, _STEEPEST) * self._seen[:, None] for slope in _slopes(light)]
        grey = [slope.mean(1) for slope in slopes]
        self._length = torch.stack(grey).norm() + 1e-3
        # What a shadow's blurred slopes have in common with these is what the shadow itself has with their source.
        sources = _blurred(_source(*slopes))
        self._source = sources.mean(1)
        self._sources = sources.movedim(1, 0).flatten(1).contiguous()

    def cosine(self, shadows: Tensor) -> Tensor:
        """How much of all slopes the shadows (K, F, N, h, w) of N people explain together, 0..1: (K,)."""
        along = (shadows * self._source[:, None]).sum((1, 3, 4))
        own = torch.stack([(slope**2 * self._seen[:, None]).sum((1, 3, 4)) for slope in _slopes(shadows)])
        explained = along.clamp(min=0) ** 2 / (_ROUGHLY * own.sum(0) + _LEAST_OUTLINE)
        cosine: Tensor = explained.sum(1).sqrt() / self._length
        return cosine

    def density(self, shadow: Tensor, outline: Tensor) -> Tensor:
        """The density (3,) per channel of shadows (F, h, w) that is printed along their outlines; may be below 0."""
        return self._sources @ shadow.flatten() / (outline + _LEAST_OUTLINE)

    def outline(self, shadow: Tensor) -> Tensor:
        """() all squared slopes of shadows (F, h, w) where the ground is seen; a small move hardly changes them."""
        return torch.stack([(own**2 * self._seen).sum() for own in _slopes(_blurred(shadow))]).sum()


def _source(across: Tensor, down: Tensor) -> Tensor:
    """What slopes (..., h, w) flow out of: the adjoint of ``_slopes``, with the sign of a shadow, which is dark."""
    across, down = across.clone(), down.clone()
    across[..., -1], down[..., -1, :] = 0, 0
    return across - F.pad(across[..., :-1], (1, 0)) + down - F.pad(down[..., :-1, :], (0, 0, 1, 0))


def _slopes(values: Tensor) -> list[Tensor]:
    """The steps to the next pixel to the right and below, of values (..., h, w)."""
    return [
        F.pad(values[..., 1:] - values[..., :-1], (0, 1)),
        F.pad(values[..., 1:, :] - values[..., :-1, :], (0, 0, 0, 1)),
    ]


def _blurred(values: Tensor) -> Tensor:
    """(..., h, w), by a Gaussian of ``_BLUR`` pixels."""
    reach = round(3 * _BLUR)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * _BLUR**2))
    kernel = kernel / kernel.sum()
    flat = values.reshape(-1, 1, *values.shape[-2:])
    across = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="replicate"), kernel[None, None, None])
    both = F.conv2d(F.pad(across, (0, 0, reach, reach), mode="replicate"), kernel[None, None, :, None])
    return both.reshape(values.shape)
