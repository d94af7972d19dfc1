"""What differs from the empty scene, and shadows among it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.core.camera import Camera
from backend.media.frame_store import FrameStore
from backend.media.plates import PlateInfo
from backend.people.detect import Figure
from backend.people.evidence import boxes_of, compare, empty_scene
from backend.people.scene import Scene
from tests.people.walkers import SIZE, clip, wall


def scene_of(pictures: list[np.ndarray], folder: Path) -> Scene:
    store = FrameStore.create(folder / "small.raw", iter(pictures), len(pictures))
    info = PlateInfo(folder, SIZE[0], SIZE[1], None, 1, len(pictures))  # type: ignore[arg-type]
    return Scene(info, store, Camera.static(len(pictures), SIZE))


@pytest.fixture
def scene(tmp_path: Path) -> tuple[Scene, np.ndarray]:
    pictures, masks = clip(16)
    return scene_of([np.round(p * 255).astype(np.float32) / np.float32(255) for p in pictures], tmp_path), masks


def test_bodies_differ_and_shadows_are_shadows(scene: tuple[Scene, np.ndarray]) -> None:
    shot, masks = scene
    nobody: list[list[Figure]] = [[] for _ in range(len(shot))]
    backdrop = empty_scene(shot, boxes_of(nobody, shot.size), lambda _done: None)
    assert np.abs(backdrop.picture - wall()).mean() < 0.02
    evidence = compare(shot, backdrop, 1)
    bodies = masks[:, 1].max(0) > 0.5
    assert evidence.changed[bodies].mean() > 0.7
    ground = np.s_[-14:, :]
    assert evidence.changed[ground][~bodies[ground]].mean() < 0.08
    assert evidence.changed[: SIZE[1] // 2][~bodies[: SIZE[1] // 2]].mean() < 0.05


def test_a_place_that_is_always_covered_is_not_known(scene: tuple[Scene, np.ndarray]) -> None:
    shot, _ = scene
    always = [[Figure(128, 80, 100, 1.0)] for _ in range(len(shot))]
    backdrop = empty_scene(shot, boxes_of(always, shot.size), lambda _done: None)
    assert backdrop.certain[80, 128] == 0
    assert backdrop.certain[80, 20] == 1
    assert not compare(shot, backdrop, 4).changed[80, 128]
