"""A shot at training size: everything one step needs, in memory."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.model.sunlight import CASTS
from backend.train.settings import TrainSettings

# Squared distance, in body heights, to somebody who is not in the picture.
_NOBODY = 25.0
# Bytes that the effects of a whole clip may take while they are found, and those of a pixel of a frame: for the
# picture itself, and for each person in it.
_MEMORY, _PER_PICTURE, _PER_PERSON = 4.5 * 2**30, 110, 45


@dataclass
class ShotData:
    """Pictures of T frames and N people, (h, w) pixels each.

    The camera is applied already: ``background`` shows for every frame what that frame's view would be without
    people, so training never resamples.
    """

    plate: Tensor
    """(T, 3, h, w) display values 0..1."""
    masks: Tensor
    """(T, N, h, w) 0..1, whole bodies, hidden parts included."""
    seen: Tensor
    """(T, 1, h, w) 0 or 1, 0 where any body covers the background."""
    distance: Tensor
    """(T, N, 1, h, w) squared distance from the person's body, in body heights."""
    background: Tensor
    """(T, 3, h, w); replaced whenever the background is estimated anew."""
    unusual: Tensor
    """(T, N, 1, h, w) 0..1, 1 where a person of that shape has usually no effect; 0 while nothing is known of that."""
    sway: Tensor
    """(T, N) rows by which everybody would stand further down if the camera kept still."""
    casts: Tensor
    """(T, N, 3, h, w) 0..1, where everybody's shadow would fall, see ``model.sunlight``; 0 while nothing is known."""
    charts: Tensor | None = None
    """(T, N, 3, h, w) the part of the body, U and V (see ``model.charts``), where they are given."""

    def geometry(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """What the network may know of frames (B,): masks, casts and charts, where these are given."""
        return self.masks[frames], self.casts[frames], None if self.charts is None else self.charts[frames]

    def to(self, device: torch.device) -> ShotData:
        """The same data on a device."""
        values: dict[str, Tensor | None] = vars(self)
        moved = {name: value.to(device) for name, value in values.items() if value is not None}
        return ShotData(**moved)


def training_size(width: int, height: int, pixels: int, multiple: int) -> tuple[int, int]:
    """(w, h) of about ``pixels`` pixels in the plate's shape and no larger, rounded to ``multiple``."""
    scale = min(1.0, (pixels / (width * height)) ** 0.5)

    def side(length: int) -> int:
        units: int = round(length * scale / multiple)
        return max(1, units) * multiple

    return side(width), side(height)


def area_growth(body_height: float, settings: TrainSettings) -> float:
    """How many times the usual area is needed for people ``body_height`` pixels tall at the usual area; at least 1."""
    wanted = (settings.body_pixels / max(body_height, 1.0)) ** 2
    return float(min(max(wanted, 1.0), settings.most_growth))


def most_pixels(frames: int, people: int) -> float:
    """Area of a training picture at which so many frames of so many people still fit the memory."""
    return _MEMORY / (frames * (_PER_PICTURE + people * _PER_PERSON))


def body_height(masks: Floats) -> float:
    """Median height in rows of all bodies in masks (..., h, w); 0 when there are none."""
    rows = (masks > 0.5).any(-1)
    heights = rows.sum(-1)[rows.any(-1)]
    return float(np.median(heights)) if len(heights) else 0.0


def shrink(picture: Floats, size: tuple[int, int]) -> Floats:
    """Resize (H, W) or (H, W, C) to (w, h) by area averaging, so that thin things keep their weight."""
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def squared_distance(mask: Floats, height: float) -> Floats:
    """Squared distance (h, w) from the body in a mask (h, w), in units of ``height``; far away without a body."""
    inside = mask > 0.3
    if not inside.any():
        return np.full_like(mask, _NOBODY)
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5) / max(height, 1.0)
    return np.asarray(away**2, np.float32)


def shrink_charts(charts: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
    """Charts (H, W, 3; part, U and V 0..255) at training size (w, h) as ``ShotData.charts`` has them, (3, h, w).

    Parts are names, not amounts, so pixels are picked, never mixed.
    """
    small = cv2.resize(charts, size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    return np.ascontiguousarray((small / np.array([1, 255, 255], np.float32)).transpose(2, 0, 1))


def make_shot_data(
    plate: Floats, whole: Floats, visible: Floats, background: Floats, camera: Camera | None = None
) -> ShotData:
    """Put training-size arrays together.

    Args:
        plate: (T, h, w, 3).
        whole: (T, N, h, w) masks with hidden parts completed.
        visible: (T, N, h, w) masks as given.
        background: (T, h, w, 3).
        camera: for pictures of that size; None for one that keeps still.
    """
    kernel = np.ones((3, 3), np.uint8)
    covered = [cv2.dilate((bodies.max(0) > 0.02).astype(np.uint8), kernel) for bodies in visible]
    # Of the whole clip, since somebody who jumps or crouches casts no shorter shadow for it.
    heights = [body_height(whole[:, person]) for person in range(whole.shape[1])]
    distance = [[squared_distance(*one) for one in zip(masks, heights, strict=True)] for masks in whole]
    return ShotData(
        plate=channels_first(plate),
        masks=torch.from_numpy(np.ascontiguousarray(whole)),
        seen=torch.from_numpy(1 - np.stack(covered).astype(np.float32))[:, None],
        distance=torch.from_numpy(np.asarray(distance, np.float32))[:, :, None],
        background=channels_first(background),
        unusual=torch.zeros(*whole.shape[:2], 1, *whole.shape[2:]),
        sway=_sway(whole, camera),
        casts=torch.zeros(*whole.shape[:2], CASTS, *whole.shape[2:]),
    )


def _sway(bodies: Floats, camera: Camera | None) -> Tensor:
    """(T, N), see ``ShotData``, of bodies (T, N, h, w)."""
    if camera is None or not camera.moving:
        return torch.zeros(bodies.shape[:2])
    rows = [
        [_row_on_canvas(body, to_canvas) for body in frame]
        for frame, to_canvas in zip(bodies, camera.to_canvas, strict=True)
    ]
    return torch.tensor(rows, dtype=torch.float32)


def _row_on_canvas(body: Floats, to_canvas: NDArray[np.float64]) -> float:
    """How many rows further down than in the frame a body (h, w) stands on the canvas; of nobody, the middle."""
    y, x = np.nonzero(body > 0.5)
    foot = np.array([x[y == y.max()].mean(), y.max()]) if len(y) else np.array(body.shape[::-1]) / 2
    return float(cv2.perspectiveTransform(foot[None, None], to_canvas)[0, 0, 1] - foot[1])


def channels_first(pictures: Floats) -> Tensor:
    """(T, h, w, C) as a tensor (T, C, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def channels_last(pictures: Tensor) -> Floats:
    """(..., C, h, w) as an array (..., h, w, C)."""
    return np.asarray(pictures.movedim(-3, -1).cpu().numpy(), np.float32)
