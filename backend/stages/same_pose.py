"""Effects behind people who pass, of somebody who keeps a pose or comes back to it: as other frames show them there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.side_by_side import in_order
from backend.core.silhouettes import others
from backend.stages.behind import BODY, surely, telling_frames, visible_ground
from backend.train.shot_data import ShotData

# Intersection over union from which a pose may be the same, and is.
_SAME = (0.7, 0.85)
# How alike body and cast shadows must be beside a place: squared differences, within so many pixels.
_ALIKE, _BESIDE = 0.03, 3.0


def carry_over(alone: NDArray[np.float16], data: ShotData, camera: Camera) -> None:
    """Let effects alone (T, N, h, w, 3) be, behind the bodies of others, what the same ground shows of them: in place.

    What was learned, and what the sun casts, is a guess there. The frames in which the person stands as in this one and
    nobody is in the way know.

    Args:
        alone: densities.
        data: the shot, with the shadows that the sun casts.
        camera: for pictures of that size.
    """
    people = alone.shape[1]
    for person in range(people if people > 1 else 0):
        views = _views(alone, data, person)

        def carry(index: int, person: int = person, views: list[_View] = views) -> None:
            alone[index, person] = _carried(alone[index, person].astype(np.float32), views, data, camera, index, person)

        for _ in in_order(carry, len(alone)):
            pass


@dataclass(frozen=True)
class _View:
    """What a frame tells of somebody."""

    index: int
    outlines: Floats
    """(h, w, 4) 0..1: the body, and where its shadows would fall."""
    shown: Floats
    """(h, w, 4): the effect as far as the frame shows the ground, and how far it does, 0 or 1."""


def _views(alone: NDArray[np.float16], data: ShotData, person: int) -> list[_View]:
    """Of frames that are spread over the clip."""
    views = []
    for index in telling_frames(len(alone)):
        visible = visible_ground(data, index, person)[..., None]
        shown = np.concatenate([alone[index, person] * visible, visible], axis=-1)
        views.append(_View(index, _outlines(data, index, person), shown))
    return views


def _carried(
    learned: Floats, views: Sequence[_View], data: ShotData, camera: Camera, index: int, person: int
) -> Floats:
    """Somebody's effect (h, w, 3) in a frame."""
    mine = _outlines(data, index, person)
    body, hiding = mine[..., 0], others(data.masks[index].cpu().numpy(), person)
    hidden = hiding * ((hiding >= BODY) & (body < BODY))
    if not hidden.any():
        return learned
    told = np.zeros((*hidden.shape, 4), np.float32)
    for view in views:
        theirs = _seen_from(camera, view.outlines, view.index, index)
        together = float(np.maximum(body, theirs[..., 0]).sum())
        same = surely(float(np.minimum(body, theirs[..., 0]).sum()) / max(together, 1e-6), _SAME)
        if same > 0 and view.index != index:
            unlike = cv2.GaussianBlur(np.square(mine - theirs).sum(-1), (0, 0), _BESIDE)
            weight = same * np.exp(-unlike / _ALIKE)
            told += weight[..., None] * _seen_from(camera, view.shown, view.index, index)
    mean = told[..., :3] / np.maximum(told[..., 3:], 1e-6)
    share = hidden[..., None] * np.minimum(told[..., 3:], 1)
    return np.asarray(learned + share * (mean - learned), np.float32)


def _outlines(data: ShotData, index: int, person: int) -> Floats:
    """Somebody's body, and where its shadows would fall, (h, w, 4) 0..1."""
    body, casts = data.masks[index, person], data.casts[index, person]
    return np.concatenate([body.cpu().numpy()[..., None], np.moveaxis(casts.cpu().numpy(), 0, -1)], axis=-1)


def _seen_from(camera: Camera, picture: Floats, source: int, index: int) -> Floats:
    """What a frame shows (h, w, C), as another one sees it."""
    if not camera.moving:
        return picture
    matrix = camera.between(source, index)
    return np.asarray(cv2.warpPerspective(picture, matrix, camera.view), np.float32)
