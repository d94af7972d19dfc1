"""Where shadows fall: everybody laid on the ground, and moved onto a wall, by one sun for the whole clip.

Convolutions are poor at moving a silhouette by a distance that another part of the picture tells. So the few numbers
that say how shadows lie are fitted first, by trying, and the networks are shown every silhouette where it would fall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

CASTS = 3
# What is tried: of a shadow on the ground, how far it reaches sideways and down the picture, in heights of the person;
# of one on a wall, how far it lies away, in heights. All with both signs.
_SIDEWAYS = (0.0, 0.2, 0.45, 0.75, 1.1, 1.5, 2.0, 2.6, 3.3)
_DOWN = (0.07, 0.14, 0.22, 0.32, 0.45, 0.65)
_WALL_X = (0.0, 0.1, 0.2, 0.35, 0.55, 0.8, 1.1, 1.5)
_WALL_Y = (0.0, 0.1, 0.2, 0.35, 0.55)
_FLATTEST = 0.05
# The best is looked for once more around what was found, this finely, in two rounds.
_GROUND_STEP, _WALL_STEP = (0.25, 0.06), (0.1, 0.08)
_FINER = (1.0, 0.4)
# A density that counts as a whole shadow.
_WHOLE = 0.25
_AT_ONCE = 24

_Project = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From masks (M, h, w), what is known of each (M,) and a sun for each (M, 2) to shadows (M, h, w)."""


@dataclass(frozen=True)
class Sun:
    """How shadows fall in a clip."""

    ground: Tensor
    """(2,): sideways and down the picture, in heights of the person."""
    wall: Tensor
    """(2,): to the right and down, in heights of the person."""
    trust: Tensor
    """(2,) 0..1: how well each explains the darkness, as a cosine."""


def find_sun(masks: Tensor, darkness: Tensor, seen: Tensor) -> Sun:
    """The sun that explains best what is dark beside people; people who stand still take it from the others.

    Args:
        masks: (T, N, h, w) whole bodies.
        darkness: (T, h, w) density by which the plate is darker than the background.
        seen: (T, h, w) 0 where a body hides the background.
    """
    small, seen = _halved(masks), _halved(seen)
    dark = (_halved(darkness) / _WHOLE).clamp(0, 1) * seen
    feet, heights = (values.reshape(masks.shape[:2]) for values in _feet_and_height(small.flatten(0, 1)))
    ground, first = _fitted(on_ground, small, feet, dark, seen, _pairs(_SIDEWAYS, _DOWN), _GROUND_STEP)
    lying = on_ground(small.flatten(0, 1), feet.flatten(), ground.expand(feet.numel(), 2)).reshape(small.shape)
    rest = dark * (1 - lying.amax(1))
    wall, second = _fitted(on_wall, small, heights, rest, seen, _pairs(_WALL_X, _WALL_Y), _WALL_STEP)
    return Sun(ground, wall, torch.stack([first, second]))


def cast(masks: Tensor, sun: Sun) -> Tensor:
    """Where everybody's shadow would fall on the ground and on a wall, and the reflection in the ground.

    Args:
        masks: (T, N, h, w).

    Returns:
        (T, N, 3, h, w) 0..1; shadows are weighed by the trust in them.
    """
    flat = masks.flatten(0, 1)
    feet, heights = _feet_and_height(flat)
    count = len(flat)
    ground = on_ground(flat, feet, sun.ground.expand(count, 2)) * sun.trust[0]
    wall = on_wall(flat, heights, sun.wall.expand(count, 2)) * sun.trust[1]
    mirror = on_ground(flat, feet, torch.tensor([0.0, 1.0]).expand(count, 2))
    return torch.stack([ground, wall, mirror], 1).reshape(*masks.shape[:2], CASTS, *masks.shape[2:])


def on_ground(masks: Tensor, feet: Tensor, sun: Tensor) -> Tensor:
    """Masks (M, h, w) of people who stand on the rows ``feet`` (M,), sheared about their feet by ``sun`` (M, 2)."""
    sideways, down = sun.unbind(-1)
    down = torch.where(down.abs() < _FLATTEST, torch.where(down < 0, -_FLATTEST, _FLATTEST), down)
    one, zero = torch.ones_like(down), torch.zeros_like(down)
    across = torch.stack([one, -sideways / down, sideways * feet / down], -1)
    upright = torch.stack([zero, -1 / down, feet * (1 + 1 / down)], -1)
    return _read(masks, torch.stack([across, upright], 1))


