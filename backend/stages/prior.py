"""The effects as they usually look: the first answer, before anything is learned from the clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from backend.core.color import Floats
from backend.core.one_by_one import filled
from backend.core.opacity import density
from backend.model.mirror import reflecting, upside_down, with_reflections
from backend.model.printed import Printed, told_by_outlines
from backend.model.prior_net import Evidence, PriorNet
from backend.model.stored import with_weights
from backend.model.sun_search import find_sun
from backend.model.sunlight import PLACES, Sun, cast_on_people, shaded, standing, trusted
from backend.stages.effects import TrainingBackground, never_clean, shadow_depth
from backend.train.shot_data import ShotData, channels_first, channels_last

WEIGHTS = Path(__file__).parents[1] / "model" / "prior.pt"
# Frames that are looked at together; they are spread over the whole clip.
_TOGETHER = 8
# The network was trained on smaller pictures; what it says of such ones counts as much.
_SMALLER = 0.7
# A sun that explains this much of the darkness (as a cosine) is a guess, or known; one that explains this much may be
# wrong for somebody, or is right for all.
_KNOWN, _FOR_ALL = (0.1, 0.3), (0.3, 0.6)
# A usual density of this much within so many pixels makes any effect plausible.
_USUAL = 0.04
_NEARBY = 5
# Shadows of known ground are told by what is usual, by what is seen of them, and by the weakest channel; ...
_FULL_USUAL, _FULL_MEAN, _FULL_LEAST = 0.08, 0.15, 0.05
# ... so many pixels are enough, and among them full shadows have these ranks: edges are less deep, contacts deeper.
_FULL_PIXELS, _FULL_RANKS = 300, (0.7, 0.95)
# Nothing that is usual is deeper than so many full shadows.
_DEEPER = 1.15
# Ground under a shadow in less of the clip than this is seen without; in more than that, it need not be.
_MOSTLY = (0.5, 0.7)
# Shadows that never move are nothing, or believed, where those that do are this share as deep. These tell nothing, or
# all, where they are this share of all.
_BORNE_OUT, _PASSING = (0.08, 0.2), (0.03, 0.08)
# From so much of a mirrored body on, what is dark is no shadow.
_MIRRORED = 0.02
# A ground without reflections tells better how strong they are, so often in turn.
_REFLECTIONS = 3
# Suns are found too high rather than too low, so a shadow may lie where one that is so many times as long would, or
# within so many body heights of there.
_LONGER, _AROUND = 1.5, 0.07


@cache
def prior_net(weights: Path = WEIGHTS) -> PriorNet:
    """The trained network."""
    return with_weights(PriorNet(), weights)


@torch.no_grad()
def usual_effects(
    net: PriorNet, data: ShotData, background: TrainingBackground, restless: Floats, sun: Sun
) -> tuple[Tensor, Tensor]:
    """Signed densities of everybody's effects as they usually look, alone (T, N, 3, h, w) and together (T, 3, h, w).

    Args:
        net: see ``prior_net``.
        data: the shot, with the closed-form background and the shadows that it tells of.
        background: where that came from.
        restless: (T, h, w) how much pixels change by themselves.
        sun: what casts the shadows, for how far they are to be trusted.
    """
    free, darkest = background.free_share(), background.darkest()
    alone = torch.zeros(*data.masks.shape[:2], *data.plate.shape[1:])
    together = torch.zeros_like(data.plate)
    observed = channels_first(density(channels_last(data.plate), channels_last(data.background))).to(alone.device)
    observed = observed * data.seen
    frames = len(data.plate)
    strides = max(1, round(frames / _TOGETHER))
    for start in range(strides):
        part = slice(start, None, strides)
        evidence = Evidence(
            plate=data.plate[part][None],
            observed=observed[part][None],
            masks=data.masks[part][None],
            seen=data.seen[part, 0][None],
            distance=data.distance[part, :, 0][None].clamp(max=30),
            restless=torch.as_tensor(restless[part])[None],
            free=torch.as_tensor(free[part])[None],
            darkest=torch.as_tensor(darkest[part])[None],
            cast=trusted(data.casts[part], sun)[None],
        )
        one, everybody = at_two_sizes(net, evidence.features())
        alone[part], together[part] = one[0], everybody[0]
    return alone, together


def at_two_sizes(net: PriorNet, features: Tensor) -> tuple[Tensor, Tensor]:
    """What the network says of features (S, F, N, C, h, w): the mean of that and of what it says of smaller ones."""
    size = features.shape[-2:]
    smaller = net(_resized(features, [2 * round(_SMALLER * side / 2) for side in size], "area"))
    alone, together = (_resized(densities, size, "bicubic") for densities in smaller)
    alone_here, together_here = net(features)
    return (alone + alone_here) / 2, (together + together_here) / 2


def _resized(pictures: Tensor, size: Sequence[int], mode: str) -> Tensor:
    """(..., C, h, w) at a size (H, W)."""
    resized = F.interpolate(pictures.flatten(0, -4), tuple(size), mode=mode)
    return resized.reshape(*pictures.shape[:-2], *size)


def told_reflections(data: ShotData, background: TrainingBackground) -> Tensor:
    """() 0..1: how surely the ground reflects people, see ``model.mirror``; if it does, ``data`` gets a ground without.

    Where somebody always is, the brightest is taken for the ground, because shadows darken; but the reflections of
    bright clothes brighten, and stayed in it.
    """
    reflects = reflecting(data.plate, data.background, data.masks, data.sway, data.seen[:, 0])
    if reflects > 0:
        for _ in range(_REFLECTIONS):
            shown = with_reflections(data.plate, data.background, data.masks, data.sway, data.seen[:, 0])
            pictures = zip(shown, data.background, strict=True)
            told = (float(reflects) * density(*map(channels_last, pair)) for pair in pictures)
            undone = background.refit(filled(told, len(data.plate)))
            data.background = channels_first(undone).to(data.plate.device)
    return reflects


def sun_of(data: ShotData, restless: Floats, reflects: Tensor) -> Sun:
    """The sun, as far as the background known so far tells; reflections tell nothing of it.

    ``restless`` (T, h, w) is how much pixels change by themselves, ``reflects`` () 0..1 how surely the ground reflects.
    """
    darkness = density(channels_last(data.plate), channels_last(data.background)).mean(-1)
    told = torch.from_numpy(darkness).to(data.plate.device).clamp(min=0)
    seen = data.seen[:, 0]
    if reflects > 0:
        shadows_only = 1 - reflects * (upside_down(data.masks, data.sway).amax(1) >= _MIRRORED)
        told, seen = told * shadows_only, seen * shadows_only
    flicker = torch.from_numpy(restless).to(data.plate.device)
    sun = find_sun(data.plate, data.masks, data.sway, told, seen, flicker)
    return dataclasses.replace(sun, reflecting=reflects)


def shadows_on_people(data: ShotData, sun: Sun) -> tuple[NDArray[np.float16], float]:
    """Where everybody's shadow would fall on others, (T, N, h, w) 0..1, and how well the sun is known, 0..1."""
    cast = cast_on_people(data.masks, data.sway, sun)
    return np.asarray(cast.cpu().numpy(), np.float16), float(_between(sun.trust, _KNOWN))


