"""Whether the ground reflects people, told by the colours that it shows below them.

A reflection takes the colours of who stands there, brighter or darker than the ground, while a shadow only dims what
is there. So what changes below the feet is explained by the ground, by what is behind the bodies (which a mirror
shows when they are gone) and by the bodies themselves, and these must explain a share of what nothing else does:
somebody in dark clothes mostly dims the ground, as a shadow does.
"""

from __future__ import annotations

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
    frames = torch.linspace(0, len(plate) - 1, min(_TOLD_BY, len(plate))).round().long()
    people = standing(masks, sway)
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


def upside_down(masks: Tensor, sway: Tensor) -> Tensor:
    """(T, N, h, w): everybody's body (T, N, h, w) as the ground would show it."""
    feet = standing(masks, sway).feet
    return torch.stack([mirrored(*one) for one in zip(masks.unbind(1), feet.unbind(1), strict=True)], 1)


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
