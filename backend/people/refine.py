"""The network of outlines taught what these people and this ground look like, from what the artist has drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.core.color import Floats
from backend.people.outline import OutlineNet, View, inputs_of
from backend.people.roughen import roughened
from backend.people.segmenter import body_place

_STEPS_EACH, _MOST_STEPS = 40, 120
_BATCH = 2
_RATE = 6e-4
# The rim of a drawn mask, in pixels of the square, is not to be trusted as much.
_RIM, _RIM_TRUST = 3, 0.4
_BRIGHTNESS = (0.85, 1.15)


def refined(
    net: OutlineNet, drawn: Mapping[int, Mapping[int, Floats]], seen: Callable[[int], Floats], seed: int = 0
) -> OutlineNet:
    """The network, trained further on drawn masks; as it was when there are none.

    Args:
        net: changed in place.
        drawn: masks (h, w) by person and frame.
        seen: gives the clues (h, w, C) of a frame.
        seed: of what goes wrong in the lessons.
    """
    known = [(index, person) for person, frames in drawn.items() for index in frames]
    steps = min(_MOST_STEPS, _STEPS_EACH * len(known))
    if not steps:
        return net
    lessons = _lessons(np.random.default_rng(seed), drawn, seen)
    optimizer = torch.optim.Adam(net.parameters(), _RATE)
    net.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = _RATE * (1 - step / steps)
        inputs, truth, weight = (
            torch.stack(part) for part in zip(*(next(lessons) for _ in range(_BATCH)), strict=True)
        )
        loss = F.binary_cross_entropy_with_logits(net(inputs), truth, weight=weight)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return net.eval()


def _lessons(
    rng: np.random.Generator, drawn: Mapping[int, Mapping[int, Floats]], seen: Callable[[int], Floats]
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Inputs, truth and weights of drawn bodies, spoilt at random, without end."""
    known = [(index, person) for person, frames in drawn.items() for index in frames]
    while True:
        index, person = known[rng.integers(len(known))]
        mask = drawn[person][index]
        # Of people who were not drawn here it is not known where they are.
        rest = [frames[index] for other, frames in drawn.items() if other != person and index in frames]
        others = np.max(rest, axis=0) if rest else np.zeros_like(mask)
        found = _lesson(rng, seen(index), mask, others)
        if found is not None:
            yield found


def _lesson(
    rng: np.random.Generator, seen: Floats, mask: Floats, others: Floats
) -> tuple[Tensor, Tensor, Tensor] | None:
    changed = np.asarray(np.clip(seen[..., 6], 0, 1), np.float32)
    rough = roughened(rng, mask, others, changed)
    place = body_place(rough) or body_place(mask)
    if place is None:
        return None
    maps = np.concatenate([seen, rough[..., None], others[..., None], mask[..., None]], -1)
    maps[..., :3] = (maps[..., :3] + 1) * rng.uniform(*_BRIGHTNESS) - 1
    square = View.around(place).cut(maps)
    if rng.random() < 0.5:
        square = np.ascontiguousarray(square[:, ::-1])
    truth = (square[..., -1] > 0.5).astype(np.float32)
    rim = cv2.morphologyEx(truth, cv2.MORPH_GRADIENT, np.ones((_RIM, _RIM), np.uint8))
    inputs = inputs_of(square[..., :-3], square[..., -3], square[..., -2])
    return torch.from_numpy(inputs), torch.from_numpy(truth), torch.from_numpy(1 - (1 - _RIM_TRUST) * rim)