def shadows_expected(data: ShotData, sun: Sun) -> Floats:
    """(T, h, w) 0..1: where anybody's shadow or reflection may lie; 1 everywhere where the sun may be wrong."""
    lower = dataclasses.replace(sun, light=sun.light * torch.tensor([_LONGER, _LONGER, 1.0, 1.0]))
    fallen = torch.maximum(data.casts.flatten(1, 2).amax(1), shaded(data.masks, data.sway, lower))
    reach = round(_AROUND * float(standing(data.masks, data.sway).height))
    near = F.max_pool2d(fallen[:, None], (2 * reach + 1, 1), 1, (reach, 0))
    near = F.max_pool2d(near, (1, 2 * reach + 1), 1, (0, reach))[:, 0]
    return np.asarray((1 - _between(sun.trust, _FOR_ALL) * (1 - near)).cpu().numpy(), np.float32)


def _between(trust: Tensor, limits: tuple[float, float]) -> Tensor:
    """0..1: how far a trust is on the way from the lower limit to the higher."""
    low, high = limits
    return ((trust - low) / (high - low)).clamp(0, 1)


def full_shadow(place: Tensor, usual: Tensor, observed: Tensor, seen: Tensor) -> Tensor | None:
    """The density (3,) of full shadows on one surface, from those whose ground is known; None where few are.

    Args:
        place: (T, h, w) 0..1, where anybody's shadow would fall on it.
        usual: (T, 3, h, w) densities of all effects as they usually look.
        observed: (T, 3, h, w) densities of the plate over the background.
        seen: (T, h, w) 0 or 1.
    """
    there = (place > 0.5) & (seen > 0) & (usual.amin(1) > _FULL_USUAL)
    found = observed.movedim(1, -1)[there & (observed.mean(1) > _FULL_MEAN) & (observed.amin(1) > _FULL_LEAST)]
    if len(found) < _FULL_PIXELS:
        return None
    ordered = found[found.mean(1).argsort()]
    low, high = (int(share * len(ordered)) for share in _FULL_RANKS)
    return ordered[low : high + 1].median(0).values


