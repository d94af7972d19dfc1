"""Behind who passes, somebody's shadow is what it is when nobody is in the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.model.sunlight import PLACES
from backend.stages.same_pose import carry_over
from backend.train.shot_data import ShotData, make_shot_data

FRAMES, HEIGHT, WIDTH = 12, 48, 80
WIDE = 2 * WIDTH
DEPTH = np.array([0.6, 0.5, 0.4], np.float32)
WALL = PLACES - 1


def box(top: int, bottom: int, left: int, right: int) -> Floats:
    mask = np.zeros((HEIGHT, WIDE), np.float32)
    mask[top:bottom, left:right] = 1
    return mask


def filmed(pan: int, walks: int = 0) -> tuple[ShotData, Floats, Camera]:
    """One may walk, another passes before the shadow: the shot, the true shadow (T, h, w, 3), and the camera.

    The camera turns by ``pan`` pixels from frame to frame, and the first person walks by ``walks``.
    """
    masks, shadows = [], []
    for index in range(FRAMES):
        view = np.s_[:, pan * index : pan * index + WIDTH]
        aside = walks * index
        shadow = box(16, 34, 32 + aside, 44 + aside)
        masks.append([box(10, 44, 50 + aside, 58 + aside)[view], box(8, 46, 4 + 5 * index, 14 + 5 * index)[view]])
        shadows.append(shadow[view])
    bodies = np.asarray(masks, np.float32)
    ground = np.full((FRAMES, HEIGHT, WIDTH, 3), 0.7, np.float32)
    data = make_shot_data(ground, bodies, bodies, ground)
    data.casts[:, 0, WALL] = torch.from_numpy(np.asarray(shadows, np.float32))
    matrices = np.stack([np.array([[1, 0, pan * index], [0, 1, 0], [0, 0, 1.0]]) for index in range(FRAMES)])
    camera = Camera.moving_over(matrices, (WIDTH, HEIGHT)) if pan else Camera.static(FRAMES, (WIDTH, HEIGHT))
    return data, np.asarray(shadows, np.float32)[..., None] * DEPTH, camera


def learned(data: ShotData, shadows: Floats) -> np.ndarray:
    """(T, 2, h, w, 3): what is seen of the shadow, and behind bodies a guess that has nothing to do with it."""
    seen = data.seen[:, 0].numpy()[..., None]
    alone = np.zeros((FRAMES, 2, HEIGHT, WIDTH, 3), np.float16)
    alone[:, 0] = shadows * seen + 0.2 * (1 - seen)
    return alone


def wrong(alone: np.ndarray, data: ShotData, shadows: Floats) -> float:
    """How far it is from the true shadow where the second person hides the ground, and not the first."""
    hidden = (data.masks[:, 1] > 0).numpy() & (data.masks[:, 0] == 0).numpy()
    return float(np.abs(alone[:, 0].astype(np.float32) - shadows)[hidden].mean())


@pytest.mark.parametrize("pan", [0, 2])
def test_the_shadow_of_who_stands_goes_on_behind_who_passes(pan: int) -> None:
    data, shadows, camera = filmed(pan)
    alone = learned(data, shadows)
    assert wrong(alone, data, shadows) > 0.15
    carry_over(alone, data, camera)
    assert wrong(alone, data, shadows) < 0.03


def test_of_who_walks_other_frames_tell_nothing() -> None:
    data, shadows, camera = filmed(0, walks=3)
    alone = learned(data, shadows)
    before = alone.copy()
    carry_over(alone, data, camera)
    assert np.array_equal(alone, before)


def test_nothing_changes_where_the_ground_is_seen_nor_for_who_passes() -> None:
    data, shadows, camera = filmed(2)
    alone = learned(data, shadows)
    before = alone.copy()
    carry_over(alone, data, camera)
    seen = data.seen[:, 0].numpy() > 0
    assert np.array_equal(alone[:, 0][seen], before[:, 0][seen]) and np.array_equal(alone[:, 1], before[:, 1])


def test_one_person_alone_is_left_as_learned() -> None:
    data, shadows, camera = filmed(0)
    data.masks, data.casts = data.masks[:, :1], data.casts[:, :1]
    alone = learned(data, shadows)[:, :1]
    before = alone.copy()
    carry_over(alone, data, camera)
    assert np.array_equal(alone, before)
