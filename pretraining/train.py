"""Train the prior on drawn clips: ``python -m pretraining FOLDER WEIGHTS``."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from backend.model.prior_net import Evidence, PriorNet
from pretraining.common import descend, keep, set_rate

_HUBER = 0.05
# How much an answer counts where a body hides it, and how much more where there is an effect.
_HIDDEN = 0.3
_EFFECT = 4.0
# As core.opacity.FLOOR.
_FLOOR = 1 / 32
# A batch with a loss beyond this holds a clip that went wrong in drawing.
_SPOILT = 0.3
# So many of these on end, and it is the network that went wrong.
_TOO_MANY = 50
_CPU = torch.device("cpu")


class Examples:
    """The drawn clips in memory; files that appear later are found by ``look``."""

    def __init__(self, folder: Path, device: torch.device = _CPU) -> None:
        self._folder, self._device = folder, device
        self._files: dict[Path, dict[str, Tensor]] = {}

    def look(self) -> int:
        """Read new files; returns how many clips there are."""
        for path in sorted(self._folder.glob("*.npz")):
            if path not in self._files:
                with np.load(path) as file:
                    self._files[path] = {name: torch.from_numpy(file[name]).to(self._device) for name in file.files}
        return sum(len(file["plate"]) for file in self._files.values())

    def batches(self, generator: torch.Generator, clips: int) -> Iterator[dict[str, Tensor]]:
        """Endless random batches of so many clips with the same number of people."""
        while True:
            files = list(self._files.values())
            file = files[int(torch.randint(len(files), (1,), generator=generator))]
            rows = torch.randperm(len(file["plate"]), generator=generator)[:clips].to(self._device)
            yield _as_float(file, rows, bool(torch.rand(1, generator=generator) < 0.5))


def _as_float(file: dict[str, Tensor], rows: Tensor, flipped: bool) -> dict[str, Tensor]:
    batch = {name: values[rows].float() for name, values in file.items()}
    for name in ("plate", "start", "background", "alone", "together"):
        batch[name] = batch[name].movedim(-1, -3)
    return {name: values.flip(-1) if flipped else values for name, values in batch.items()}


def density(plate: Tensor, background: Tensor) -> Tensor:
    """As ``core.opacity.density``."""
    dark = torch.log((background + _FLOOR) / (plate + _FLOOR).clamp_min(1e-4))
    bright = torch.log((1 - plate + _FLOOR).clamp_min(1e-4) / (1 - background + _FLOOR))
    return torch.where(plate < background, dark, bright)


def evidence(batch: dict[str, Tensor], progress: Tensor) -> Evidence:
    """A batch with its background ``progress`` (S, 1, 1, h, w) of the way from the first guess (0) to the truth (1)."""
    known = (batch["start"] + progress * (batch["background"] - batch["start"])).clamp(0, 1)
    seen = batch["seen"]
    names = ("plate", "restless", "free", "distance", "darkest", "cast")
    return Evidence(
        observed=density(batch["plate"], known) * seen[:, :, None],
        masks=batch["whole"],
        seen=seen,
        **{name: batch[name] for name in names},
    )


def random_progress(batch: dict[str, Tensor], generator: torch.Generator) -> Tensor:
    """None for half of the clips, else a soft random map: what undoing wrong effects leaves, too much included."""
    clips, (h, w), device = len(batch["plate"]), batch["plate"].shape[-2:], batch["plate"].device
    coarse = torch.rand(clips, 1, 5, 8, generator=generator) * 2.2 - 0.3
    soft = torch.nn.functional.interpolate(coarse, size=(h, w), mode="bilinear").clamp(0, 1.7)
    first = torch.rand(clips, 1, 1, 1, generator=generator) < 0.5
    return torch.where(first, 0.0, soft)[:, None].to(device)


def loss(alone: Tensor, together: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """How far the light that passes is from what should pass; Huber, heavier where something is to be found."""
    terms = []
    for found, wanted, body in (
        (alone, batch["alone"], 1 - batch["seen"][:, :, None]),
        (together, batch["together"], 1 - batch["seen"]),
    ):
        error = _signed_light(found) - _signed_light(wanted)
        size = error.abs()
        robust = torch.where(size < _HUBER, size**2 / (2 * _HUBER), size - _HUBER / 2).mean(-3)
        weight = (1 - (1 - _HIDDEN) * body) * (1 + _EFFECT * wanted.abs().mean(-3).clamp(max=1))
        terms.append((robust * weight).mean())
    return terms[0] + terms[1]


def _signed_light(density: Tensor) -> Tensor:
    """What an effect leaves, odd in the density so that brighter is not darker."""
    return torch.sign(density) * (1 - torch.exp(-density.abs()))


@dataclass(frozen=True)
class Course:
    """How to train."""

    steps: int
    rate: float = 5e-4
    """At its highest."""
    seed: int = 0
    resume: bool = False
    """Train on from the weights."""
    clips: int = 2
    """In a step."""
    minutes: float = math.inf
    """At most; the rate falls by whichever of the two ends first."""
    device: torch.device = _CPU


def train_prior(folder: Path, weights: Path, course: Course) -> None:
    """Train, and write the weights (half precision) now and then."""
    torch.manual_seed(course.seed)
    generator = torch.Generator().manual_seed(course.seed)
    examples, net = Examples(folder, course.device), PriorNet()
    if course.resume:
        net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    net.to(course.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(net.parameters(), lr=course.rate, weight_decay=1e-4)
    examples.look()
    batches, recent, spoilt, began = examples.batches(generator, course.clips), 0.0, 0, time.monotonic()
    for step in range(steps := course.steps):
        done = max(step / steps, (time.monotonic() - began) / (60 * course.minutes))
        if done >= 1:
            break
        set_rate(optimizer, course.rate, step, done)
        batch = next(batches)
        value = loss(*net(evidence(batch, random_progress(batch, generator)).features()), batch)
        if not float(value.detach()) < _SPOILT:
            spoilt += 1
            if spoilt == _TOO_MANY:
                raise RuntimeError(f"Training went astray at step {step}: begin again with a lower rate")
            continue
        spoilt = 0
        descend(net, optimizer, value)
        recent += 0.01 * (float(value.detach()) - recent) if step else float(value.detach())
        if step % 100 == 99:
            count = examples.look()
            print(f"step {step + 1} of {steps}, loss {recent:.5f}, {count} clips", flush=True)
        if step % 500 == 499:
            keep(net, weights)
    keep(net, weights)