def as_in_this_clip(usual_alone: Tensor, together: Tensor, observed: Floats) -> None:
    """Let the shadows among usual effects be as deep, and of the colour, as shadows of this clip are: in place.

    Args:
        usual_alone: (T, N, 3, h, w), together: (T, 3, h, w) densities.
        observed: (T, h, w, 3) densities of the plate over the background, 0 where a body hides it.
    """
    factor = torch.from_numpy(shadow_depth(channels_last(together), observed)).to(together.device)[:, None, None]
    # Frame by frame, since a long clip fills the memory.
    for densities in (*usual_alone, *together):
        densities *= torch.where((densities > 0).all(-3, keepdim=True), factor, 1.0)


def tell_never_clean(
    usual_alone: Tensor, together: Tensor, data: ShotData, background: TrainingBackground, observed: Floats
) -> None:
    """Make usual effects as deep as other shadows of the clip where no frame shows the ground without: in place.

    That is the ground beside people who stand still. The network that learns the clip can tell nothing there, and what
    is usual is a guess. Elsewhere nothing changes.

    Args:
        usual_alone: (T, N, 3, h, w), together: (T, 3, h, w) densities.
        data: the shot, with the shadows that its sun casts.
        background: where the first background came from.
        observed: (T, h, w, 3) densities of the plate over that.
    """
    casts, seen = data.casts[:, :, :PLACES], data.seen[:, 0]
    change = channels_first(observed).to(together.device)
    fulls = [full_shadow(place.amax(1), together, change, seen) for place in casts.unbind(2)]
    known = [full for full in fulls if full is not None]
    if known:
        amount = channels_last(together).mean(-1)
        shown = background.mean_while(observed.mean(-1), (amount > _FULL_USUAL).astype(np.float32))
        no_deeper(usual_alone, together, torch.stack(known).amax(0), never_clean(amount, shown))
    add_printed(usual_alone, together, printed_shadows(data, background, fulls, observed))


def printed_shadows(
    data: ShotData, background: TrainingBackground, fulls: Sequence[Tensor | None], observed: Floats
) -> Iterator[Tensor]:
    """Shadows of people who stand still, as their outlines in the plate tell: T times (N, 3, h, w) densities.

    Args:
        data, background, observed: see ``tell_never_clean``.
        fulls: (3,) how dark full shadows are on each place, see ``full_shadow``.
    """
    casts, amount, (low, high) = data.casts[:, :, :PLACES], observed.mean(-1), _MOSTLY
    stays = torch.empty_like(data.masks, dtype=torch.float16)
    for who, there in enumerate(casts.unbind(1)):
        under = background.share_under(there.amax(1).cpu().numpy())
        stays[:, who] = torch.from_numpy(np.clip((under - low) / (high - low), 0, 1))
    change = torch.from_numpy(amount).to(casts.device)
    prints = list[tuple[Tensor, Printed]]()
    for place, full in zip(casts.unbind(2), fulls, strict=True):
        printed = told_by_outlines(data.plate, data.seen[:, 0], place, full)
        prints.append((borne_out(printed, place, data.seen, stays, change), printed))

    def darkest(cast: Tensor) -> Tensor:
        """On whichever place it is darkest, of everybody in one frame (N, P, h, w): (N, 3, h, w)."""
        each = [trust * one.densities(place) for (trust, one), place in zip(prints, cast.unbind(1), strict=True)]
        return torch.stack(each).amax(0)

    # What is made of a whole clip is made frame by frame, since a long one fills the memory.
    strength = torch.empty_like(data.masks)
    for mine, cast in zip(strength, casts, strict=True):
        mine.copy_(darkest(cast).mean(1))
    for who, there in enumerate(casts.unbind(1)):
        known = background.mean_while(amount, there.amax(1).cpu().numpy())
        never = never_clean(strength[:, who].cpu().numpy(), known)
        strength[:, who] = torch.from_numpy(never).to(casts.device) * stays[:, who]
    for cast, share in zip(casts, strength, strict=True):
        yield darkest(cast) * share[:, None]


