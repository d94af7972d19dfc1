"""Learning one shot: whose shadow is whose, over which background."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from backend.errors import Cancelled, NumericalError
from backend.model.shading import with_density
from backend.train.clipping import clip_gradients
from backend.train.losses import LossTerms, loss_terms
from backend.train.recorded import Recorded
from backend.train.renderer import Renderer
from backend.train.schedule import distance_weight, learning_rate, next_step, refit_steps
from backend.train.settings import TrainSettings
from backend.train.shot_data import ShotData
from backend.train.team import Order, Team

# The learned maps have few weights and may move faster than the network.
_MAP_RATE = 2.0

Refit = Callable[[Tensor], Tensor]
"""From the signed density of all effects (T, 3, h, w) to the background of every frame (T, 3, h, w)."""


@dataclass
class TrainState:
    """Everything needed to go on exactly where training stopped."""

    renderer: Renderer
    optimizer: torch.optim.Adam
    generator: torch.Generator
    background: Tensor
    step: int = 0
    flops: int = 0
    history: list[float] = field(default_factory=list)

    def content(self) -> dict[str, Any]:
        """All of it as tensors, numbers and lists, for a file or for another process."""
        return {
            "renderer": self.renderer.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "background": self.background,
            "step": self.step,
            "flops": self.flops,
            "history": self.history,
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Take over what ``content`` gave, on this state's device."""
        self.renderer.load_state_dict(content["renderer"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.generator.set_state(content["generator"].cpu())
        self.background = content["background"].to(self.background.device)
        self.step = int(content["step"])
        self.flops = int(content["flops"])
        self.history = list(content["history"])


def new_state(data: ShotData, settings: TrainSettings, seed: int) -> TrainState:
    """A fresh start; the same seed gives the same start."""
    torch.manual_seed(seed)
    renderer = Renderer(settings, data.charts is not None).to(data.plate.device)
    renderer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    maps = renderer.maps()
    weights = [p for p in renderer.parameters() if all(p is not m for m in maps)]
    groups = [{"params": weights, "speed": 1.0}, {"params": maps, "speed": _MAP_RATE}]
    optimizer = torch.optim.Adam(groups, lr=settings.learning_rate, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(seed)
    return TrainState(renderer, optimizer, generator, data.background.clone())


def train(
    state: TrainState,
    data: ShotData,
    settings: TrainSettings,
    refit: Refit,
    after_step: Callable[[TrainState, LossTerms], None],
    cancelled: Callable[[], bool],
    deadline: float = math.inf,
    team: Team | None = None,
) -> TrainState:
    """Train until the schedule or the time (``time.monotonic``) ends; a team shares the frames of every step.

    Raises:
        Cancelled: as soon as ``cancelled()`` is true; the state is as after the last whole step.
        NumericalError: the loss is not a number.
    """
    team, refits = team or Team(), refit_steps(settings)
    gradients = gradients_of(state, data, settings, team)
    # Known from before in a run that goes on; counting again would change its rounding.
    per_step = state.flops // len(state.history) if state.history else 0
    while state.step < settings.steps and time.monotonic() < deadline:
        if cancelled():
            raise Cancelled("Training was cancelled")
        if state.step in refits:
            # In place, since a recorded step reads it where it was.
            together = torch.cat([part for _, part in predicted(state.renderer, data, settings)])
            state.background.copy_(refit(together))
            team.order(Order.BACKGROUND)
            team.share(state.background.cpu())
        team.order(Order.STEP)
        if not per_step:
            # Every step costs the same, and counting makes it slower.
            with FlopCounterMode(display=False) as counter:
                terms = take_step(state, data, settings, team, gradients)
            per_step = counter.get_total_flops() * team.size
        else:
            terms = take_step(state, data, settings, team, gradients)
        state.step = next_step(state.step, state.history, settings)
        state.flops += per_step
        after_step(state, terms)
    return state


Gradients = Callable[[Tensor, Tensor], tuple[LossTerms, Tensor]]
"""From frames (B,) and the weight of the distance () to the last network's terms, and the mean of the weighted sums of
all networks, each of which has the gradients of its own."""


def gradients_of(state: TrainState, data: ShotData, settings: TrainSettings, team: Team) -> Gradients:
    """How the gradients of a step come about; a card that has its frames for itself plays back what it did before."""

    def gradients(frames: Tensor, far: Tensor) -> tuple[LossTerms, Tensor]:
        state.optimizer.zero_grad(set_to_none=True)
        losses = []
        # Each on its own, and one after the other, since what it takes to go back would fill the memory.
        for member in state.renderer.members:
            effects, _, together = member(*data.geometry(frames))
            terms = loss_terms(
                effects,
                with_density(state.background[frames], together),
                data.plate[frames],
                data.seen[frames],
                data.distance[frames],
                data.unusual[frames],
                far,
                settings.weights.unusual,
            )
            loss = terms.total(settings.weights)
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        return terms, torch.stack(losses).mean()

    return Recorded(gradients) if data.plate.device.type == "cuda" and team.size == 1 else gradients


def take_step(
    state: TrainState, data: ShotData, settings: TrainSettings, team: Team, gradients: Gradients
) -> LossTerms:
    """One step on random frames, of which every process of the team sees its part."""
    frames = len(data.plate)
    everybody = torch.randperm(frames, generator=state.generator)[: settings.batch_frames]
    # With fewer frames than processes, some see one that counts nothing.
    chosen = team.part(everybody)
    share = len(chosen) / len(everybody)
    chosen = (chosen if len(chosen) else everybody[:1]).to(data.plate.device)
    for group in state.optimizer.param_groups:
        group["lr"] = group["speed"] * learning_rate(state.step, settings)
    terms, loss = gradients(chosen, torch.tensor(distance_weight(state.step, settings), device=chosen.device))
    value = float(team.add(share * loss))
    if not math.isfinite(value):
        raise NumericalError(f"Training broke down at step {state.step}: the loss is {value}")
    team.add_gradients(state.renderer.parameters(), share)
    clip_gradients(state.optimizer)
    state.optimizer.step()
    state.history.append(value)
    return terms


def predict(
    renderer: Renderer, data: ShotData, settings: TrainSettings, frames: slice = slice(None)
) -> tuple[Tensor, Tensor]:
    """Signed densities of T frames: each person's alone (T, N, 3, h, w), and together (T, 3, h, w)."""
    parts = list(predicted(renderer, data, settings, frames))
    return torch.cat([alone for alone, _ in parts]), torch.cat([together for _, together in parts])


@torch.no_grad()
def predicted(
    renderer: Renderer, data: ShotData, settings: TrainSettings, frames: slice = slice(None)
) -> Iterator[tuple[Tensor, Tensor]]:
    """The same a few frames at a time, in their order: everybody's effects in a long clip fill the memory."""
    wanted = torch.arange(len(data.plate))[frames].to(data.plate.device)
    for part in torch.split(wanted, settings.batch_frames):
        yield renderer(*data.geometry(part))
