"""A graphics card that turns out too small: once more with half as many frames at a time, then a sentence."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

import backend.stages.learn as learn
import backend.train.loop as loop
from backend.errors import OutOfMemory
from backend.stages.progress import Progress
from backend.train.team import Team
from backend.worker import known_fault
from tests.train.toy_shot import QUICK, refit_of, toy_data

FRAMES = QUICK.batch_frames


def trained(tmp_path: Path, said: list[str], team: Team | None = None) -> tuple[loop.TrainState, Any]:
    """Train the toy shot as a job does."""
    data = toy_data()
    state = loop.new_state(data, QUICK, 0)
    run = learn.Run(QUICK, torch.device("cpu"), 0, tmp_path, "this shot", team=team or Team())
    progress = Progress(lambda event: said.append(event.message), lambda: False, {learn.STAGE: 1.0})
    return state, learn._train(state, data, run, refit_of(data), progress)


def too_small_for(monkeypatch: pytest.MonkeyPatch, frames: int, from_step: int = 0) -> list[int]:
    """A card that holds fewer frames than these, as it is found out at a step; returns what was tried."""
    tried: list[int] = []
    take_step = loop.take_step

    def step(state: loop.TrainState, data: Any, settings: Any, team: Team, gradients: Any) -> Any:
        tried.append(settings.batch_frames)
        if state.step >= from_step and settings.batch_frames >= frames:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return take_step(state, data, settings, team, gradients)

    monkeypatch.setattr(loop, "take_step", step)
    return tried


@pytest.mark.parametrize("from_step", [0, 3])
def test_half_as_many_frames_are_tried_and_no_step_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_step: int
) -> None:
    said: list[str] = []
    tried = too_small_for(monkeypatch, FRAMES, from_step)
    state, used = trained(tmp_path, said)
    assert used == dataclasses.replace(QUICK, batch_frames=FRAMES // 2)
    assert (state.step, len(state.history)) == (QUICK.steps, QUICK.steps)
    assert tried == [FRAMES] * (from_step + 1) + [FRAMES // 2] * (QUICK.steps - from_step)
    assert any("too little memory" in text and str(FRAMES // 2) in text for text in said)


def test_a_second_time_is_told_with_what_to_lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = too_small_for(monkeypatch, 1)
    with pytest.raises(torch.OutOfMemoryError) as raised:
        trained(tmp_path, [])
    assert tried == [FRAMES, FRAMES // 2]
    fault = known_fault(raised.value)
    assert isinstance(fault, OutOfMemory) and "draft preset" in fault.sentence() and "fewer frames" in fault.sentence()


def test_one_of_a_team_does_not_go_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    too_small_for(monkeypatch, FRAMES)
    team = Team()
    monkeypatch.setattr(team, "order", lambda *_: None)
    team.size = 2
    with pytest.raises(torch.OutOfMemoryError):
        trained(tmp_path, [], team)