def borne_out(printed: Printed, place: Tensor, seen: Tensor, stays: Tensor, change: Tensor) -> Tensor:
    """() 0..1: how far shadows that come and go bear out those that are said to be printed into the ground.

    Hardly anybody stands quite still. Where a shadow of the same sun passes, the plate must darken as much.

    Args:
        printed: everybody's shadow on one surface.
        place: (T, N, h, w) 0..1, where it would fall.
        seen: (T, 1, h, w) 0 or 1, 0 where a body hides the ground.
        stays: (T, N, h, w) 0..1, 1 where it always lies there.
        change: (T, h, w) densities of the plate over the background.
    """
    expected = told = passing = there = torch.zeros(())
    # Frame by frame, since a long clip fills the memory.
    for cast, visible, staying, dark in zip(place, seen, stays, change, strict=True):
        shown = cast * visible
        moves = shown * (1 - staying.float())
        expected, told = expected + (printed.densities(cast).mean(1) * moves).sum(), told + (dark * moves).sum()
        passing, there = passing + moves.sum(), there + shown.sum()
    doubt = 1 - _between(told / expected.clamp(min=1e-3), _BORNE_OUT)
    return 1 - doubt * _between(passing / there.clamp(min=1e-3), _PASSING)


def add_printed(usual_alone: Tensor, together: Tensor, printed: Iterable[Tensor]) -> None:
    """Let usual effects alone (T, N, 3, h, w) and together (T, 3, h, w) be at least as dark as what is printed.

    ``printed``: T times (N, 3, h, w). In place and frame by frame, as all that makes or changes a whole clip should
    be: a long one fills the memory.
    """
    for mine, everybodys, here in zip(usual_alone, together, printed, strict=True):
        darkest = here.amax(0)
        mine.copy_(torch.where(here > 0, torch.maximum(mine, here), mine))
        everybodys.copy_(torch.where(darkest > 0, torch.maximum(everybodys, darkest), everybodys))


def no_deeper(usual_alone: Tensor, together: Tensor, deepest: Tensor, never: Floats) -> None:
    """Let usual effects alone (T, N, 3, h, w) and together (T, 3, h, w) be no deeper than full shadows: in place.

    ``never`` (T, h, w) 0..1 is where: ground that no frame shows without a shadow. Elsewhere the plate tells.
    """
    limit = _DEEPER * deepest[:, None, None]
    for mine, everybodys, share in zip(usual_alone, together, torch.from_numpy(never).to(together.device), strict=True):
        mine -= share * (mine - limit).clamp(min=0)
        everybodys -= share * (everybodys - limit).clamp(min=0)


def unusual(densities: Tensor) -> Tensor:
    """Where there is usually no effect, not even nearby: 0..1 of densities (..., 3, h, w) as (..., 1, h, w)."""
    strength = densities.abs().amax(-3, keepdim=True).flatten(0, -4)
    near = F.max_pool2d(strength, _NEARBY, 1, _NEARBY // 2).reshape(*densities.shape[:-3], 1, *densities.shape[-2:])
    return 1 - (near / _USUAL).clamp(max=1)
