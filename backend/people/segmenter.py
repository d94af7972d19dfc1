"""A small network trained on this clip alone: to whom does a pixel belong, by its looks and its place on a body."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from backend.core.color import Floats
from backend.people.evidence import Evidence
from backend.people.unrest import as_clue

_BLURS = (0.0, 1.5, 4.0)
# The edges of who sways are restless, and so is what is near them.
_AROUND = (2.0, 5.0)
_LAB_SCALE, _LAB_MIDDLE = np.array([50, 30, 30], np.float32), np.array([1, 0, 0], np.float32)
_WIDTH = 48
_BATCH = 3072
_RATE = 4e-3
# Standard deviations of the jitter of a body's place (heights) and size (share): predicted places are not exact.
_PLACE_JITTER = 0.05
_SIZE_JITTER = 0.06
_RATHER = 0.3
# Beyond this many heights of the person from the body's centre nothing is hers.
REACH = (0.75, 1.05)

Samples = tuple[Floats, Floats, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Place:
    """Where a body is: its centre and height in pixels."""

    x: float
    y: float
    height: float


def place_of(mask: Floats) -> Place | None:
    """The place of a body from its mask (h, w) 0..1, or None for hardly any body at all."""
    total = float(mask.sum())
    if total < 12:
        return None
    rows, columns = mask.sum(1), mask.sum(0)
    x = float((columns * np.arange(len(columns))).sum() / total)
    y = float((rows * np.arange(len(rows))).sum() / total)
    spread = float(np.sqrt((rows * (np.arange(len(rows)) - y) ** 2).sum() / total))
    # An upright bar of height h has a spread of h / sqrt(12).
    return Place(x, y, max(6.0, 3.46 * spread))


def body_place(mask: Floats) -> Place | None:
    """As ``place_of``, of what is rather sure only."""
    return place_of(np.where(mask > _RATHER, mask, 0))


def features(picture: Floats, evidence: Evidence, motion: Floats, restless: Floats) -> Floats:
    """What is to be seen at each pixel, (h, w, F): colours at several scales, pattern, difference, motion, unrest.

    ``motion`` (h, w): how fast each pixel moves against the background, in pixels per frame; ``restless`` (h, w): see
    ``backend.people.unrest``.
    """
    lab = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB) / _LAB_SCALE - _LAB_MIDDLE
    maps = [lab if sigma == 0 else cv2.GaussianBlur(lab, (0, 0), sigma) for sigma in _BLURS]
    light = lab[..., 0]
    fine = np.sqrt(np.maximum(cv2.GaussianBlur(light**2, (0, 0), 2) - cv2.GaussianBlur(light, (0, 0), 2) ** 2, 0))
    known = evidence.certain
    difference, shadow = evidence.difference / 2 * known, evidence.shadow * known
    moving, restless = np.minimum(motion / 2, 2), as_clue(restless)
    single = [3 * fine, difference, cv2.GaussianBlur(difference, (0, 0), 3), shadow, known, moving, restless]
    single += [cv2.GaussianBlur(restless, (0, 0), sigma) for sigma in _AROUND]
    return np.asarray(np.concatenate([*maps, np.stack(single, -1)], axis=-1), np.float32)


FEATURES = 3 * len(_BLURS) + 7 + len(_AROUND)


# Features that come from the empty scene are 0 here; they are 0 in a frame where that is not known.
_LOOKS_ONLY = torch.ones(FEATURES)
_LOOKS_ONLY[3 * len(_BLURS) + 1 : 3 * len(_BLURS) + 5] = 0
_BLIND = 0.5
_MOVED = 0.25
_BODY_BOX = (0.7, 1.1)


class Segmenter(nn.Module):
    """For each of N people the odds (logarithm) that a pixel is theirs rather than the background."""

    def __init__(self, people: int, seed: int = 0) -> None:
        super().__init__()
        self.people = people
        generator = torch.Generator().manual_seed(seed)
        self.looks = nn.Linear(FEATURES, _WIDTH)
        self.place = nn.Linear(6, _WIDTH)
        self.who = nn.Parameter(torch.randn(people, _WIDTH, generator=generator) * 0.3)
        self.gain = nn.Parameter(torch.randn(people, _WIDTH, generator=generator) * 0.3)
        self.middle, self.last = nn.Linear(_WIDTH, _WIDTH), nn.Linear(_WIDTH, 1)
        for layer in (self.looks, self.place, self.middle, self.last):
            nn.init.normal_(layer.weight, 0, (1.6 / layer.in_features) ** 0.5, generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, looks: Tensor, where: Tensor, person: int) -> Tensor:
        """Odds (M,) for one person; ``looks`` (M, F), ``where`` (M, 2) in heights from the centre of the body."""
        x, y = where[:, :1], where[:, 1:]
        place = self.place(torch.cat([x, y, x.abs(), x * x, y * y, x * y], 1))
        looks = self.looks(looks)
        hidden = torch.relu(looks * (1 + self.gain[person]) + place + self.who[person])
        odds: Tensor = self.last(torch.relu(self.middle(hidden)))[:, 0]
        beyond = torch.relu(x[:, 0].abs() - REACH[0]) + torch.relu(y[:, 0].abs() - REACH[1])
        return odds - 20 * beyond


class Trainer:
    """Trains a segmenter on labelled pixels of many frames, a bounded number of which are kept."""

    def __init__(self, model: Segmenter, seed: int = 0) -> None:
        self._model = model
        self._random = np.random.default_rng(seed)
        self._looks: list[Floats] = []
        self._where: list[Floats] = []
        self._labels: list[npt.NDArray[np.int64]] = []

    def add(self, looks: Floats, labels: npt.NDArray[np.int32], places: list[Place | None], most: int) -> None:
        """Keep at most ``most`` pixels per label of a frame.

        Args:
            looks: (h, w, F) features.
            labels: (h, w): -1 unknown, 0 background, k + 1 person k.
            places: where each person is; None for somebody who is not to be seen.
            most: pixels per label.
        """
        chosen = [
            self._some(labels, label, most * (2 if label == 0 else 1), places) for label in range(len(places) + 1)
        ]
        rows, columns = np.concatenate(chosen, axis=1)
        self._looks.append(looks[rows, columns])
        self._labels.append(labels[rows, columns].astype(np.int64))
        self._where.append(np.stack([_relative(columns, rows, place) for place in places], 1))

    def _some(
        self, labels: npt.NDArray[np.int32], label: int, most: int, places: list[Place | None]
    ) -> npt.NDArray[np.int64]:
        found = np.stack(np.nonzero(labels == label))
        if label == 0 and found.shape[1]:
            # Background near people tells more than background far away.
            near = np.min([np.abs(_relative(found[1], found[0], place)).max(1) for place in places], axis=0)
            close = found[:, near < 1.0]
            far = found[:, near >= 1.0]
            return np.concatenate([self._pick(close, most), self._pick(far, most // 3)], axis=1)
        return self._pick(found, most)

    def _pick(self, found: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
        if found.shape[1] <= most:
            return found
        return found[:, self._random.choice(found.shape[1], most, replace=False)]

    def train(self, steps: int) -> float:
        """Fit the model; returns the last mean loss (nats per pixel)."""
        looks, where = torch.from_numpy(np.concatenate(self._looks)), torch.from_numpy(np.concatenate(self._where))
        labels = torch.from_numpy(np.concatenate(self._labels))
        weights = _balanced(labels, self._model.people + 1)
        optimiser = torch.optim.Adam(self._model.parameters(), _RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2 * _RATE, total_steps=steps)
        smooth = 0.0
        for step in range(steps):
            batch = torch.from_numpy(self._random.integers(0, len(labels), _BATCH))
            loss = self._loss(looks[batch], where[batch], labels[batch], weights)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            smooth = 0.9 * smooth + 0.1 * float(loss.detach())
            if step == 0:
                smooth = float(loss.detach())
        return smooth

    def _loss(self, looks: Tensor, where: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        people = self._model.people
        shape = (len(labels), people, 1)
        shift = torch.from_numpy(self._random.normal(0, _PLACE_JITTER, (len(labels), people, 2)).astype(np.float32))
        grow = torch.from_numpy(np.exp(self._random.normal(0, _SIZE_JITTER, shape)).astype(np.float32))
        where = where * grow + shift
        # Ground looks like ground, and everybody like themselves, before whosever body it is: some pixels are learned
        # as if they lay on the bodies of others.
        spot = (self._random.random((len(labels), people, 2)) - 0.5) * np.array(_BODY_BOX)
        own = nn.functional.one_hot(labels, people + 1)[:, 1:, None] > 0
        moved = torch.from_numpy(self._random.random((len(labels), 1, 1)) < _MOVED)
        where = torch.where(moved & ~own, torch.from_numpy(spot.astype(np.float32)), where)
        # What differs from the empty scene is not known everywhere: looks must do without it.
        blind = torch.from_numpy(self._random.random((len(labels), 1)) < _BLIND) | moved[:, 0]
        looks = torch.where(blind, looks * _LOOKS_ONLY, looks)
        odds = [torch.zeros(len(labels))] + [self._model(looks, where[:, k], k) for k in range(people)]
        return nn.functional.cross_entropy(torch.stack(odds, 1), labels, weight=weights, label_smoothing=0.02)


def _balanced(labels: Tensor, classes: int) -> Tensor:
    counts = torch.bincount(labels, minlength=classes).float().clamp(min=1)
    return (counts.sum() / counts).sqrt() / (counts.sum() / counts).sqrt().mean()


def _relative(columns: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], place: Place | None) -> Floats:
    """Positions in heights from a body's centre; far away from somebody who is not there."""
    if place is None:
        return np.full((len(rows), 2), 9.0, np.float32)
    return np.asarray(np.stack([(columns - place.x) / place.height, (rows - place.y) / place.height], 1), np.float32)


@torch.no_grad()
def odds_of(model: Segmenter, looks: Floats, place: Place, person: int) -> Floats:
    """The odds (logarithm) of one person at every pixel of a frame, (h, w); -20 out of reach."""
    height, width = looks.shape[:2]
    odds = np.full((height, width), -20, np.float32)
    left, right = int(max(0, place.x - REACH[0] * place.height)), int(min(width, place.x + REACH[0] * place.height + 1))
    top, bottom = (
        int(max(0, place.y - REACH[1] * place.height)),
        int(min(height, place.y + REACH[1] * place.height + 1)),
    )
    if right - left < 2 or bottom - top < 2:
        return odds
    columns, rows = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
    where = _relative(columns.ravel(), rows.ravel(), place)
    area = np.ascontiguousarray(looks[top:bottom, left:right]).reshape(-1, looks.shape[-1])
    values = model(torch.from_numpy(area), torch.from_numpy(where), person)
    odds[top:bottom, left:right] = values.numpy().reshape(bottom - top, right - left)
    return odds
