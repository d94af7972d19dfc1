"""What changes while training goes on."""

from __future__ import annotations

import math

from backend.train.settings import TrainSettings

# The last learning rate as a share of the first, and how much of the distance's weight stays.
_LAST_RATE = 0.05
_DISTANCE_LEFT = 0.1


def learning_rate(step: int, settings: TrainSettings) -> float:
    """Short linear warm-up, then a cosine down to a twentieth."""
    warm = min(1.0, (step + 1) / max(1, settings.warm_up_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * step / max(1, settings.steps)))
    return settings.learning_rate * warm * (_LAST_RATE + (1 - _LAST_RATE) * cosine)


def distance_weight(step: int, settings: TrainSettings) -> float:
    """Weight of "an effect is near its person": whole at first, mostly let go over the first half of the run."""
    left = max(_DISTANCE_LEFT, 1 - 2 * step / max(1, settings.steps))
    return settings.weights.distance * left


def refit_steps(settings: TrainSettings) -> tuple[int, ...]:
    """The steps before which the background is estimated anew."""
    return tuple(int(share * settings.steps) for share in settings.refits)
