"""What the graphics card computes is what the processor computes."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
import torch

from backend.train import loop, recorded
from backend.train.checkpoint import load_checkpoint, save_checkpoint
from backend.train.device import choose_device
from backend.train.loop import TrainState, new_state, predict, train
from backend.train.settings import TrainSettings
from backend.train.shot_data import ShotData
from tests.train.test_loop import never, nothing
from tests.train.toy_shot import QUICK, refit_of, toy_data

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device on this computer"),
]

ONE_STEP = dataclasses.replace(QUICK, steps=1, refits=())
# Sums in another order; rounding of this size, put into a step on purpose, comes out a hundred times smaller.
CLOSE = {"atol": 5e-5, "rtol": 1e-3}


@pytest.fixture(autouse=True)
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither TF32 nor bfloat16, which round to 10 and to 8 bits."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(loop, "quick_arithmetic", lambda device: contextlib.nullcontext())


def start(device: str) -> tuple[TrainState, ShotData]:
    """The same start on any device."""
    data = toy_data().to(torch.device(device))
    state = new_state(data, ONE_STEP, 0)
    weights = new_state(toy_data(), ONE_STEP, 0).renderer.state_dict()
    state.renderer.load_state_dict(weights)
    return state, data


def test_a_prediction_is_the_same() -> None:
    (cpu, data), (gpu, data_there) = start("cpu"), start("cuda")
    for ours, theirs in zip(predict(cpu.renderer, data, QUICK), predict(gpu.renderer, data_there, QUICK), strict=True):
        torch.testing.assert_close(theirs.cpu(), ours, **CLOSE)


def test_a_step_is_the_same() -> None:
    after = {}
    for device in ("cpu", "cuda"):
        state, data = start(device)
        train(state, data, ONE_STEP, refit_of(toy_data()), nothing, never)
        after[device] = state
    cpu, gpu = after["cpu"], after["cuda"]
    assert gpu.history[0] == pytest.approx(cpu.history[0], rel=1e-4)
    # The gradient of an enlargement is a convolution there.
    assert gpu.flops == pytest.approx(cpu.flops, rel=0.005)
    data = toy_data()
    ours, theirs = predict(cpu.renderer, data, QUICK)[1], predict(gpu.renderer, data.to(torch.device("cuda")), QUICK)[1]
    torch.testing.assert_close(theirs.cpu(), ours, **CLOSE)


def test_a_step_that_is_played_back_is_the_step_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = dataclasses.replace(QUICK, steps=12, refits=(0.6,))
    histories = []
    for warm_up in (3, 100):
        monkeypatch.setattr(recorded, "_WARM_UP", warm_up)
        histories.append(history_of(settings))
    assert histories[0] == pytest.approx(histories[1], rel=2e-3)


def test_the_same_seed_gives_the_same_result() -> None:
    choose_device("cuda")
    settings = dataclasses.replace(QUICK, steps=30, refits=(0.6,))
    assert history_of(settings) == history_of(settings)


def history_of(settings: TrainSettings) -> list[float]:
    """The losses of a run on the card."""
    there, refit = toy_data().to(torch.device("cuda")), refit_of(toy_data())

    def background(together: torch.Tensor) -> torch.Tensor:
        return refit(together.cpu()).to("cuda")

    return train(new_state(there, settings, 0), there, settings, background, nothing, never).history


def test_what_was_begun_on_the_card_goes_on_without_it(tmp_path: Path) -> None:
    there, _ = start("cuda")
    save_checkpoint(tmp_path / "checkpoint.pt", there, "shot")
    here, data = start("cpu")
    assert load_checkpoint(tmp_path / "checkpoint.pt", here, "shot")
    train(here, data, ONE_STEP, refit_of(toy_data()), nothing, never)
    assert here.step == 1 and here.background.device.type == "cpu"
