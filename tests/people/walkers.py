"""Small clips of drawn people before a wall, and where everybody is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIZE = (256, 144)
SKIN = (0.85, 0.65, 0.5)


def wall(width: int = SIZE[0], height: int = SIZE[1]) -> np.ndarray:
    """A still background (H, W, 3) with a pattern."""
    noise = np.random.default_rng(3).random((height // 4, width // 4, 3)).astype(np.float32)
    smooth = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = 0.62 + 0.16 * (smooth - 0.5)
    picture[int(height * 0.8) :] *= 0.8
    return np.clip(picture, 0, 1).astype(np.float32)


def body(x: float, phase: float, height: int = 100, size: tuple[int, int] = SIZE) -> dict[str, np.ndarray]:
    """The parts of a walking person standing on the ground at ``x``: masks (H, W) 0..1 by name."""
    feet, scale = size[1] - 10, 8
    part = {name: np.zeros((size[1], size[0]), np.uint8) for name in ("skin", "shirt", "trousers")}

    def at(dx: float, up: float) -> tuple[int, int]:
        return round((x + dx * height) * scale), round((feet - up * height) * scale)

    def line(name: str, points: list[tuple[float, float]], thick: float) -> None:
        corners = np.array([at(*point) for point in points], np.int32)
        cv2.polylines(part[name], [corners], False, 255, max(1, round(thick * height)), cv2.LINE_AA, 3)

    swing = 0.13 * np.sin(phase)
    for sign in (1, -1):
        line("trousers", [(0, 0.5), (0.6 * sign * swing, 0.27), (sign * swing, 0.03)], 0.09)
        line("skin", [(0.02 * sign, 0.8), (-0.5 * sign * swing, 0.6), (-sign * swing, 0.45)], 0.05)
    line("shirt", [(0, 0.79), (0, 0.54)], 0.19)
    cv2.circle(part["skin"], at(0, 0.92), round(0.07 * height * scale), 255, -1, cv2.LINE_AA, 3)
    return {name: mask.astype(np.float32) / 255 for name, mask in part.items()}


COLORS = (
    {"skin": SKIN, "shirt": (0.75, 0.1, 0.12), "trousers": (0.1, 0.12, 0.3)},
    {"skin": SKIN, "shirt": (0.1, 0.45, 0.2), "trousers": (0.85, 0.8, 0.65)},
)


def clip(frames: int = 18, shadow: bool = True) -> tuple[list[np.ndarray], np.ndarray]:
    """Frames (H, W, 3) of two people who walk past each other, and their visible masks (2, T, H, W)."""
    pictures, masks = [], np.zeros((2, frames, SIZE[1], SIZE[0]), np.float32)
    grain = np.random.default_rng(5)
    for index in range(frames):
        share = index / (frames - 1)
        places = 45 + 165 * share, 210 - 165 * share
        picture = wall()
        if shadow:
            for x in places:
                dark = np.zeros(SIZE[::-1], np.float32)
                cv2.ellipse(dark, (round(x) + 22, SIZE[1] - 9), (26, 4), 0, 0, 360, 0.4, -1)
                picture = picture * (1 - cv2.GaussianBlur(dark, (0, 0), 1.5))[..., None]
        for person, x in enumerate(places):
            for name, mask in body(x, 2 * np.pi * index / 11 + person, 100 - 8 * person).items():
                picture = picture + mask[..., None] * (np.array(COLORS[person][name], np.float32) - picture)
                masks[:, index] *= 1 - mask
                masks[person, index] = np.maximum(masks[person, index], mask)
        noisy = picture + grain.normal(0, 0.006, picture.shape)
        pictures.append(np.clip(noisy, 0, 1).astype(np.float32))
    return pictures, masks


def crowd(people: int, frames: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Frames (H, W, 3) of people who walk one behind the other, and their visible masks (N, T, H, W)."""
    size, dice = (40 * people, 110), np.random.default_rng(4)
    clothes = [
        {"skin": SKIN, "shirt": dice.uniform(0, 1, 3), "trousers": dice.uniform(0, 0.5, 3)} for _ in range(people)
    ]
    pictures, masks = [], np.zeros((people, frames, size[1], size[0]), np.float32)
    for index in range(frames):
        picture = wall(*size)
        for person, colors in enumerate(clothes):
            x = 10 + 38 * person + 2.5 * index
            for name, mask in body(x, 2 * np.pi * index / 9 + person, 66, size).items():
                picture = picture + mask[..., None] * (np.array(colors[name], np.float32) - picture)
                masks[person, index] = np.maximum(masks[person, index], mask)
        noisy = picture + dice.normal(0, 0.006, picture.shape)
        pictures.append(np.clip(noisy, 0, 1).astype(np.float32))
    return pictures, masks


def write_frames(folder: Path, pictures: list[np.ndarray], first: int = 1) -> Path:
    """Frames as 8-bit PNG files numbered from ``first``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, first):
        pixels = np.round(picture * 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number:04d}.png"), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    return folder


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks 0..1."""
    first, second = a > 0.5, b > 0.5
    return float((first & second).sum() / max(1, (first | second).sum()))
