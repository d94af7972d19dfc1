"""How restless places are: the edges of who sways are, the ground is not, whatever the camera does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.core.camera import Camera
from backend.people.unrest import unrest
from tests.people.test_evidence import scene_of

_SIZE = (96, 64)


def _ground(width: int) -> np.ndarray:
    dice = np.random.default_rng(1)
    coarse = dice.uniform(0.2, 0.8, (12, width // 6, 3)).astype(np.float32)
    return cv2.GaussianBlur(cv2.resize(coarse, (width, _SIZE[1]), interpolation=cv2.INTER_CUBIC), (0, 0), 1.5)


def _with_body(picture: np.ndarray, x: float) -> np.ndarray:
    """A body 20 pixels wide, its left side at a fraction of a pixel."""
    fine = np.zeros((_SIZE[1], _SIZE[0] * 8), np.float32)
    fine[16:56, round(8 * x) : round(8 * (x + 20))] = 1
    body = cv2.resize(fine, _SIZE, interpolation=cv2.INTER_AREA)[..., None]
    return (picture * (1 - body) + body * np.array([0.9, 0.1, 0.1], np.float32)).astype(np.float32)


@pytest.mark.parametrize("pan", [0.0, 1.5])
def test_who_sways_is_told_from_the_ground_by_her_edges(pan: float, tmp_path: Path) -> None:
    wide, frames = _ground(160), []
    ways = [np.array([[1, 0, 4 + pan * index], [0, 1, 0], [0, 0, 1.0]]) for index in range(25)]
    for index, way in enumerate(ways):
        seen = cv2.warpPerspective(wide, np.linalg.inv(way), _SIZE, flags=cv2.INTER_CUBIC)
        frames.append(_with_body(seen, 40 + 0.8 * np.sin(index / 3) - pan * (index - 12)))
    scene = scene_of(frames, tmp_path)
    if pan:
        scene = replace(scene, camera=Camera.moving_over(np.stack(ways), _SIZE))
    restless = unrest(scene, 12, None)
    edges = np.concatenate([restless[20:52, 39:42], restless[20:52, 59:62]], 1).max(1)
    inside, outside = restless[20:52, 45:56], np.concatenate([restless[:, 6:34], restless[:, 66:90]], 1)
    assert edges.min() > 0.05
    assert max(inside.max(), outside.max()) < 0.02


def test_what_cannot_be_told_is_at_rest(tmp_path: Path) -> None:
    wide = _ground(160)
    assert not unrest(scene_of([wide[:, :96]], tmp_path), 0, None).any()
    (folder := tmp_path / "lost").mkdir()
    # The camera moves and nobody has followed it.
    lost = scene_of([np.ascontiguousarray(wide[:, 3 * index : 3 * index + 96]) for index in range(20)], folder)
    assert not unrest(lost, 10, None).any()


def test_a_shadow_that_passes_is_no_unrest(tmp_path: Path) -> None:
    ground, frames = _ground(96), []
    for index in range(25):
        frame = ground.copy()
        frame[:, max(0, 6 * index - 30) : 6 * index] *= 0.6
        frames.append(frame)
    restless = unrest(scene_of(frames, tmp_path), 8, 0.0)
    assert restless[4:-4, 24:44].mean() < 0.02 < np.abs(frames[8] - ground).mean(-1)[4:-4, 24:44].mean()
