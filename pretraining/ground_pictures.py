"""Drawn places without people: what goes on behind somebody who stands in front of it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from pretraining.ground_walls import any_color, any_filling, any_surface, any_wall, box

SIDE = 288
# Drawn larger by so much, for soft edges.
_FINER = 2
Bytes = npt.NDArray[np.uint8]


def ground_picture(rng: np.random.Generator) -> Bytes:
    """One place, (SIDE, SIDE, 3): walls with what is on and before them, a floor, light, and what a camera does."""
    side = SIDE * _FINER
    wall = any_wall(rng, side)
    horizon = int(side * rng.uniform(0.25, 1.05))
    picture = wall
    if horizon < side:
        floor = _floor(rng, side, side - horizon)
        picture = np.concatenate([wall[side - horizon :][:horizon], floor])
        if rng.random() < 0.4:
            tall = int(rng.integers(4, 24))
            picture[max(0, horizon - tall) : horizon] = any_color(rng)
    for _ in range(int(rng.choice([0, 0, 1, 2, 4]))):
        _thing(rng, picture, horizon)
    for _ in range(int(rng.choice([0, 0, 1, 3]))):
        _shade(rng, picture)
    if rng.random() < 0.5:
        picture = _turned(rng, picture, 0.06)
    if rng.random() < 0.3:
        picture = _turned(rng, picture, 0.3)
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:
        small = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.3, 1.2)))
    small = np.clip(small, 0, 1) ** rng.uniform(0.6, 1.3) + rng.normal(0, rng.uniform(0, 0.012), small.shape)
    return np.asarray(np.round(np.clip(small, 0, 1) * 255), np.uint8)


def _floor(rng: np.random.Generator, side: int, rows: int) -> Floats:
    """Ground in perspective: its material, patches and lines on it."""
    plane = any_surface(rng, side, side)
    for _ in range(int(rng.choice([0, 1, 2]))):
        x, y, wide, high = side * rng.uniform([-0.2, 0, 0.1, 0.05], [0.9, 1, 1, 0.6])
        box(plane, x, y, x + wide, y + high, any_filling(rng, high, wide))
    for _ in range(int(rng.choice([0, 0, 2, 4]))):
        ends = side * rng.uniform(-0.3, 1.3, (2, 2))
        if rng.random() < 0.7:
            axis = int(rng.integers(2))
            ends[1, axis] = ends[0, axis]
        thick = int(rng.integers(2, 14))
        cv2.line(
            plane,
            ends[0].astype(int).tolist(),
            ends[1].astype(int).tolist(),
            any_color(rng).tolist(),
            thick,
            cv2.LINE_AA,
        )
    far, middle = rng.uniform(0.15, 1), rng.uniform(-0.3, 1.3)
    top = side * (middle + np.array([-1, 1]) * 0.5 / far)
    bottom = side * (middle + np.array([-1, 1]) * 0.5)
    start = np.array([[top[0], 0], [top[1], 0], [bottom[1], side], [bottom[0], side]], np.float32)
    # A square in the picture, from near to far, is this much of the plane.
    seen = np.array([[0, 0], [side, 0], [side, rows], [0, rows]], np.float32)
    shrunk = cv2.getPerspectiveTransform(start, seen)
    spread = cv2.getPerspectiveTransform(
        np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32),
        np.array([[-side, 0], [2 * side, 0], [side, rows], [0, rows]], np.float32),
    )
    turn = spread if rng.random() < 0.6 else shrunk
    laid = cv2.warpPerspective(plane, turn, (side, rows), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(laid, np.float32)


def _thing(rng: np.random.Generator, picture: Floats, horizon: int) -> None:
    """A bench, table, box or kerb that stands before the wall."""
    side = picture.shape[0]
    wide, high = side * rng.uniform(0.08, 0.6), side * rng.uniform(0.04, 0.3)
    x, foot = side * rng.uniform(-0.2, 1), min(side, horizon + side * rng.uniform(-0.05, 0.15))
    color = any_color(rng)
    if rng.random() < 0.5:
        box(picture, x, foot - high, x + wide, foot, any_filling(rng, high, wide))
        box(picture, x, foot - high, x + wide, foot - high * rng.uniform(0.7, 0.95), color)
    else:
        thick = side * rng.uniform(0.01, 0.04)
        box(picture, x, foot - high, x + wide, foot - high + thick, color)
        for leg in (0.05, 0.95):
            box(picture, x + leg * wide - thick / 2, foot - high, x + leg * wide + thick / 2, foot, 0.8 * color)


def _shade(rng: np.random.Generator, picture: Floats) -> None:
    """A shadow of something outside the picture, or a lighter patch."""
    side = picture.shape[0]
    shadow = np.zeros((side, side), np.float32)
    middle, size = rng.uniform(0, side, 2), side * rng.uniform(0.1, 0.5)
    corners = (middle + rng.normal(0, size, (int(rng.integers(3, 6)), 2))).astype(np.int32)
    cv2.fillPoly(shadow, [corners], 1.0)
    shadow = cv2.GaussianBlur(shadow, (0, 0), float(rng.choice([1.5, 5, 25])))
    picture *= (1 - rng.uniform(-0.3, 0.6) * shadow)[..., None]


def _turned(rng: np.random.Generator, picture: Floats, how_much: float) -> Floats:
    """Seen at an angle."""
    side = picture.shape[0]
    square = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    moved = square + side * rng.normal(0, how_much / 2, (4, 2)).clip(-how_much, how_much).astype(np.float32)
    way = cv2.getPerspectiveTransform(square, moved.astype(np.float32))
    return np.asarray(cv2.warpPerspective(picture, way, (side, side), borderMode=cv2.BORDER_REFLECT), np.float32)
