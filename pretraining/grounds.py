"""Draw places, cut people out of them, and train the network that makes up what is behind those who never leave.

python -m pretraining.grounds FOLDER WEIGHTS [--pictures N] [--steps N]
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.core.color import Floats
from backend.core.fill import fill
from backend.model.ground_net import SIDE, GroundNet, inputs_of
from pretraining.common import Lessons, Run, draw_and_train, fit, options
from pretraining.figures import Figure
from pretraining.ground_pictures import Bytes, ground_picture
from pretraining.world import View, covered, outline

# In 16-bit floats attention took nearly twice as long.
_USUAL = Run(steps=9500, rate=1e-3, batch=8, workers=1, short=False)
# So many shapes of people are used over and over, turned and enlarged.
_SHAPES = 600
# How much of a place is seen, and how large a hole is in it, in sides of the square.
_SEEN, _HOLE = (110, 280), (0.3, 0.8)
_OUTSIDE = 0.25
# Large errors count so many times more than by their size, and errors of twice and four times the grain as much again.
_SQUARED = 4.0


def lesson(rng: np.random.Generator, stored: Bytes) -> tuple[Floats, Floats]:
    """Inputs (INPUTS, SIDE, SIDE), and the place with how much each pixel counts (4, SIDE, SIDE)."""
    side = int(rng.integers(*_SEEN))
    top, left = rng.integers(0, len(stored) - side, 2)
    picture = stored[top : top + side, left : left + side].astype(np.float32) / np.float32(255)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    picture = np.ascontiguousarray(picture[..., rng.permutation(3)])
    way = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=way), np.float32)
    holes, inside = _holes(rng), np.ones((SIDE, SIDE), np.float32)
    if rng.random() < _OUTSIDE:
        cut = int(rng.integers(1, SIDE // 3))
        edge = int(rng.integers(4))
        np.rot90(inside, edge)[:cut] = 0
    known = inside * (1 - holes)
    begun = fill(picture, known)
    inputs = inputs_of(*(torch.from_numpy(part.transpose(2, 0, 1)[None]) for part in (begun, 1 - known[..., None])))
    answer = np.concatenate([picture, (holes * inside)[..., None]], -1).transpose(2, 0, 1)
    return inputs[0].numpy(), np.ascontiguousarray(answer)


def _holes(rng: np.random.Generator) -> Floats:
    """(SIDE, SIDE): 1 where one to three people hide the place."""
    total = np.zeros((SIDE, SIDE), np.float32)
    size = SIDE * rng.uniform(*_HOLE)
    for number in range(int(rng.choice([1, 1, 1, 2, 3]))):
        shape = _shape(int(rng.integers(_SHAPES)))
        scale = size / shape.shape[0] * rng.uniform(0.8, 1.1)
        middle = SIDE / 2 + rng.normal(0, [0.06, 0.05]) * SIDE + (number > 0) * rng.normal(0, [0.3, 0.05]) * SIDE
        turn = cv2.getRotationMatrix2D((shape.shape[1] / 2, shape.shape[0] / 2), float(rng.normal(0, 4)), scale)
        turn[:, 2] += middle - [shape.shape[1] / 2, shape.shape[0] / 2]
        total = np.maximum(total, cv2.warpAffine(shape, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR))
    holes = np.ascontiguousarray(total > 0.5, np.uint8)
    grown = int(rng.integers(1, 9))
    return cv2.dilate(holes, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grown, grown))).astype(np.float32)


@cache
def _shape(number: int) -> Floats:
    """Where somebody is always in the way, or all that somebody was ever in the way of."""
    rng = np.random.default_rng([7, number])
    figure = Figure(rng, np.array([0.0, 8.0]))
    if rng.random() < 0.7:
        figure.stay(rng)
    view = View(SIDE, SIDE, 1.8, 1.3, 0.03)
    moments = rng.uniform(0, 0.6, int(rng.integers(1, 5)))
    seen = [covered(view, outline(view, figure.at(float(t)))) for t in moments]
    mask = np.max(seen, 0) if rng.random() < 0.5 else np.min(seen, 0)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return np.ones((40, 15), np.float32)
    return np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def draw_pictures(folder: Path, seed: int, count: int) -> None:
    """Draw ``count`` places into numbered files."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        np.save(folder / f"{seed:03d}_{number:05d}.npy", ground_picture(np.random.default_rng([seed, number])))


def _lessons_of(rng: np.random.Generator, file: Path) -> Iterator[tuple[Floats, Floats]]:
    yield lesson(rng, np.load(file, mmap_mode="r"))


def loss_of(pictures: Tensor, answer: Tensor) -> Tensor:
    """How far made-up places (B, 3, SIDE, SIDE) are from true ones (B, 4, SIDE, SIDE), holes alone, at three sizes."""
    off, counts = pictures - answer[:, :3], answer[:, 3:]
    total = torch.zeros((), dtype=off.dtype)
    for _ in range(3):
        each = off.abs() + _SQUARED * off**2
        total = total + (each * counts).sum() / (3 * counts.sum() + 1)
        off, counts = F.avg_pool2d(off * counts, 2), F.avg_pool2d(counts, 2)
    return total


def train_grounds(folder: Path, weights: Path, run: Run, seed: int = 0) -> None:
    """Train the network on what is in a folder."""
    torch.manual_seed(seed)
    fit(GroundNet(), Lessons(folder, ".npy", seed, _lessons_of), loss_of, weights, run)


def main() -> None:
    """Draw, train, write the weights."""
    parser = options("with which unseen ground is made up", "pictures", 3500, _USUAL.steps)
    draw_and_train(parser, "pictures", draw_pictures, train_grounds, _USUAL)


if __name__ == "__main__":
    main()
