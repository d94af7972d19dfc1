from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.exposure import exposure_gains

T, H, W = 30, 48, 80


def wide_ground() -> Floats:
    rng = np.random.default_rng(2)
    return np.clip(0.45 + 0.2 * cv2.GaussianBlur(rng.normal(0, 4, (H, 2 * W, 3)).astype(np.float32), (0, 0), 3), 0, 1)


def clip(gains: Floats, speed: float) -> tuple[Floats, Floats, Camera]:
    """A bright person walks with a shadow, the camera turns, and exposure follows ``gains``."""
    ground, to_canvas = wide_ground(), np.tile(np.eye(3), (T, 1, 1))
    frames, bodies = [], np.zeros((T, H, W), np.float32)
    for t in range(T):
        left = round(speed * t)
        to_canvas[t, 0, 2] = left
        frame = ground[:, left : left + W] * gains[t]
        frame[30:40, 20 + t : 40 + t] *= 0.4
        frame[10:34, 20 + t : 30 + t] = 0.9
        bodies[t, 8:36, 18 + t : 32 + t] = 1
        frames.append(frame)
    camera = Camera.moving_over(to_canvas, (W, H)) if speed else Camera.static(T, (W, H))
    noise = np.random.default_rng(3).normal(0, 0.01, (T, H, W, 3))
    return np.asarray(np.stack(frames) + noise, np.float32), bodies, camera


def drift() -> Floats:
    along = np.linspace(-1, 1, T)[:, None]
    return np.asarray(1 + np.array([0.12, 0.08, -0.04]) * along**3, np.float32)


@pytest.mark.parametrize("speed", [0, 2])
def test_a_drift_is_found(speed: float) -> None:
    wanted = drift() / np.median(drift(), 0)
    assert exposure_gains(*clip(drift(), speed)) == pytest.approx(wanted, abs=0.02 if speed else 0.008)


@pytest.mark.parametrize("speed", [0, 2])
def test_a_steady_camera_is_left_alone(speed: float) -> None:
    assert (exposure_gains(*clip(np.ones((T, 3), np.float32), speed)) == 1).all()


def test_a_picture_that_tells_nothing_is_left_alone() -> None:
    plate, bodies, camera = clip(drift(), 0)
    assert (exposure_gains(np.zeros_like(plate), bodies, camera) == 1).all()
    assert (exposure_gains(plate, np.ones_like(bodies), camera) == 1).all()
