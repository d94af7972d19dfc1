"""Gradients much larger than usual are shortened before they do harm."""

from __future__ import annotations

import torch
from torch.optim import Adam

# Adam's own, squared: what it takes for no gradient at all.
_NOTHING = 1e-16


@torch.no_grad()
def clip_gradients(optimizer: Adam) -> None:
    """Shorten each tensor's gradient to the length that Adam expects of it, in place, before a step.

    Adam divides by a mean over the last hundred steps. Where a gradient is suddenly many times that mean, the step is
    too long, and with few frames in it one such step can undo the training (update clipping, Wortsman et al. 2023,
    section 3.5; they shorten the step, here what enters the means is shortened too).
    """
    for group in optimizer.param_groups:
        decay = group["betas"][1]
        for weights in group["params"]:
            state = optimizer.state.get(weights)
            if weights.grad is None or not state:
                continue
            square = weights.grad.square()
            usual = (decay * state["exp_avg_sq"] + (1 - decay) * square) / (1 - decay ** (state["step"] + 1))
            excess = (square / usual.clamp_min(_NOTHING)).mean().sqrt()
            weights.grad.div_(excess.clamp_min(1))
