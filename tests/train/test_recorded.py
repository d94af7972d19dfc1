"""A step is recorded on a card once and played back; without a card, stand-ins show what is called when."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from backend.train import recorded
from backend.train.recorded import Recorded


class FakeCard:
    """What ``Recorded`` uses of ``torch.cuda``; notes how often a recording is played back."""

    def __init__(self, fault: Exception | None) -> None:
        self.played, self.fault = 0, fault

    def replay(self) -> None:
        self.played += 1

    def wait_stream(self, _other: object) -> None:
        """Nothing goes on elsewhere."""

    @contextlib.contextmanager
    def graph(self, _graph: object, stream: object) -> Iterator[None]:
        yield
        if self.fault is not None:
            raise self.fault


def recorded_on(card: FakeCard, monkeypatch: pytest.MonkeyPatch) -> tuple[Recorded[Tensor], list[int]]:
    """Something that doubles its frames, and a list of what it was really asked."""
    asked: list[int] = []

    def work(frames: Tensor, far: Tensor) -> Tensor:
        asked.append(int(frames))
        return 2 * frames + far

    for name, stand_in in {
        "Stream": lambda: card,
        "CUDAGraph": lambda: card,
        "current_stream": lambda: card,
        "stream": lambda _stream: contextlib.nullcontext(),
        "graph": card.graph,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return Recorded(work), asked


def call(step: Recorded[Tensor], number: int) -> int:
    return int(step(torch.tensor(number), torch.tensor(1)))


def test_a_step_is_done_a_few_times_then_recorded_then_played_back(monkeypatch: pytest.MonkeyPatch) -> None:
    card = FakeCard(None)
    step, asked = recorded_on(card, monkeypatch)
    for number in range(recorded._WARM_UP + 3):
        call(step, number)
    assert asked == list(range(recorded._WARM_UP + 1))
    assert card.played == 3


def test_a_card_that_can_not_record_does_every_step_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    card = FakeCard(RuntimeError("operation not permitted when stream is capturing"))
    step, asked = recorded_on(card, monkeypatch)
    answers = [call(step, number) for number in range(recorded._WARM_UP + 3)]
    assert answers == [2 * number + 1 for number in range(recorded._WARM_UP + 3)]
    assert card.played == 0
    assert asked[-1] == recorded._WARM_UP + 2
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_too_little_memory_is_told_to_whoever_can_ask_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    step, _ = recorded_on(FakeCard(torch.OutOfMemoryError()), monkeypatch)
    for number in range(recorded._WARM_UP):
        call(step, number)
    with pytest.raises(torch.OutOfMemoryError):
        call(step, recorded._WARM_UP)
