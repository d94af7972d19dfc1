"""A process that helps another with its training steps, and does nothing else."""

from __future__ import annotations

import torch

from backend.train.loop import TrainState, gradients_of, new_state, take_step
from backend.train.schedule import next_step
from backend.train.settings import TrainSettings
from backend.train.shot_data import ShotData
from backend.train.team import Order, Team


def follow(team: Team, device: torch.device) -> None:
    """Do as the leading process says until it sends everybody home."""
    state: TrainState | None = None
    while (order := team.order()) is not Order.DISMISS:
        if order is Order.BEGIN:
            state, data, settings = begin(team, device)
            gradients = gradients_of(state, data, settings, team)
        elif state is None:
            raise RuntimeError(f"{order.name} was ordered before anything had begun")
        elif order is Order.BACKGROUND:
            state.background.copy_(team.share())
        else:
            take_step(state, data, settings, team, gradients)
            state.step = next_step(state.step, state.history, settings)


def begin(team: Team, device: torch.device) -> tuple[TrainState, ShotData, TrainSettings]:
    """Take over the shot and the state of training from the leading process."""
    settings, seed, data, content = team.share()
    data = data.to(device)
    state = new_state(data, settings, seed)
    state.restore(content)
    return state, data, settings
