"""A camera that turns: a window of the final size that moves over a larger drawn clip."""

from __future__ import annotations

from dataclasses import fields

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.camera import Camera
from backend.core.color import Floats
from pretraining.scenes import DrawnClip, draw_clip

# How much wider and higher than the window the drawn pictures are.
_ROOM = (0.7, 0.15)
# Pixels by which the camera's path is known wrongly.
_REGISTRATION_ERROR = 0.08


def draw_turning_clip(
    rng: np.random.Generator, size: tuple[int, int], frames: int, people: int
) -> tuple[DrawnClip, Camera]:
    """As ``draw_clip``, seen by a camera that turns; with the camera as registration would find it."""
    room = np.array([round(size[0] * _ROOM[0]), round(size[1] * _ROOM[1])])
    wide = draw_clip(rng, (size[0] + int(room[0]), size[1] + int(room[1])), frames, people)
    corners = _path(rng, frames, room)
    clip = DrawnClip(**{field.name: _windows(getattr(wide, field.name), corners, size) for field in fields(wide)})
    found = corners + rng.normal(0, _REGISTRATION_ERROR, corners.shape)
    to_canvas = np.tile(np.eye(3), (frames, 1, 1))
    to_canvas[:, :2, 2] = found
    return clip, Camera.moving_over(to_canvas, size)


def _path(rng: np.random.Generator, frames: int, room: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The window's upper left corner in every frame, (T, 2): from one place to another, with a little unrest."""
    ends = rng.random((2, 2)) * room
    along = np.linspace(0, 1, frames)[:, None]
    unrest = rng.normal(0, rng.uniform(0, 0.6), (frames, 2))
    return np.asarray(np.clip(ends[0] + (ends[1] - ends[0]) * along + unrest, 0, room))


def _windows(pictures: Floats, corners: npt.NDArray[np.float64], size: tuple[int, int]) -> Floats:
    """What the window shows of pictures (T, h, w, 3), (T, N, h, w) or (T, N, h, w, 3)."""
    return np.stack([_window(p, corner, size) for p, corner in zip(pictures, corners, strict=True)])


def _window(picture: Floats, corner: npt.NDArray[np.float64], size: tuple[int, int]) -> Floats:
    if picture.ndim == 3 and picture.shape[-1] == 3:
        shift = np.array([[1, 0, corner[0]], [0, 1, corner[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(picture, shift, size, flags=flags), np.float32)
    if picture.ndim == 2:
        return _window(np.repeat(picture[..., None], 3, -1), corner, size)[..., 0]
    return np.stack([_window(one, corner, size) for one in picture])