def on_wall(masks: Tensor, heights: Tensor, sun: Tensor) -> Tensor:
    """Masks (M, h, w) of people of these heights (M,) in rows, moved by ``sun`` (M, 2) heights."""
    one, zero = torch.ones_like(heights), torch.zeros_like(heights)
    across = torch.stack([one, zero, -sun[:, 0] * heights], -1)
    upright = torch.stack([zero, one, -sun[:, 1] * heights], -1)
    return _read(masks, torch.stack([across, upright], 1))


def _read(masks: Tensor, matrices: Tensor) -> Tensor:
    """Each mask (M, h, w) read at its matrix (M, 2, 3) times the pixel (x, y, 1); 0 outside."""
    height, width = masks.shape[1:]
    to_pixels = torch.tensor([[width / 2, 0, width / 2 - 0.5], [0, height / 2, height / 2 - 0.5], [0, 0, 1]])
    scale = torch.tensor([2 / width, 2 / height])
    read = (matrices @ to_pixels) * scale[:, None]
    shift = torch.tensor([[0, 0, 1 / width - 1], [0, 0, 1 / height - 1]])
    grid = F.affine_grid(read + shift, [len(masks), 1, height, width], align_corners=False)
    return F.grid_sample(masks[:, None], grid, align_corners=False)[:, 0]


def _feet_and_height(masks: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest row (M,) and the height in rows (M,) of masks (M, h, w); nobody is 0 high."""
    body = (masks > 0.5).any(2)
    rows = torch.arange(masks.shape[1], dtype=torch.float32)
    lowest = torch.where(body, rows, -1).amax(1)
    highest = torch.where(body, rows, float(masks.shape[1])).amin(1)
    return lowest, (lowest - highest + 1).clamp(min=0)


def _fitted(
    project: _Project,
    masks: Tensor,
    known: Tensor,
    dark: Tensor,
    seen: Tensor,
    tried: Tensor,
    step: tuple[float, float],
) -> tuple[Tensor, Tensor]:
    """The best of what is ``tried`` (K, 2), made finer, and its cosine."""
    cosines = _cosines(project, masks, known, dark, seen, tried)
    best, cosine = tried[cosines.argmax()], cosines.max()
    for scale in _FINER:
        steps = torch.linspace(-scale, scale, 5)
        near = best + torch.cartesian_prod(steps, steps) * torch.tensor(step)
        cosines = _cosines(project, masks, known, dark, seen, near)
        best, cosine = near[cosines.argmax()], torch.maximum(cosine, cosines.max())
    return best, cosine


def _cosines(project: _Project, masks: Tensor, known: Tensor, dark: Tensor, seen: Tensor, tried: Tensor) -> Tensor:
    """The cosine between everybody's shadow and the darkness, for every sun that is tried (K, 2): (K,)."""
    frames, people = masks.shape[:2]
    flat, length, found = masks.flatten(0, 1), (dark * dark).sum().sqrt(), []
    for suns in torch.split(tried, _AT_ONCE):
        count = len(suns)
        shadows = project(
            flat.repeat(count, 1, 1), known.flatten().repeat(count), suns.repeat_interleave(frames * people, 0)
        )
        each = shadows.reshape(count, frames, people, *masks.shape[2:]) * seen[:, None]
        # Whoever stands still has the shadow in the background, where nothing is seen of it, and has no vote.
        told = (each * dark[:, None]).sum((1, 3, 4)) / (each.sum((1, 3, 4)) + 1e-3)
        vote = told / (told.amax(1, keepdim=True) + 1e-6)
        fallen = (each * vote[:, None, :, None, None]).amax(2)
        size = (fallen * fallen).flatten(1).sum(1).sqrt()
        found.append((fallen * dark).flatten(1).sum(1) / (size * length + 1e-3))
    return torch.cat(found)


def _pairs(first: tuple[float, ...], second: tuple[float, ...]) -> Tensor:
    """All pairs with both signs, (K, 2)."""
    signed = [sorted({sign * value for value in values for sign in (-1, 1)}) for values in (first, second)]
    return torch.cartesian_prod(*(torch.tensor(values) for values in signed))


def _halved(values: Tensor) -> Tensor:
    """(..., h, w) at half the size."""
    return F.avg_pool2d(values.reshape(-1, 1, *values.shape[-2:]), 2)[:, 0].reshape(
        *values.shape[:-2], values.shape[-2] // 2, values.shape[-1] // 2
    )
