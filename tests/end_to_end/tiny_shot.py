"""A shot small enough to decompose in seconds: two boxes with soft shadows walk over a patterned floor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

FRAMES = 12
WIDTH, HEIGHT = 128, 80
SHADOW = 0.45

Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Walker:
    """A box of one colour, and where its left edge is in each frame."""

    name: str
    color: tuple[float, float, float]
    top: int
    start: int
    step: int

    def left(self, frame: int) -> int:
        return self.start + self.step * frame

    def mask(self, frame: int) -> Picture:
        """Where the box is: (H, W), 0 or 1."""
        mask = np.zeros((HEIGHT, WIDTH), np.float32)
        mask[self.top : self.top + 20, self.left(frame) : self.left(frame) + 10] = 1
        return mask

    def shadow(self, frame: int) -> Picture:
        """How dark the floor is below the box: (H, W), 0..1."""
        shadow = np.zeros((HEIGHT, WIDTH), np.float32)
        shadow[self.top + 18 : self.top + 24, self.left(frame) + 6 : self.left(frame) + 22] = SHADOW
        return cv2.GaussianBlur(shadow, (0, 0), 1.5)

    def reach(self, frame: int) -> NDArray[np.bool_]:
        """The box and its shadow with a margin: (H, W)."""
        reach = np.zeros((HEIGHT, WIDTH), bool)
        reach[max(0, self.top - 4) : self.top + 32, max(0, self.left(frame) - 4) : self.left(frame) + 30] = True
        return reach


WALKERS = (
    Walker("upper", (0.85, 0.25, 0.2), 6, 4, 7),
    Walker("lower", (0.2, 0.35, 0.85), 46, 84, -6),
)


def write_shot(folder: Path) -> tuple[Path, Path]:
    """Write the plate and the masks as PNGs; returns their folders."""
    for frame in range(FRAMES):
        _write(folder / "plate" / f"{frame + 1:04d}.png", picture(frame)[..., ::-1])
        for walker in WALKERS:
            _write(folder / "masks" / walker.name / f"{frame + 1:04d}.png", walker.mask(frame))
    return folder / "plate", folder / "masks"


def picture(frame: int) -> Picture:
    """The plate: (H, W, 3), 0..1."""
    scene = _floor()
    for walker in WALKERS:
        scene = scene * (1 - walker.shadow(frame)[..., None])
        scene = np.where(walker.mask(frame)[..., None] > 0, np.float32(walker.color), scene)
    return scene.astype(np.float32)


def _floor() -> Picture:
    y, x = np.indices((HEIGHT, WIDTH), np.float32)
    grain = np.random.default_rng(0).normal(0, 0.02, (HEIGHT, WIDTH, 3))
    tiles = 0.55 + 0.1 * np.sin(x / 5) * np.cos(y / 7)
    return (tiles[..., None] + grain).astype(np.float32)


def _write(path: Path, values: Picture) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.round(np.clip(values, 0, 1) * 255).astype(np.uint8))
