"""Everybody's effects at training size: learned, or guessed in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.core.background import calmest, filled, spread, start
from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.opacity import density, without_density
from backend.train.shot_data import ShotData, squared_distance

# The closed form trusts a change from this density on, once the pixel's own flicker is taken off.
_LEAST_DENSITY = 0.06
_FLICKERS = 3.0
# A person whose silhouette agrees this well with its own median stands still; an unchanging place within so many body
# heights of them is in doubt.
_STANDS_STILL = 0.6
_NEAR = 0.9
_STILL_CHANGE = 0.02
# How far (in body heights, squared) from a person the closed form looks for that person's effects.
_REACH = 1.5


@dataclass(frozen=True)
class Effects:
    """Signed densities of T frames and N people at training size (see ``core.opacity``)."""

    alone: NDArray[np.float16]
    """(T, N, h, w, 3)"""
    together: NDArray[np.float16]
    """(T, h, w, 3)"""

    def frame(self, index: int, size: tuple[int, int]) -> tuple[Floats, Floats]:
        """One frame at (W, H): alone (N, H, W, 3) and together (H, W, 3)."""
        alone = np.stack([_enlarged(one, size) for one in self.alone[index]])
        return alone, self.at(index, size)

    def at(self, index: int, size: tuple[int, int]) -> Floats:
        """One frame of all effects together at (W, H), (H, W, 3)."""
        return _enlarged(self.together[index], size)


def _enlarged(values: NDArray[np.float16], size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_CUBIC), np.float32)


class TrainingBackground:
    """The background at training size, on the canvas of a moving camera."""

    def __init__(self, plate: Floats, seen: NDArray[np.bool_], camera: Camera) -> None:
        """``plate`` (T, h, w, 3), ``seen`` (T, h, w), and the camera for pictures of that size."""
        self._plate, self._camera = plate, camera
        self._seen = np.stack([(self._laid(s.astype(np.float32), t) > 0.99) for t, s in enumerate(seen)])
        self._seen &= np.stack([camera.covers(t) for t in range(len(plate))])

    def start(self) -> Floats:
        """The closed-form start as every frame sees it, (T, h, w, 3)."""
        return self._views(filled(start(self._stack(self._plate), self._seen)))

    def refit(self, together: Floats) -> Floats:
        """The background with the effects (T, h, w, 3) undone, as every frame sees it, (T, h, w, 3)."""
        undone = without_density(self._plate, together)
        strength = self._stack(np.abs(together).max(-1))
        return self._views(filled(calmest(self._stack(undone), self._seen, strength)))

    def doubtful(self, masks: Floats) -> NDArray[np.bool_]:
        """Where an effect may be part of the background without anybody being able to tell, (T, h, w).

        Next to a person who never moves, a pixel that never changes may be ground or ground in that person's shadow.
        Training leaves such places alone, and what it learns from the people who move decides.

        Args:
            masks: (T, N, h, w) whole bodies.
        """
        change = spread(self._stack(self._plate), self._seen)
        calm = change < _STILL_CHANGE + _FLICKERS * np.median(change)
        near = np.zeros(calm.shape, np.bool_)
        for person in range(masks.shape[1]):
            laid = self._stack(masks[:, person])
            usual = np.median(laid, axis=0)
            together, either = np.minimum(laid, usual).sum((1, 2)), np.maximum(laid, usual).sum((1, 2))
            if np.mean(together / np.maximum(either, 1)) > _STANDS_STILL:
                near |= squared_distance(usual) < _NEAR**2
        views = self._camera.from_canvas
        doubt = (near & calm).astype(np.float32)
        return np.stack([views(doubt, t) > 0.5 for t in range(len(self._plate))])

    def _laid(self, picture: Floats, index: int) -> Floats:
        return self._camera.onto_canvas(picture, index)

    def _stack(self, pictures: Floats) -> Floats:
        return np.stack([self._laid(picture, t) for t, picture in enumerate(pictures)])

    def _views(self, canvas: Floats) -> Floats:
        return np.stack([np.clip(self._camera.from_canvas(canvas, t), 0, 1) for t in range(len(self._plate))])


def nearest_person(data: ShotData) -> Effects:
    """The closed form: every change that stands out of a pixel's flicker belongs to the person nearest to it."""
    plate = data.plate.numpy().transpose(0, 2, 3, 1)
    seen = data.seen[:, 0].numpy() > 0
    change = density(plate, data.background.numpy().transpose(0, 2, 3, 1))
    strength = np.abs(change).max(-1)
    flicker = np.nanmedian(np.where(seen, strength, np.nan), axis=0) if seen.any(0).all() else np.median(strength, 0)
    stands_out = np.clip((strength - _FLICKERS * flicker) / _LEAST_DENSITY - 1, 0, 1) * seen
    distance = data.distance[:, :, 0].numpy()
    nearest = distance.argmin(1)
    close = np.clip(2 - distance.min(1) / _REACH, 0, 1)
    effect = change * (stands_out * close)[..., None]
    people = np.arange(distance.shape[1])[None, :, None, None]
    alone = effect[:, None] * (nearest[:, None] == people)[..., None]
    return Effects(alone.astype(np.float16), effect.astype(np.float16))
