"""Learning one shot: whose shadow is whose, over which background."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from backend.errors import Cancelled, NumericalError
from backend.model.effect_net import EffectNet
from backend.model.shading import Shading, with_density
from backend.train.losses import LossTerms, loss_terms
from backend.train.schedule import distance_weight, learning_rate, refit_steps
from backend.train.settings import TrainSettings
from backend.train.shot_data import ShotData

# The learned maps have few weights and may move faster than the network.
_MAP_RATE = 2.0

Refit = Callable[[Tensor], Tensor]
"""From the signed density of all effects (T, 3, h, w) to the background of every frame (T, 3, h, w)."""


class Renderer(nn.Module):
    """All that is learned for one shot."""

    def __init__(self, settings: TrainSettings) -> None:
        super().__init__()
        self.net = EffectNet(settings.width, settings.levels)
        self.shading = Shading()

    def forward(self, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Effects (B, N, 4, H, W), and their signed densities alone (B, N, 3, H, W) and together (B, 3, H, W)."""
        effects = self.net(masks)
        return (effects, *self.shading.densities(effects))


@dataclass
class TrainState:
    """Everything needed to go on exactly where training stopped."""

    renderer: Renderer
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    background: Tensor
    step: int = 0
    flops: int = 0
    history: list[float] = field(default_factory=list)


def new_state(data: ShotData, settings: TrainSettings, seed: int) -> TrainState:
    """A fresh start; the same seed gives the same start."""
    torch.manual_seed(seed)
    renderer = Renderer(settings).to(data.plate.device)
    renderer.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    maps = [renderer.net.places, renderer.shading.depth]
    weights = [p for p in renderer.parameters() if all(p is not m for m in maps)]
    groups = [{"params": weights, "speed": 1.0}, {"params": maps, "speed": _MAP_RATE}]
    optimizer = torch.optim.Adam(groups, lr=settings.learning_rate, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(seed)
    return TrainState(renderer, optimizer, generator, data.background)


def train(
    state: TrainState,
    data: ShotData,
    settings: TrainSettings,
    refit: Refit,
    after_step: Callable[[TrainState, LossTerms], None],
    cancelled: Callable[[], bool],
    deadline: float = math.inf,
) -> TrainState:
    """Train until the schedule or the time (``time.monotonic``) ends.

    Raises:
        Cancelled: as soon as ``cancelled()`` is true; the state is as after the last whole step.
        NumericalError: the loss is not a number.
    """
    refits = refit_steps(settings)
    # Known from before in a run that goes on; counting again would change its rounding.
    per_step = state.flops // state.step if state.step else 0
    while state.step < settings.steps and time.monotonic() < deadline:
        if cancelled():
            raise Cancelled("Training was cancelled")
        if state.step in refits:
            state.background = refit(predict(state.renderer, data.masks, settings)[1])
        if not per_step:
            # Every step costs the same, and counting makes it slower.
            with FlopCounterMode(display=False) as counter:
                terms = _step(state, data, settings)
            per_step = counter.get_total_flops()
        else:
            terms = _step(state, data, settings)
        state.step += 1
        state.flops += per_step
        after_step(state, terms)
    return state


def _step(state: TrainState, data: ShotData, settings: TrainSettings) -> LossTerms:
    frames = len(data.plate)
    chosen = torch.randperm(frames, generator=state.generator)[: settings.batch_frames].to(data.plate.device)
    for group in state.optimizer.param_groups:
        group["lr"] = group["speed"] * learning_rate(state.step, settings)
    effects, _, together = state.renderer(data.masks[chosen])
    picture = with_density(state.background[chosen], together)
    terms = loss_terms(
        effects,
        picture,
        data.plate[chosen],
        data.seen[chosen],
        data.distance[chosen],
        data.unusual[chosen],
        distance_weight(state.step, settings),
        settings.weights.unusual,
    )
    loss = terms.total(settings.weights)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise NumericalError(f"Training broke down at step {state.step}: the loss is {value}")
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.step()
    state.history.append(value)
    return terms


@torch.no_grad()
def predict(renderer: Renderer, masks: Tensor, settings: TrainSettings) -> tuple[Tensor, Tensor]:
    """Signed densities for masks (T, N, h, w): each alone (T, N, 3, h, w), and together (T, 3, h, w)."""
    parts = [renderer(part)[1:] for part in torch.split(masks, settings.batch_frames)]
    return torch.cat([alone for alone, _ in parts]), torch.cat([together for _, together in parts])
