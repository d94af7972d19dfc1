"""Long clips for a graphics card: made here, measured only where there is one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.card import forth_and_back, lengthened
from benchmarks.scenes import Scene


def test_a_clip_is_played_forth_and_back_without_a_jump() -> None:
    assert forth_and_back(4, 9) == [0, 1, 2, 3, 2, 1, 0, 1, 2]


def test_plate_and_masks_grow_together(tmp_path: Path) -> None:
    scene = tmp_path / "scene"
    for passed in ("full", "mask_0"):
        (scene / passed).mkdir(parents=True)
        for number in range(3):
            cv2.imwrite(str(scene / passed / f"{number:04d}.png"), np.full((16, 24, 3), 60 * number, np.uint8))
    (scene / "scene.json").write_text('{"frames": 3, "people": [{}]}')
    plate, masks = lengthened(Scene(scene), tmp_path / "long", (48, 32), 5)
    for folder in (plate, masks / "person_0"):
        pictures = [cv2.imread(str(path)) for path in sorted(folder.iterdir())]
        assert [picture.shape for picture in pictures] == [(32, 48, 3)] * 5
        assert [int(picture.mean()) for picture in pictures] == [0, 60, 120, 60, 0]
