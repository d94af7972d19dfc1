"""The effects as they usually look: the first answer, before anything is learned from the clip."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from backend.core.color import Floats
from backend.core.opacity import density
from backend.model.prior_net import Evidence, PriorNet
from backend.model.sunlight import cast, find_sun
from backend.stages.effects import TrainingBackground
from backend.train.shot_data import ShotData, channels_first, channels_last

WEIGHTS = Path(__file__).parents[1] / "model" / "prior.pt"
# Frames that are looked at together; they are spread over the whole clip.
_TOGETHER = 8
# Frames that the sun is found by.
_TOLD_BY = 16
# A usual density of this much within so many pixels makes any effect plausible.
_USUAL = 0.04
_NEARBY = 5


@cache
def prior_net(weights: Path = WEIGHTS) -> PriorNet:
    """The trained network."""
    net = PriorNet()
    stored = torch.load(weights, map_location="cpu", weights_only=True)
    net.load_state_dict({name: value.float() for name, value in stored.items()})
    return net.eval().to(memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]


@torch.no_grad()
def usual_effects(
    net: PriorNet, data: ShotData, background: TrainingBackground, restless: Floats
) -> tuple[Tensor, Tensor]:
    """Signed densities of everybody's effects as they usually look, alone (T, N, 3, h, w) and together (T, 3, h, w).

    Args:
        net: see ``prior_net``.
        data: the shot, with the closed-form background and the shadows that it tells of.
        background: where that came from.
        restless: (T, h, w) how much pixels change by themselves.
    """
    free, darkest = background.free_share(), background.darkest()
    alone = torch.zeros(*data.masks.shape[:2], *data.plate.shape[1:])
    together = torch.zeros_like(data.plate)
    observed = channels_first(density(channels_last(data.plate), channels_last(data.background))) * data.seen
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
            restless=torch.from_numpy(restless[part])[None],
            free=torch.from_numpy(free[part])[None],
            darkest=torch.from_numpy(darkest[part])[None],
            cast=data.casts[part][None],
        )
        one, everybody = net(evidence.features())
        alone[part], together[part] = one[0], everybody[0]
    return alone, together


def shadows_cast(data: ShotData) -> Tensor:
    """Where everybody's shadow would fall, as the background known so far tells: see ``ShotData.casts``."""
    frames = torch.linspace(0, len(data.plate) - 1, min(_TOLD_BY, len(data.plate))).round().long()
    darkness = density(channels_last(data.plate[frames]), channels_last(data.background[frames])).mean(-1)
    told = torch.from_numpy(darkness).clamp(min=0)
    return cast(data.masks, find_sun(data.masks[frames], told, data.seen[frames, 0]))


def unusual(densities: Tensor) -> Tensor:
    """Where there is usually no effect, not even nearby: 0..1 of densities (..., 3, h, w) as (..., 1, h, w)."""
    strength = densities.abs().amax(-3, keepdim=True).flatten(0, -4)
    near = F.max_pool2d(strength, _NEARBY, 1, _NEARBY // 2).reshape(*densities.shape[:-3], 1, *densities.shape[-2:])
    return 1 - (near / _USUAL).clamp(max=1)
