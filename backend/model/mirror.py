"""Whether the ground reflects people, told by the colours that it shows below them.

A reflection takes the colours of who stands there, brighter or darker than the ground, while a shadow only dims what
is there. So what changes below the feet is explained by the ground, by what is behind the bodies (which a mirror
shows when they are gone) and by the bodies themselves, and these must explain a share of what nothing else does:
somebody in dark clothes mostly dims the ground, as a shadow does.

Where it does, that law tells every reflection roughly, also that of somebody who stays in one place.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from backend.model.sunlight import mirrored, standing

# Frames that tell.
_TOLD_BY = 16
# Of what nothing else explains of the change, bodies must explain so much until the ground may, and surely does,
# reflect; and it shows so much of a body at least.
_OWN_SHARE, _LEAST = (0.05, 0.1), 0.03
# Less of the change than this that nothing else explains may be chance.
_LEFT = 0.2
# Nearer below the feet than this share of a body's height may be a shoe that its mask leaves out.
_APART = 0.1
# How much of a body is mirrored at least where that tells by which share bodies are, and of others at most.
_WHOLLY, _ANYBODY = 0.9, 0.02
# Keeps the solution calm where two of the explanations look alike, as a share of their squares.
_RIDGE, _GRAIN = 1e-3, 1e-2


def reflecting(plate: Tensor, background: Tensor, masks: Tensor, sway: Tensor, seen: Tensor) -> Tensor:
    """() 0..1: how surely the ground reflects people.

    Args:
        plate, background: (T, 3, h, w) display values.
        masks: (T, N, h, w) whole bodies.
        sway: (T, N) see ``sunlight.standing``.
        seen: (T, h, w) 0 or 1, 0 where a body hides the ground.
    """
    frames, people = _telling(len(plate)), standing(masks, sway)
    feet, apart = people.feet[frames], _APART * people.height
    plate, background, masks, seen = (values[frames] for values in (plate, background, masks, seen))
    change = plate - background
    squares, along, all_of_it = torch.zeros(3, 3), torch.zeros(3), torch.zeros(())
    for body, foot in zip(masks.unbind(1), feet.unbind(1), strict=True):
        below = (mirrored(body, foot) > 0.5) & (seen > 0.5) & (_rows(body) > foot[:, None, None] + apart)
        there = below[:, None]
        told = torch.stack(
            [_reflected(plate * body[:, None], foot), _reflected(background * body[:, None], foot), background]
        )
        told = told * there
        squares += torch.einsum("afchw,bfchw->ab", told, told)
        along += torch.einsum("afchw,fchw->a", told, change)
        all_of_it += (there * change**2).sum()
    with_bodies, shown = _explained(squares, along)
    without, _ = _explained(squares[1:, 1:], along[1:])
    low, high = _OWN_SHARE
    left = torch.maximum(all_of_it - without, _LEFT * all_of_it).clamp(min=1e-6)
    share = (with_bodies - without) / left
    return ((share - low) / (high - low)).clamp(0, 1) * (shown[0] > _LEAST)


def with_reflections(plate: Tensor, background: Tensor, masks: Tensor, sway: Tensor, seen: Tensor) -> Iterator[Tensor]:
    """The background as the ground shows it with everybody's reflection, frame by frame: (3, h, w) display values.

    The arguments are those of ``reflecting``. A reflection is the body, what goes from the ground for it, and what the
    ground showed before it came, each by a share that is the same for all people, places and colours.
    """
    people, frames = standing(masks, sway), _telling(len(plate))
    feet, apart = people.feet, _APART * people.height
    squares, along = torch.zeros(3, 3), torch.zeros(3)
    for frame in frames:
        change = plate[frame] - background[frame]
        shown = [_shown(plate[frame], background[frame], *one) for one in zip(masks[frame], feet[frame], strict=True)]
        amount = torch.stack([there for there, _ in shown])
        for who, (there, parts) in enumerate(shown):
            told = (there > _WHOLLY) & (seen[frame] > 0.5) & (amount.sum(0) - amount[who] < _ANYBODY)
            told &= (_rows(masks) > feet[frame, who] + apart)[0]
            squares += torch.einsum("achw,bchw,hw->ab", parts, parts, told.float())
            along += torch.einsum("achw,chw,hw->a", parts, change, told.float())
    _, shares = _explained(squares, along)
    for picture, ground, bodies, rows in zip(plate, background, masks, feet, strict=True):
        parts = torch.stack([_shown(picture, ground, *one)[1] for one in zip(bodies, rows, strict=True)]).sum(0)
        yield (ground + torch.einsum("a,achw->chw", shares, parts)).clamp(0, 1)


def upside_down(masks: Tensor, sway: Tensor) -> Tensor:
    """(T, N, h, w): everybody's body (T, N, h, w) as the ground would show it."""
    feet = standing(masks, sway).feet
    return torch.stack([mirrored(*one) for one in zip(masks.unbind(1), feet.unbind(1), strict=True)], 1)


def _telling(count: int) -> Tensor:
    """Which of so many frames tell of the ground."""
    return torch.linspace(0, count - 1, min(_TOLD_BY, count)).round().long()


def _shown(picture: Tensor, ground: Tensor, body: Tensor, foot: Tensor) -> tuple[Tensor, Tensor]:
    """Where a body (h, w) would be mirrored (h, w), and there itself, the ground, and 1, as (3, 3, h, w)."""
    there = mirrored(body[None], foot[None])[0]
    colors = mirrored(picture * body, foot.expand(3))
    return there, torch.stack([colors, ground * there, there.expand_as(ground)])


def _explained(squares: Tensor, along: Tensor) -> tuple[Tensor, Tensor]:
    """What least squares explains () of a sum of squares, and by how much of each."""
    ridge = (_GRAIN + _RIDGE * squares.diagonal().mean()) * torch.eye(len(squares))
    shares = torch.linalg.solve(squares + ridge, along)
    return 2 * along @ shares - shares @ squares @ shares, shares


def _reflected(pictures: Tensor, feet: Tensor) -> Tensor:
    """Pictures (F, 3, h, w) seen in a floor at rows ``feet`` (F,)."""
    return torch.stack([mirrored(channel, feet) for channel in pictures.unbind(1)], 1)


def _rows(masks: Tensor) -> Tensor:
    return torch.arange(masks.shape[-2], dtype=torch.float32)[None, :, None]
