"""Where shadows fall: everybody laid on the ground, and from there up a wall, by one sun for the whole clip.

Convolutions are poor at moving a silhouette by a distance that another part of the picture tells. So the few numbers
that say how shadows lie are fitted first (``model.sun_search``), and the networks are shown every silhouette where it
would fall.

A body is taken for a flat upright picture that faces the camera, the ground for level, and a wall for parallel to the
picture. Then perspective is exact: a ground shadow is the silhouette seen through a homography, one on a wall through
a scale and a shift. Rows count from the top, pixel centres are whole numbers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

PLACES = 2
"""Where shadows fall: the ground, and a wall."""
CASTS = PLACES + 1
MIRROR = PLACES
"""The last of the casts: the reflection in the ground."""
_FLATTEST = 0.05
# Frames for which somebody may be in the air without the ground being looked for there.
_JUMP = 15
# Rows above the feet at which the horizon lies at least.
_LEAST_RISE = 4.0
_FAR = 1e4
# Higher than any row.
_NOBODY = -1e4
_AT_ONCE = 64
# As surely as a sun of this trust casts shadows, a ground that reflects shows reflections.
_MIRROR_TRUST = 0.6
_WITHIN_A_ROW = (-0.375, -0.125, 0.125, 0.375)


@dataclass(frozen=True)
class Standing:
    """Where everybody touches the ground in a clip of T frames and N people."""

    feet: Tensor
    """(T, N) rows; of somebody who jumps, the row below; -1 for nobody."""
    middle: Tensor
    """(T, N) the row on which people usually stand, where the camera shows it then and there."""
    height: Tensor
    """() how many rows tall they usually are."""

    def halved(self) -> Standing:
        """The same in pictures of half the size."""
        return Standing((self.feet - 0.5) / 2, (self.middle - 0.5) / 2, self.height / 2)

    def flat(self) -> Standing:
        """The same with one axis (T N,) for all frames and people."""
        return Standing(self.feet.flatten(), self.middle.flatten(), self.height)

    def repeated(self, count: int) -> Standing:
        """A flat one so many times over."""
        return Standing(self.feet.repeat(count), self.middle.repeat(count), self.height)

    def __getitem__(self, which: Any) -> Standing:
        """The same for some of the frames and people."""
        return Standing(self.feet[which], self.middle[which], self.height)


@dataclass(frozen=True)
class Sun:
    """How shadows fall in a clip."""

    light: Tensor
    """(4,): of a shadow on the ground, how far it reaches sideways and down the picture, in heights of the person who
    casts it; how high above the ground the camera is, in usual heights; and how much further away than people the
    foot of a wall is, as 0 (at the horizon, so there is none) to 1 (where people usually stand)."""
    trust: Tensor
    """() 0..1: how well it explains the darkness, as a cosine."""
    reflecting: Tensor = field(default_factory=lambda: torch.zeros(()))
    """() 0..1: how surely the ground reflects people, see ``model.mirror``."""


def standing(masks: Tensor, sway: Tensor) -> Standing:
    """Where everybody stands in masks (T, N, h, w) of whole bodies.

    ``sway`` (T, N) says how many rows further down everybody would stand if the camera kept still. Only then does
    it show who jumps and who doesn't, and where the horizon is.
    """
    body = (masks > 0.5).any(-1)
    rows = torch.arange(masks.shape[-2], dtype=torch.float32)
    lowest = torch.where(body, rows, -1.0).amax(-1)
    highest = torch.where(body, rows, float(masks.shape[-2])).amin(-1)
    heights = (lowest - highest + 1).clamp(min=0)
    there = heights > 0
    if not there.any():
        return Standing(lowest, torch.zeros_like(lowest), torch.tensor(1.0))
    sway = sway.expand_as(lowest)
    level = torch.where(there, lowest + sway, _NOBODY)
    head = torch.where(there, highest + sway, _NOBODY)
    feet = torch.where(there, _landed(level, head) - sway, lowest)
    return Standing(feet, level[there].median() - sway, heights[there].median())


def cast(masks: Tensor, sway: Tensor, sun: Sun) -> Tensor:
    """Where everybody's shadow would fall on the ground and on a wall, and the reflection in the ground.

    Args:
        masks: (T, N, h, w) of all frames, since they tell together where people stand.
        sway: (T, N) see ``standing``.
        sun: how shadows fall.

    Returns:
        (T, N, 3, h, w) 0..1.
    """
    people, flat = standing(masks, sway).flat(), masks.flatten(0, 1)
    some = torch.split(torch.arange(len(flat)), _AT_ONCE)
    casts = torch.cat([_cast(flat[part], people[part], sun) for part in some])
    return casts.reshape(*masks.shape[:2], CASTS, *masks.shape[2:])


def _cast(masks: Tensor, people: Standing, sun: Sun) -> Tensor:
    """As ``cast``, for masks (M, h, w) of people (M,): (M, 3, h, w)."""
    light = sun.light.expand(len(masks), 4)
    # A row of flat ground shows many rows of a silhouette.
    within = [fallen(masks, people, light, shift) for shift in _WITHIN_A_ROW]
    ground, wall = (torch.stack(parts).mean(0) for parts in zip(*within, strict=True))
    return torch.stack([ground, wall, mirrored(masks, people.feet)], 1)


def trusted(casts: Tensor, sun: Sun) -> Tensor:
    """Casts (..., 3, h, w) whose shadows are weighed by the trust in the sun.

    What is told of shadows on the ground is believed of reflections, too, where the ground is known to reflect.
    """
    ground, wall, mirror = casts.unbind(-3)
    ground = torch.maximum(ground * sun.trust, mirror * (_MIRROR_TRUST * sun.reflecting))
    return torch.stack([ground, wall * sun.trust, mirror], -3)


def shaded(masks: Tensor, sway: Tensor, sun: Sun) -> Tensor:
    """Where anybody's shadow would fall on the ground or a wall: (T, h, w) 0..1, of all frames as for ``cast``."""
    people, light = standing(masks, sway), sun.light.expand(masks.shape[1], 4)
    return torch.stack([torch.maximum(*fallen(mask, people[t], light)).amax(0) for t, mask in enumerate(masks)])


