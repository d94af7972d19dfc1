from __future__ import annotations

import torch
from torch import Tensor, nn

from backend.train.clipping import clip_gradients


def _steps(gradients: list[float]) -> tuple[list[float], nn.Parameter]:
    """The lengths of the gradients that Adam is given, one after the other."""
    weights = nn.Parameter(torch.zeros(4))
    optimizer, lengths = torch.optim.Adam([weights], lr=0.01, betas=(0.9, 0.99)), []
    for gradient in gradients:
        weights.grad = torch.full((4,), gradient)
        clip_gradients(optimizer)
        lengths.append(float(_of(weights).abs().max()))
        optimizer.step()
    return lengths, weights


def _of(weights: nn.Parameter) -> Tensor:
    assert weights.grad is not None
    return weights.grad


def test_usual_gradients_stay_as_they_are() -> None:
    assert _steps([0.5] * 50)[0] == [0.5] * 50


def test_a_gradient_far_beyond_the_usual_is_shortened() -> None:
    lengths, weights = _steps([1.0] * 100 + [50.0])
    assert lengths[-1] < 15
    assert bool(torch.isfinite(weights).all())


def test_nothing_at_all_is_no_gradient_either() -> None:
    assert _steps([0.0] * 3)[0] == [0.0] * 3
