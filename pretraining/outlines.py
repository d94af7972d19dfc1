"""Draw people before what is behind them, and train the network that finds where they end.

python -m pretraining.outlines FOLDER WEIGHTS [--pictures N] [--steps N]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.core.color import Floats
from backend.people.evidence import Evidence
from backend.people.outline import OutlineNet, View, clues, inputs_of
from backend.people.roughen import roughened
from backend.people.segmenter import body_place, place_of
from pretraining.common import Lessons, Run, draw_and_train, fit, options
from pretraining.outline_pictures import (
    BEHIND,
    CERTAIN,
    DIFFERENCE,
    FOUND,
    MOTION,
    OTHERS,
    OWN,
    PICTURE,
    SHADOW,
    UNREST,
    Bytes,
    pictures_of,
)
from pretraining.outline_shots import pictures_of_shot

_USUAL = Run(steps=6000, rate=1e-3, batch=6, workers=2)
_STILL = 0.2
_OTHERS_SPOILT = 0.7
# Limbs, and gaps between them, up to so many pixels wide count so many times as much as the rest.
_THIN, _THIN_COUNTS = 9, 4.0
# So many of the drawn places are looked at as shots, and so many lessons start from masks with the flaws of found ones.
_SHOTS, _FLAWED = 0.55, 0.7
# How often nothing is told of how restless places are, as in a very short shot; else how much less or more so they are.
_UNTOLD, _UNREST = 0.1, (0.5, 1.3)


def _filmed_in_color(rng: np.random.Generator, picture: Floats) -> Floats:
    """Soft edges, and colours at half of the size, as most films have them."""
    if rng.random() < 0.5:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.2, 0.7))), np.float32)
    if rng.random() < 0.6:
        wide = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
        small = cv2.resize(wide, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        wide[..., 1:] = cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., 1:]
        picture = np.asarray(cv2.cvtColor(wide, cv2.COLOR_YCrCb2RGB), np.float32)
    return picture


def lesson(rng: np.random.Generator, stored: Bytes) -> tuple[Floats, Floats]:
    """Inputs (INPUTS, SIDE, SIDE) and the true mask (SIDE, SIDE) of one picture, spoilt at random."""
    maps = stored.astype(np.float32) / np.float32(255)
    if rng.random() < 0.5:
        maps = maps[:, ::-1]
    maps = np.ascontiguousarray(maps)
    if rng.random() < 0.5:
        maps[..., :6] = np.clip(maps[..., :6] * rng.uniform(0.6, 1.3, 3).repeat(2).reshape(3, 2).T.ravel(), 0, 1)
    picture, behind, own, others = (
        _filmed_in_color(rng, np.ascontiguousarray(maps[..., PICTURE])),
        maps[..., BEHIND],
        maps[..., OWN],
        maps[..., OTHERS],
    )
    certain = maps[..., CERTAIN] * _never_empty(rng, own)
    evidence = Evidence(maps[..., DIFFERENCE] * 4, maps[..., SHADOW], certain)
    changed = np.clip(np.abs(picture - behind).max(-1) * 12, 0, 1)
    rough = roughened(rng, maps[..., FOUND] if rng.random() < _FLAWED else own, others, np.asarray(changed, np.float32))
    place = body_place(rough) or place_of(own)
    assert place is not None
    view = View.around(place)
    told = 0.0 if rng.random() < _UNTOLD else rng.uniform(*_UNREST)
    seen = clues(picture, behind, evidence, maps[..., MOTION] * 4, told * maps[..., UNREST] / 4)
    if rng.random() < _OTHERS_SPOILT:
        others = roughened(rng, others, own, np.asarray(changed, np.float32))
    near = cv2.GaussianBlur(others, (0, 0), float(rng.uniform(0.3, 2)))
    square = view.cut(np.concatenate([seen, rough[..., None], near[..., None], own[..., None]], -1))
    return inputs_of(square[..., :-3], square[..., -3], square[..., -2]), square[..., -1]


def _never_empty(rng: np.random.Generator, mask: Floats) -> Floats:
    """0 around somebody who hardly moves: there the ground is never to be seen; else 1."""
    seen = np.ones_like(mask)
    rows, columns = np.nonzero(mask > 0.5)
    if len(rows) and rng.random() < _STILL:
        top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
        room = rng.uniform(-0.1, 0.3, 4) * (bottom - top)
        seen[
            max(0, round(top - room[0])) : round(bottom + room[1]),
            max(0, round(left - room[2])) : round(right + room[3]),
        ] = 0
    return seen


def draw_pictures(folder: Path, seed: int, count: int) -> None:
    """Draw about ``count`` pictures into numbered files."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    made = number = 0
    while made < count:
        rng = np.random.default_rng([seed, number])
        found = (pictures_of_shot if rng.random() < _SHOTS else pictures_of)(rng)
        if found:
            np.save(folder / f"{seed:03d}_{number:05d}.npy", np.stack(found))
        made, number = made + len(found), number + 1


def _lessons_of(rng: np.random.Generator, file: Path) -> Iterator[tuple[Floats, Floats]]:
    stored = np.load(file, mmap_mode="r")
    yield lesson(rng, np.asarray(stored[rng.integers(len(stored))]))


def thinness(truth: Tensor) -> Tensor:
    """How much each pixel of masks (B, SIDE, SIDE) counts: more in hands and feet, and in gaps beside them."""

    def grown(masks: Tensor) -> Tensor:
        return F.max_pool2d(masks[:, None], _THIN, 1, _THIN // 2)[:, 0]

    opened, closed = grown(-grown(-truth)), -grown(-grown(truth))
    return 1 + (_THIN_COUNTS - 1) * ((truth - opened) + (closed - truth))


def loss_of(odds: Tensor, truth: Tensor) -> Tensor:
    """How far odds (B, SIDE, SIDE) are from true masks; see ``thinness``."""
    return F.binary_cross_entropy_with_logits(odds, truth, thinness(truth))


def train_outlines(folder: Path, weights: Path, run: Run, seed: int = 0) -> None:
    """Train the network on what is in a folder."""
    torch.manual_seed(seed)
    fit(OutlineNet(), Lessons(folder, ".npy", seed, _lessons_of), loss_of, weights, run)


def main() -> None:
    """Draw, train, write the weights."""
    parser = options("with which outlines are found", "pictures", 6000, _USUAL.steps)
    draw_and_train(parser, "pictures", draw_pictures, train_outlines, _USUAL)


if __name__ == "__main__":
    main()
