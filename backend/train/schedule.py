"""What changes while training goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from backend.train.settings import TrainSettings

# The last learning rate as a share of the first, and how much of the distance's weight stays.
_LAST_RATE = 0.05
_DISTANCE_LEFT = 0.1
# A plateau: the error's mean over so many steps (share of the run) has not fallen by this share for so long a part of
# the run. It is looked for once the distance is let go, and the last part, in which the rate falls, is always run.
_WINDOW = 0.05
_LEAST_GAIN = 0.01
_PATIENCE = 0.3
_LOOKED_FOR, _LAST_PART = 0.5, 0.8


def learning_rate(step: int, settings: TrainSettings) -> float:
    """Short linear warm-up, then a cosine down to a twentieth."""
    warm = min(1.0, (step + 1) / max(1, settings.warm_up_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * step / max(1, settings.steps)))
    return settings.learning_rate * warm * (_LAST_RATE + (1 - _LAST_RATE) * cosine)


def distance_weight(step: int, settings: TrainSettings) -> float:
    """Weight of "an effect is near its person": whole at first, mostly let go over the first half of the run."""
    left = max(_DISTANCE_LEFT, 1 - 2 * step / max(1, settings.steps))
    return settings.weights.distance * left


def next_step(step: int, history: Sequence[float], settings: TrainSettings) -> int:
    """The step after ``step``; on a plateau of the errors so far, the beginning of the last part of the run."""
    last_part = int(_LAST_PART * settings.steps)
    if _LOOKED_FOR * settings.steps <= step < last_part and on_plateau(history, settings):
        return last_part
    return step + 1


def on_plateau(history: Sequence[float], settings: TrainSettings) -> bool:
    """True when the errors have stopped falling."""
    size = int(_WINDOW * settings.steps)
    if size < 10:
        return False
    means = [sum(history[end - size : end]) / size for end in range(len(history), size - 1, -size)]
    recent = round(_PATIENCE / _WINDOW)
    return len(means) > recent and min(means[:recent]) > (1 - _LEAST_GAIN) * min(means[recent:])


def refit_steps(settings: TrainSettings) -> tuple[int, ...]:
    """The steps before which the background is estimated anew."""
    return tuple(int(share * settings.steps) for share in settings.refits)
