from __future__ import annotations

import cv2
import numpy as np
import torch

from backend.core.color import Floats
from backend.stages.behind import carry_behind
from backend.train.shot_data import ShotData, make_shot_data

FRAMES, HEIGHT, WIDTH = 6, 48, 80
DEPTH = np.array([0.6, 0.5, 0.4], np.float32)
WALL = 1


def box(top: int, bottom: int, left: int, right: int) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[top:bottom, left:right] = 1
    return mask


def silhouette(index: int) -> Floats:
    """A shadow that moves along the wall."""
    return np.maximum(box(20, 40, 10 + 4 * index, 18 + 4 * index), box(26, 30, 4 + 4 * index, 24 + 4 * index))


def shadow(index: int) -> Floats:
    """(HEIGHT, WIDTH, 3) of what casts ``silhouette``, with soft edges."""
    return cv2.GaussianBlur(silhouette(index), (0, 0), 1.5)[..., None] * DEPTH


def shot(moved: tuple[int, int] = (0, 0)) -> ShotData:
    """The first of two people casts the shadow, the second stands before a part of it.

    The sun is known but for a shift (x, y) of what it casts.
    """
    caster, other = box(10, 44, 66, 74), box(8, 44, 24, 34)
    masks = np.stack([np.stack([caster, other])] * FRAMES)
    ground = np.full((FRAMES, HEIGHT, WIDTH, 3), 0.7, np.float32)
    data = make_shot_data(ground, masks, masks, ground)
    for index in range(FRAMES):
        data.casts[index, 0, WALL] = torch.from_numpy(np.roll(silhouette(index), moved[::-1], (0, 1)))
    return data


def learned(data: ShotData) -> np.ndarray:
    """(FRAMES, 2, HEIGHT, WIDTH, 3): everything that is seen of the shadow, and nothing of the rest."""
    alone = np.zeros((FRAMES, 2, HEIGHT, WIDTH, 3), np.float16)
    for index in range(FRAMES):
        alone[index, 0] = shadow(index) * data.seen[index, 0].numpy()[..., None]
    return alone


def missing(alone: np.ndarray) -> float:
    """How much of the shadow is not there behind the second person, as a share."""
    behind = np.s_[8:44, 24:34]
    truth = np.stack([shadow(index) for index in range(FRAMES)])
    return float(np.abs(alone[:, 0].astype(np.float32) - truth)[:, *behind].sum() / truth[:, *behind].sum())


def test_a_shadow_goes_on_behind_a_body() -> None:
    data = shot()
    alone = learned(data)
    assert missing(alone) > 0.9
    carry_behind(alone, data)
    assert missing(alone) < 0.4


def test_it_does_so_where_the_sun_is_known_but_roughly() -> None:
    data = shot(moved=(3, -2))
    alone = learned(data)
    carry_behind(alone, data)
    assert missing(alone) < 0.4


def test_nothing_changes_where_the_ground_is_seen_nor_for_others() -> None:
    data = shot()
    before = learned(data)
    alone = before.copy()
    carry_behind(alone, data)
    hidden = (data.masks[:, 1] > 0).numpy()
    np.testing.assert_array_equal(alone[:, 0][~hidden], before[:, 0][~hidden])
    np.testing.assert_array_equal(alone[:, 1], before[:, 1])


def test_a_sun_that_explains_nothing_is_not_believed() -> None:
    data = shot()
    data.casts[:, 0, WALL] = torch.from_numpy(box(2, 12, 20, 40))
    alone = learned(data)
    carry_behind(alone, data)
    np.testing.assert_array_equal(alone, learned(data))


def test_without_a_cast_shadow_what_was_learned_stays() -> None:
    data = shot()
    data.casts[:] = 0
    alone = learned(data)
    carry_behind(alone, data)
    np.testing.assert_array_equal(alone, learned(data))