def cast_on_people(masks: Tensor, sway: Tensor, sun: Sun) -> Tensor:
    """Where everybody's shadow would fall on somebody who stands further away: (T, N, h, w) 0..1.

    Such a body is a wall that stands where that person does.

    Args:
        masks: (T, N, h, w) of all frames.
        sway: (T, N) see ``standing``.
        sun: how shadows fall.
    """
    people, light = standing(masks, sway), sun.light.expand(len(masks), 4)
    rise = sun.light[2] * people.height
    found = torch.zeros_like(masks)
    for caster, other in itertools.permutations(range(masks.shape[1]), 2):
        stands = ((people.feet[:, other] - people.middle[:, other] + rise) / rise).clamp(min=0)
        there = torch.cat([light[:, :3], stands[:, None]], 1)
        for some in torch.split(torch.arange(len(masks)), _AT_ONCE):
            _, risen = fallen(masks[some, caster], people[some, caster], there[some])
            found[some, caster] = torch.maximum(found[some, caster], risen * masks[some, other])
    return found


def fallen(masks: Tensor, people: Standing, light: Tensor, shift: float = 0.0) -> tuple[Tensor, Tensor]:
    """Shadows on the ground and on the wall behind it, both (M, h, w).

    With the horizon at row e and feet at f, a point z rows above the feet falls on the ground at row
    e + (f - e) / (1 + q z), where q tells how far from the camera a row of height is carried; what would fall
    beyond the wall's foot goes up the wall instead.

    Args:
        masks: (M, h, w) bodies.
        people: (M,) where they stand.
        light: (M, 4), see ``Sun``.
        shift: rows below the pixels' centres where they are asked for.
    """
    sideways, down, eyes, wall = (value[:, None, None] for value in light.unbind(-1))
    down = torch.where(down.abs() < _FLATTEST, torch.where(down < 0, -_FLATTEST, _FLATTEST), down)
    feet = people.feet[:, None, None]
    rise = eyes * people.height
    horizon = people.middle[:, None, None] - rise
    own = (feet - horizon).clamp(min=_LEAST_RISE)
    away = -down / rise
    y = _rows(masks) + shift
    # On the ground: how much smaller than its caster a shadow is there, then how high on the body it comes from.
    smaller = own / (y - horizon).clamp(min=1e-3)
    height = (smaller - 1) / away
    ground = _read(masks, smaller, -sideways * height, feet - height) * ((y > horizon + 0.5) & (height > -1))
    nearness = wall * rise / own
    there = (nearness > 0) & (nearness < 1) & (away > 0)
    if not there.any():
        return ground, torch.zeros_like(ground)
    foot, first = horizon + wall * rise, ((1 / nearness.clamp(min=1e-6) - 1) / away).clamp(-_FAR, _FAR)
    nearness = nearness.clamp(min=1e-3)
    risen = _read(masks, 1 / nearness, -sideways * first, feet - first - (foot - y) / nearness)
    behind = there & (y <= foot)
    return torch.where(behind, 0.0, ground), torch.where(behind, risen, 0.0)


def mirrored(masks: Tensor, feet: Tensor) -> Tensor:
    """Masks (M, h, w) as a mirror at rows ``feet`` (M,) shows them."""
    return _read(masks, torch.ones(1, 1, 1), torch.zeros(1, 1, 1), 2 * feet[:, None, None] - _rows(masks))


def _rows(masks: Tensor) -> Tensor:
    """(1, h, 1)"""
    return torch.arange(masks.shape[-2], dtype=torch.float32)[None, :, None]


def _read(masks: Tensor, wider: Tensor, aside: Tensor, rows: Tensor) -> Tensor:
    """Each mask (M, h, w) read so many times as far from its middle column, and aside, and at rows; 0 outside.

    All three are the same all along a row: (M or 1, h or 1, 1). So nearly all arithmetic is that of few numbers.
    """
    height, width = masks.shape[-2:]
    columns, per_pixel = torch.arange(width, dtype=torch.float32) - (width - 1) / 2, 2 / width
    grid = torch.empty(*masks.shape, 2)
    grid[..., 0] = torch.addcmul(per_pixel * aside, columns, per_pixel * wider)
    grid[..., 1] = (2 * rows + 1) / height - 1
    return F.grid_sample(masks[:, None], grid, align_corners=False)[:, 0]


def _landed(feet: Tensor, head: Tensor) -> Tensor:
    """The rows (T, N) on which people stand, of those who jump too: a closing over time (dilation, then erosion).

    At the ends of a clip nobody's landing is seen. Whose head goes up with the feet is in the air there; whose feet
    alone do walks away.
    """
    padded = F.pad(feet.T[:, None], (_JUMP, _JUMP), mode="replicate")[:, 0].T
    at_ends = torch.minimum(*(_closed(rows) - rows for rows in (feet, head)))
    return torch.maximum(_closed(padded)[_JUMP:-_JUMP], feet + at_ends)


def _closed(rows: Tensor) -> Tensor:
    """The closing of rows (T, N) over time, with nothing beyond the ends."""
    dilated = F.max_pool1d(rows.T[:, None], _JUMP, 1, _JUMP // 2)
    return -F.max_pool1d(-dilated, _JUMP, 1, _JUMP // 2)[:, 0].T
