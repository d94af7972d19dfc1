"""The network of outlines taught what these people and this ground look like, from what the artist has drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
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
from backend.train.device import quick_arithmetic

# Steps for each drawn frame, all people learning together, and at most; then of everybody alone, and of all those.
_STEPS_EACH, _MOST_STEPS = 50, 240
_STEPS_ALONE, _MOST_ALONE = 100, 400
# Rough masks count less beside a network that knows the person.
_TRUST = 0.15
_BATCH = 2
_RATE, _RATE_ALONE = 6e-4, 4e-4
_BRIGHTNESS = (0.85, 1.15)
# How often somebody else is put near a body, how often behind it, and how far off (in its heights, across and along).
_COMPANY, _BEHIND, _APART = 0.5, 0.35, (0.25, 0.06)

Drawn = Mapping[int, Mapping[int, Floats]]
Seen = Callable[[int], Floats]
Lesson = tuple[Floats, Floats, Floats]
"""Clues (h, w, C), and the masks (h, w) of a body and of everybody else."""


def refined(people: int, drawn: Drawn, seen: Seen, alone: bool = True, seed: int = 0) -> list[OutlineNet]:
    """A network for each of the ``people``: taught by all drawings, then by the person's own; else as it ships.

    Args:
        people: how many there are.
        drawn: masks (h, w) by person and frame.
        seen: gives the clues (h, w, C) of a frame.
        alone: whether everybody gets a network of her own.
        seed: of what goes wrong in the lessons.
    """
    rng, recent, net = np.random.default_rng(seed), lru_cache(maxsize=8)(seen), outline_net()
    known = [(index, person) for person, frames in drawn.items() for index in frames]
    net = _taught(net, _lessons(rng, drawn, known, recent), min(_STEPS_EACH * len(known), _MOST_STEPS), _RATE)
    nets = [net] * people
    for person, frames in drawn.items() if alone else ():
        own = [(index, person) for index in frames]
        steps = min(_STEPS_ALONE, _MOST_ALONE // len(drawn))
        nets[person] = _taught(deepcopy(net), _lessons(rng, drawn, own, recent), steps, _RATE_ALONE)
        nets[person].trust = _TRUST
    return nets


def _taught(net: OutlineNet, lessons: Iterator[tuple[Tensor, Tensor]], steps: int, rate: float) -> OutlineNet:
    optimizer = torch.optim.Adam(net.parameters(), rate)
    net.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        inputs, truth = (torch.stack(part) for part in zip(*(next(lessons) for _ in range(_BATCH)), strict=True))
        with quick_arithmetic(inputs.device):
            odds = net(inputs)
        loss = F.binary_cross_entropy_with_logits(odds.float(), truth)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return net.eval()


def _lessons(
    rng: np.random.Generator, drawn: Drawn, known: Sequence[tuple[int, int]], seen: Seen
) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and truth of the ``known`` bodies (frame and person), spoilt at random, without end."""
    drawings = [(index, person) for person, frames in drawn.items() for index in frames]
    while True:
        index, person = known[rng.integers(len(known))]
        company = [(at, other) for at, other in drawings if other != person]
        # Of people who were not drawn here it is not known where they are.
        rest = [masks[index] for other, masks in drawn.items() if other != person and index in masks]
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
