"""The network of outlines taught what these people and this ground look like, from what the artist has drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.core.color import Floats
from backend.people.outline import OutlineNet, View, inputs_of, outline_net
from backend.people.roughen import roughened
from backend.people.segmenter import Place, body_place

# Steps for each drawn frame of a person, at most for one person, and for all together.
_STEPS_EACH, _STEPS_OF_ONE, _MOST_STEPS = 100, 200, 800
_BATCH = 2
_RATE = 6e-4
_BRIGHTNESS = (0.85, 1.15)
# How often somebody else is put near a body, how often behind it, and how far off (in its heights, across and along).
_COMPANY, _BEHIND, _APART = 0.5, 0.35, (0.25, 0.06)

Drawn = Mapping[int, Mapping[int, Floats]]
Seen = Callable[[int], Floats]
Lesson = tuple[Floats, Floats, Floats]
"""Clues (h, w, C), and the masks (h, w) of a body and of everybody else."""


def refined(people: int, drawn: Drawn, seen: Seen, seed: int = 0) -> list[OutlineNet]:
    """A network for each of the ``people``, taught by the person's own drawings; as it ships where there are none.

    Args:
        people: how many there are.
        drawn: masks (h, w) by person and frame.
        seen: gives the clues (h, w, C) of a frame.
        seed: of what goes wrong in the lessons.
    """
    nets = [outline_net()] * people
    recent = lru_cache(maxsize=8)(seen)
    for person, frames in drawn.items():
        steps = min(_STEPS_EACH * len(frames), _STEPS_OF_ONE, _MOST_STEPS // len(drawn))
        nets[person] = _taught(outline_net(), _lessons(np.random.default_rng(seed), drawn, person, recent), steps)
    return nets


def _taught(net: OutlineNet, lessons: Iterator[tuple[Tensor, Tensor]], steps: int) -> OutlineNet:
    optimizer = torch.optim.Adam(net.parameters(), _RATE)
    net.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = _RATE * (1 - step / steps)
        inputs, truth = (torch.stack(part) for part in zip(*(next(lessons) for _ in range(_BATCH)), strict=True))
        loss = F.binary_cross_entropy_with_logits(net(inputs), truth)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return net.eval()


def _lessons(rng: np.random.Generator, drawn: Drawn, person: int, seen: Seen) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and truth of one person's drawn body, spoilt at random, without end."""
    frames = list(drawn[person])
    company = [(index, other) for other in drawn if other != person for index in drawn[other]]
    while True:
        index = frames[rng.integers(len(frames))]
        # Of people who were not drawn here it is not known where they are.
        rest = [known[index] for other, known in drawn.items() if other != person and index in known]
        mask = drawn[person][index]
        lesson = seen(index), mask, np.max(rest, axis=0) if rest else np.zeros_like(mask)
        if company and rng.random() < _COMPANY:
            at, other = company[rng.integers(len(company))]
            lesson = _accompanied(rng, lesson, seen(at), drawn[other][at])
        yield _lesson(rng, *lesson)


def _accompanied(rng: np.random.Generator, lesson: Lesson, seen: Floats, mask: Floats) -> Lesson:
    """The lesson with somebody else, as drawn elsewhere, before the body or behind it."""
    own, guest = body_place(lesson[1]), body_place(mask)
    if own is None or guest is None:
        return lesson
    across, along = rng.normal(0, _APART) * own.height
    shift = np.array([[1, 0, own.x + across - guest.x], [0, 1, own.y + along - guest.y]], np.float64)
    size = mask.shape[::-1]
    there = np.asarray(cv2.warpAffine(mask, shift, size), np.float32)
    if rng.random() < _BEHIND:
        there = there * (1 - lesson[1])
    look = cv2.warpAffine(seen, shift, size, borderMode=cv2.BORDER_REPLICATE)
    rest = 1 - there
    clues = np.asarray(lesson[0] * rest[..., None] + look * there[..., None], np.float32)
    return clues, np.asarray(lesson[1] * rest, np.float32), np.asarray(np.maximum(lesson[2] * rest, there), np.float32)


def _lesson(rng: np.random.Generator, seen: Floats, mask: Floats, others: Floats) -> tuple[Tensor, Tensor]:
    changed = np.asarray(np.clip(seen[..., 6], 0, 1), np.float32)
    rough = roughened(rng, mask, others, changed)
    place = body_place(rough) or body_place(mask) or Place(seen.shape[1] / 2, seen.shape[0] / 2, seen.shape[0] / 2)
    maps = np.concatenate([seen, rough[..., None], others[..., None], mask[..., None]], -1)
    maps[..., :3] = (maps[..., :3] + 1) * rng.uniform(*_BRIGHTNESS) - 1
    square = View.around(place).cut(maps)
    if rng.random() < 0.5:
        square = np.ascontiguousarray(square[:, ::-1])
    truth = (square[..., -1] > 0.5).astype(np.float32)
    inputs = inputs_of(square[..., :-3], square[..., -3], square[..., -2])
    return torch.from_numpy(inputs), torch.from_numpy(truth)
