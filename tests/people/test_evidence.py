"""What differs from the empty scene, and shadows among it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from backend.core.camera import Camera
from backend.media.frame_store import FrameStore
from backend.media.plates import PlateInfo
from backend.people.detect import Figure
from backend.people.evidence import boxes_of, compare, contrasted, empty_scene
from backend.people.scene import Scene
from tests.people.walkers import SIZE, clip, wall


def scene_of(pictures: list[np.ndarray], folder: Path) -> Scene:
    store = FrameStore.create(folder / "small.raw", iter(pictures), len(pictures))
    size = store.shape[2], store.shape[1]
    info = PlateInfo(folder, *size, Fraction(24), 1, len(pictures))
    return Scene(info, store, Camera.static(len(pictures), size))


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


def shaded(ground: np.ndarray, light: float, bluish: float) -> np.ndarray:
    """The ground where the sun doesn't reach it: red dimmed more than blue."""
    return ground * (1 - (1 - light) * np.array([1 + bluish, 1, 1 - bluish], np.float32))


def test_shadows_are_told_by_the_hue_that_they_have_in_the_shot() -> None:
    ground, known = wall(), np.ones((SIZE[1], SIZE[0]), np.float32)
    picture = ground.copy()
    shadow, shoe = np.s_[60:90, 30:80], np.s_[60:90, 150:200]
    picture[shadow] = shaded(ground, 0.5, 0.3)[shadow]
    # As dark as the shadow, but brown.
    picture[shoe] = shaded(ground, 0.5, -0.15)[shoe]
    inside, worn = np.s_[66:84, 36:74], np.s_[66:84, 156:194]
    grey = contrasted(picture, ground, 0 * known, known)
    hued = contrasted(picture, ground, 0 * known, known, 0.3)
    assert grey.shadow[inside].mean() < 0.5 < hued.shadow[inside].min()
    assert hued.shadow[worn].max() < 0.1 < grey.shadow[worn].mean()


@pytest.mark.parametrize("bluish", [0.0, 0.2])
def test_the_hue_of_shadows_is_read_off_the_shot(bluish: float, tmp_path: Path) -> None:
    """A shadow goes along below; who casts it goes above, and has any hue."""
    pictures = []
    for t in range(16):
        picture = wall()
        picture[90:110, 10 + 12 * t : 50 + 12 * t] = shaded(wall(), 0.6, bluish)[90:110, 10 + 12 * t : 50 + 12 * t]
        pictures.append(picture)
    scene = scene_of(pictures, tmp_path)
    nobody = boxes_of([[] for _ in pictures], scene.size)
    found = empty_scene(scene, nobody, lambda _done: None).bluish
    assert found is not None and abs(found - bluish) < 0.04


def test_where_nothing_is_darker_no_hue_is_told(tmp_path: Path) -> None:
    scene = scene_of([wall()] * 6, tmp_path)
    assert empty_scene(scene, boxes_of([[] for _ in range(6)], scene.size), lambda _done: None).bluish is None
