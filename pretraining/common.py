"""What both trainings on drawn pictures share: the rate, how weights are kept, the command line."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from torch import nn

_WARM_UP = 300
_LAST = 0.02


def set_rate(optimizer: torch.optim.Optimizer, top: float, step: int, done: float) -> None:
    """A linear warm-up to ``top``, then a cosine down to a fiftieth; ``done`` is the share of the run."""
    cosine = 0.5 * (1 + math.cos(math.pi * done))
    for group in optimizer.param_groups:
        group["lr"] = top * min(1, (step + 1) / _WARM_UP) * (_LAST + (1 - _LAST) * cosine)


def keep(net: nn.Module, weights: Path) -> None:
    """Write the weights in half precision, whole or not at all."""
    unfinished = weights.with_suffix(".part")
    torch.save({name: value.half() for name, value in net.state_dict().items()}, unfinished)
    unfinished.replace(weights)


def options(what: str, drawn: str, count: int, steps: int) -> argparse.ArgumentParser:
    """The command line: a folder of what is drawn (``drawn``, so many by default) and the weights for ``what``."""
    parser = argparse.ArgumentParser(description=f"Make the weights {what}.")
    parser.add_argument("folder", type=Path, help=f"drawn {drawn} go here; those already there are used")
    parser.add_argument("weights", type=Path)
    parser.add_argument(f"--{drawn}", type=int, default=count)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="train on from the weights")
    return parser
