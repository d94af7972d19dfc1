"""What the trainings on drawn pictures share: the rate, the loop, how weights are kept, the command line."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from backend.core.color import Floats

_WARM_UP = 300
_LAST = 0.02
# Files that are used until it is looked again which there are.
_LOOK_AGAIN = 100


def set_rate(optimizer: torch.optim.Optimizer, top: float, step: int, done: float) -> None:
    """A linear warm-up to ``top``, then a cosine down to a fiftieth; ``done`` is the share of the run."""
    cosine = 0.5 * (1 + math.cos(math.pi * done))
    for group in optimizer.param_groups:
        group["lr"] = top * min(1, (step + 1) / _WARM_UP) * (_LAST + (1 - _LAST) * cosine)


@dataclass(frozen=True)
class Run:
    """How long a network learns, how fast at most, from how many lessons at a time, and who prepares them."""

    steps: int
    rate: float
    batch: int
    workers: int
    resume: bool = False
    """Whether it goes on from the weights."""
    short: bool = True
    """Whether it computes in 16-bit floats (bfloat16)."""


Lesson = tuple[Floats, Floats]
"""What a network sees, and what it should answer."""


class Lessons(IterableDataset[Lesson]):
    """Lessons from what is in a folder, without end; what appears there later is used too."""

    def __init__(
        self, folder: Path, kind: str, seed: int, taught: Callable[[np.random.Generator, Path], Iterator[Lesson]]
    ) -> None:
        """``taught`` gives a few lessons from one of the files, whose names end in ``kind``."""
        self._folder, self._kind, self._seed, self._taught = folder, kind, seed, taught

    def __iter__(self) -> Iterator[Lesson]:
        """Lessons of this worker."""
        cv2.setNumThreads(1)
        worker = get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        while True:
            files = sorted(self._folder.glob(f"*{self._kind}"))
            for _ in range(_LOOK_AGAIN):
                yield from self._taught(rng, files[int(rng.integers(len(files)))])


def fit(
    net: nn.Module,
    lessons: Lessons,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    weights: Path,
    run: Run,
) -> None:
    """Train on inputs and what should come out for them; write the weights (half precision) now and then."""
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if run.resume:
        net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    steps, rate = run.steps, run.rate
    batches = iter(DataLoader(lessons, run.batch, num_workers=run.workers))
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-4)
    recent = 0.0
    for step in range(steps):
        set_rate(optimizer, rate, step, step / steps)
        inputs, target = next(batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=run.short):
            answer = net(inputs)
        value = loss_of(answer.float(), target)
        descend(net, optimizer, value)
        recent += 0.02 * (float(value.detach()) - recent) if step else float(value.detach())
        if step % 50 == 49:
            print(f"step {step + 1} of {steps}, loss {recent:.4f}", flush=True)
        if step % 200 == 199 or step + 1 == steps:
            keep(net, weights)


def descend(net: nn.Module, optimizer: torch.optim.Optimizer, value: Tensor) -> None:
    """A step that makes a loss smaller, no longer than usual."""
    optimizer.zero_grad(set_to_none=True)
    value.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()


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
    parser.add_argument("--rate", type=float, help="how fast it learns at most; less than usual when it goes on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="train on from the weights")
    return parser


def draw_and_train(
    parser: argparse.ArgumentParser,
    drawn: str,
    draw: Callable[[Path, int, int], None],
    train: Callable[[Path, Path, Run, int], None],
    usual: Run,
) -> None:
    """Do what a command line of ``options`` says: draw as many as it wants, then train as ``usual`` for its steps."""
    args = parser.parse_args()
    torch.set_flush_denormal(True)  # several times faster on a processor
    count = getattr(args, drawn)
    if count:
        draw(args.folder, args.seed, count)
    if args.steps:
        rate = args.rate or usual.rate
        train(args.folder, args.weights, replace(usual, steps=args.steps, rate=rate, resume=args.resume), args.seed)
