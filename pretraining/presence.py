"""Draw short shots, and train the network that tells where people are.

python -m pretraining.presence FOLDER WEIGHTS [--shots N] [--steps N]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.media.frame_store import FrameStore
from backend.media.plates import PlateInfo
from backend.people.detect import Figure
from backend.people.evidence import Evidence, behind, boxes_of, compare, empty_scene
from backend.people.presence import STRIDE, PresenceNet, clues, own_motion, target_of
from backend.people.scene import Scene
from pretraining.common import Lessons, Run, draw_and_train, fit, options
from pretraining.figures import Capsules
from pretraining.outline_scenes import OutlineScene
from pretraining.outline_shots import filming
from pretraining.world import covered, outline

_SIZE = 224, 128
# Moments of a shot that are looked at, each between the frames before and after it; how long shots are, in seconds.
_MOMENTS, _LENGTHS = 8, (0.4, 3.0)
_STAYS = 0.35
# How often boxes are known beforehand, and how many of them.
_BOXES, _KNOWN = 0.6, 0.7
_BOX = 0.04
# How often leaves or water move, and how much.
_WAVES, _WAVING = 0.3, (0.02, 0.15)
# Of a body so much must be seen: of it, and of the picture.
_LEAST_SEEN, _LEAST_AREA = 0.3, 120
_USUAL = Run(steps=6000, rate=2e-3, batch=8, workers=1)
_MIDDLE, _PLACE = 12.0, 0.3
_MOST_ZOOM = 1.4

Bytes = npt.NDArray[np.uint8]


def shot(rng: np.random.Generator) -> tuple[Bytes, Floats]:
    """Frames (n, h, w, 11) of a drawn shot, and everybody's (x, y, height) in each, (n, people, 3); 0 for the unseen.

    They hold the picture, what is behind, difference / 4, shadow, certain, 10 times the flicker, and motion / 4.
    """
    drawn = OutlineScene(rng, int(rng.choice([1, 1, 2, 2, 3, 4])), _SIZE)
    for figure in drawn.figures:
        if rng.random() < _STAYS:
            figure.stay(rng)
    length = rng.uniform(*_LENGTHS)
    starts = rng.uniform(-1, 1) + np.linspace(-length / 2, length / 2, _MOMENTS)
    moments = [float(start + step / 24) for start in starts for step in (-1, 0, 1)]
    camera, waves = filming(rng), _waves(rng)
    frames = [drawn.drawn(t) for t in moments]
    bodies = [
        [_figure(drawn, figure.at(t), mask) for figure, mask in zip(drawn.figures, frame[2], strict=True)]
        for t, frame in zip(moments, frames, strict=True)
    ]
    with TemporaryDirectory() as folder:
        work, count = Path(folder), len(frames)
        pictures = FrameStore.create(work / "pictures.raw", (camera(waves(frame[0])) for frame in frames), count)
        scene = Scene(PlateInfo(work, *_SIZE, Fraction(24), 1, count), pictures, Camera.static(count, _SIZE))
        backdrop = empty_scene(scene, boxes_of(_known(rng, bodies), _SIZE), lambda _done: None)
        looked_at = range(1, count, 3)
        stored = []
        for index in looked_at:
            evidence = compare(scene, backdrop, index)
            single = [evidence.difference / 4, evidence.shadow, evidence.certain]
            single += [10 * backdrop.flicker, own_motion(scene, index) / 4]
            maps = [scene.picture(index), behind(scene, backdrop, index), np.stack(single, -1)]
            stored.append(np.round(np.clip(np.concatenate(maps, -1), 0, 1) * 255).astype(np.uint8))
    places = [[(f.x, f.y, f.height) if f else (0.0, 0.0, 0.0) for f in bodies[index]] for index in looked_at]
    return np.stack(stored), np.asarray(places, np.float32).reshape(len(stored), -1, 3)


def _waves(rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """Leaves or water that move in a part of the picture."""
    (w, h), strength = _SIZE, rng.uniform(*_WAVING) if rng.random() < _WAVES else 0.0
    where = cv2.resize(rng.random((4, 6), np.float32), _SIZE, interpolation=cv2.INTER_CUBIC)
    where = np.clip(4 * (where - rng.uniform(0.4, 0.8)), 0, 1)[..., None]
    grain = int(rng.integers(2, 8))

    def moved(picture: Floats) -> Floats:
        if not strength:
            return picture
        noise = rng.normal(0, strength, (h // grain, w // grain)).astype(np.float32)
        return np.asarray(picture + where * cv2.resize(noise, _SIZE, interpolation=cv2.INTER_CUBIC)[..., None])

    return moved


def _figure(drawn: OutlineScene, body: Capsules, seen: Floats) -> Figure | None:
    """The place of a body within the picture, from its outline; None where too little of it is to be seen."""
    whole = cv2.resize(covered(drawn.view, outline(drawn.view, body)), _SIZE, interpolation=cv2.INTER_AREA) > 0.5
    if seen.sum() < max(_LEAST_AREA, _LEAST_SEEN * whole.sum()):
        return None
    rows, columns = np.nonzero(whole)
    return Figure(float(np.median(columns)), (rows.min() + rows.max()) / 2, float(np.ptp(rows) + 1), 1.0)


def _known(rng: np.random.Generator, bodies: list[list[Figure | None]]) -> list[list[Figure]]:
    """The boxes that a detector might have given."""
    share = _KNOWN if rng.random() < _BOXES else 0.0
    known = []
    for frame in bodies:
        boxes = [f for f in frame if f and rng.random() < share]
        known.append([f.moved(*rng.normal(0, _BOX * f.height, 2)) for f in boxes])
    return known


def lesson(rng: np.random.Generator, stored: Bytes, places: Floats) -> tuple[Floats, Floats]:
    """Clues (INPUTS, h, w) of a frame, and what the network should answer (5, h / STRIDE, w / STRIDE)."""
    maps, size = stored.astype(np.float32) / np.float32(255), _SIZE
    zoom = rng.uniform(1, _MOST_ZOOM)
    shift = -rng.uniform(0, zoom - 1, 2) * size
    if rng.random() < 0.5:
        maps = maps[:, ::-1]
        places = np.where(places[:, 2:] > 0, places * [-1, 1, 1] + [size[0] - 1, 0, 0], places).astype(np.float32)
    lay = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float64)
    parts = [cv2.warpAffine(np.ascontiguousarray(maps[..., k : k + 4]), lay, size) for k in (0, 4, 8)]
    maps = np.concatenate([part.reshape(size[1], size[0], -1) for part in parts], -1)
    maps[..., :6] = np.clip(maps[..., :6] * np.tile(rng.uniform(0.6, 1.3, 3), 2), 0, 1)
    evidence = Evidence(maps[..., 6] * 4, maps[..., 7], maps[..., 8])
    seen = clues(maps[..., :3], maps[..., 3:6], evidence, maps[..., 9] / 10, maps[..., 10] * 4 * zoom)
    moved = [(zoom * x + shift[0], zoom * y + shift[1], zoom * height) for x, y, height in places if height > 0]
    inside = [Figure(x, y, height, 1.0) for x, y, height in moved if 0 <= x < size[0] and 0 <= y < size[1]]
    return seen, target_of(inside, (size[1] // STRIDE, size[0] // STRIDE))


def draw_shots(folder: Path, seed: int, count: int) -> None:
    """Draw shots into numbered files."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        stored, places = shot(np.random.default_rng([seed, number]))
        np.savez(folder / f"{seed:03d}_{number:05d}.npz", stored=stored, places=places)


