from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from itertools import pairwise

import pytest

from backend.train import schedule
from backend.train.schedule import learning_rate, next_step, on_plateau, refit_steps
from backend.train.settings import PRESETS, TrainSettings

SETTINGS = TrainSettings(steps=200, warm_up_steps=20)
STEPS = range(SETTINGS.steps + 1)
# All that only helps at the beginning.
STARTERS = [
    function
    for _, function in inspect.getmembers(schedule, inspect.isfunction)
    if function.__module__ == schedule.__name__ and function not in (learning_rate, refit_steps, next_step, on_plateau)
]


def test_the_rate_warms_up_and_then_only_falls() -> None:
    rates = [learning_rate(step, SETTINGS) for step in STEPS]
    assert all(a < b for a, b in pairwise(rates[: SETTINGS.warm_up_steps]))
    assert all(a >= b for a, b in pairwise(rates[SETTINGS.warm_up_steps :]))
    assert 0 < rates[-1] < 0.1 * SETTINGS.learning_rate
    assert max(rates) <= SETTINGS.learning_rate


@pytest.mark.parametrize("weight", STARTERS)
def test_what_starts_things_off_only_lets_go(weight: Callable[[int, TrainSettings], float]) -> None:
    weights = [weight(step, SETTINGS) for step in STEPS]
    assert weights[0] > 0
    assert all(a >= b for a, b in pairwise(weights))
    assert weights[-1] <= 0.2 * weights[0]


def test_refits_lie_within_the_run_in_order() -> None:
    for settings in (SETTINGS, *PRESETS.values()):
        steps = refit_steps(settings)
        assert list(steps) == sorted(steps)
        assert all(0 <= step <= settings.steps for step in steps)


@pytest.mark.parametrize("steps", [0, 1])
def test_the_shortest_runs_have_a_schedule(steps: int) -> None:
    settings = dataclasses.replace(SETTINGS, steps=steps, warm_up_steps=0)
    assert learning_rate(0, settings) > 0
    assert all(weight(0, settings) > 0 for weight in STARTERS)
    assert refit_steps(settings) is not None


LONG = dataclasses.replace(SETTINGS, steps=800)


def steps_taken(errors: Callable[[int], float]) -> list[int]:
    history: list[float] = []
    steps = [0]
    while steps[-1] < LONG.steps:
        history.append(errors(len(history)))
        steps.append(next_step(steps[-1], history, LONG))
    return steps


def test_a_plateau_leads_to_the_last_part() -> None:
    steps = steps_taken(lambda count: 1.0 if count < 100 else 0.5)
    assert len(steps) < 0.75 * LONG.steps
    jumps = [(a, b) for a, b in pairwise(steps) if b != a + 1]
    assert len(jumps) == 1 and jumps[0][0] >= 0.5 * LONG.steps and jumps[0][1] == 0.8 * LONG.steps


@pytest.mark.parametrize("falling", [lambda count: 1 / (1 + count / 200), lambda count: 1 - count / 4000])
def test_errors_that_still_fall_are_no_plateau(falling: Callable[[int], float]) -> None:
    assert len(steps_taken(falling)) == LONG.steps + 1


def test_short_runs_know_no_plateau() -> None:
    assert not on_plateau([1.0] * 200, dataclasses.replace(SETTINGS, steps=100))
