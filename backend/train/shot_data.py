"""A shot at training size: everything one step needs, in memory."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from backend.core.color import Floats


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

    def to(self, device: torch.device) -> ShotData:
        """The same data on a device."""
        return ShotData(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def training_size(width: int, height: int, pixels: int, multiple: int) -> tuple[int, int]:
    """(w, h) of about ``pixels`` pixels in the plate's shape, never above the plate; multiples of ``multiple``."""
    scale = min(1.0, (pixels / (width * height)) ** 0.5)

    def side(length: int) -> int:
        units: int = round(length * scale / multiple)
        return max(1, units) * multiple

    return side(width), side(height)


def shrink(picture: Floats, size: tuple[int, int]) -> Floats:
    """Resize (H, W) or (H, W, C) to (w, h) by area averaging, so that thin things keep their weight."""
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def squared_distance(mask: Floats) -> Floats:
    """Squared distance (h, w) from the body in a mask (h, w), in body heights; 0 everywhere without a body."""
    inside = mask > 0.3
    rows = np.flatnonzero(inside.any(1))
    if not len(rows):
        return np.zeros_like(mask)
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5) / (rows[-1] - rows[0] + 1)
    return np.asarray(away**2, np.float32)


def make_shot_data(plate: Floats, whole: Floats, visible: Floats, background: Floats) -> ShotData:
    """Put training-size arrays together.

    Args:
        plate: (T, h, w, 3).
        whole: (T, N, h, w) masks with hidden parts completed.
        visible: (T, N, h, w) masks as given.
        background: (T, h, w, 3).
    """
    kernel = np.ones((3, 3), np.uint8)
    covered = [cv2.dilate((bodies.max(0) > 0.02).astype(np.uint8), kernel) for bodies in visible]
    distance = [[squared_distance(mask) for mask in masks] for masks in whole]
    return ShotData(
        plate=_channels_first(plate),
        masks=torch.from_numpy(np.ascontiguousarray(whole)),
        seen=torch.from_numpy(1 - np.stack(covered).astype(np.float32))[:, None],
        distance=torch.from_numpy(np.asarray(distance, np.float32))[:, :, None],
        background=_channels_first(background),
    )


def _channels_first(pictures: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