def _lessons_of(rng: np.random.Generator, file: Path) -> Iterator[tuple[Floats, Floats]]:
    with np.load(file) as held:
        stored, places = held["stored"], held["places"]
    for index in rng.choice(len(stored), min(4, len(stored)), replace=False):
        yield lesson(rng, stored[index], places[index])


def loss_of(answer: Tensor, target: Tensor) -> Tensor:
    """How far an answer (B, 4, h, w) is from its target (B, 5, h, w)."""
    near = target[:, 0]
    odds = F.binary_cross_entropy_with_logits(answer[:, 0], near, 1 + _MIDDLE * near)
    away = F.smooth_l1_loss(answer[:, 1:], target[:, 1:4], reduction="none", beta=0.1).sum(1) * target[:, 4]
    return odds + _PLACE * away.sum() / target[:, 4].sum().clamp(min=1)


def train_presence(folder: Path, weights: Path, run: Run, seed: int = 0) -> None:
    """Train the network on what is in a folder."""
    torch.manual_seed(seed)
    fit(PresenceNet(), Lessons(folder, ".npz", seed, _lessons_of), loss_of, weights, run)


def main() -> None:
    """Draw, train, write the weights."""
    parser = options("with which people are found", "shots", 1000, _USUAL.steps)
    draw_and_train(parser, "shots", draw_shots, train_presence, _USUAL)


if __name__ == "__main__":
    main()
