"""Drawn scenes tell the truth about themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.drawn_cases import CASES, FRAMES, write_case
from benchmarks.scenes import Scene


@pytest.mark.parametrize("name", ["turning", "stands"])
def test_what_is_drawn_fits_together(tmp_path: Path, name: str) -> None:
    write_case(name, tmp_path / name)
    scene = Scene(tmp_path / name)
    assert scene.frames == FRAMES and len(scene.people) == len(CASES[name].people)
    full, background = scene.picture("full", 12), scene.picture("background", 12)
    changed = np.abs(full - background).max(-1) > 0.15
    bodies = np.max([scene.matte(f"mask_{i}", 12) for i in range(len(scene.people))], 0)
    assert changed[bodies > 0.99].mean() > 0.6, "people are to be seen where their masks are"
    alone = np.max([np.abs(scene.picture(f"solo_{i}", 12) - background).max(-1) for i in range(len(scene.people))], 0)
    assert not (changed & (alone < 0.05)).any(), "all that changes is somebody's"


def test_the_camera_moves_as_it_is_written_down(tmp_path: Path) -> None:
    write_case("turning", tmp_path / "turning")
    scene = Scene(tmp_path / "turning")
    carried = scene.carry(scene.picture("background", 0), 0, 20)
    inside = scene.carry(np.ones((*carried.shape[:2], 3), np.float32), 0, 20) > 0.99
    assert inside.mean() > 0.5
    assert np.abs(carried - scene.picture("background", 20))[inside].mean() < 0.02
