"""What the benchmarks measure is what they say they measure."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import report
from benchmarks.decomposition import StageClock, listen
from benchmarks.flicker import effect_region, flicker, least_alpha
from benchmarks.pictures import spread
from benchmarks.scenes import Scene, find_scenes, stage_inputs

FRAMES, HEIGHT, WIDTH = 3, 16, 24


def write(folder: Path, number: int, picture: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{number:04d}.png"), np.round(picture * 255).astype(np.uint8))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """One person, a block in the corner, whose shadow beside it is 0.5 dark and moves by a pixel a frame."""
    folder = tmp_path / "scenes" / "block"
    body = np.zeros((HEIGHT, WIDTH), np.float32)
    body[2:6, 2:6] = 1
    write(folder / "background", 0, np.full((HEIGHT, WIDTH, 3), 0.8, np.float32))
    for frame in range(FRAMES):
        solo = np.full((HEIGHT, WIDTH, 3), 0.8, np.float32)
        solo[10:12, 8 + frame : 12 + frame] = 0.4
        solo[body > 0] = 0.1
        for name in ("full", "solo_0"):
            write(folder / name, frame, solo)
        for name in ("mask_0", "amodal_0"):
            write(folder / name, frame, body)
    facts = {
        "frames": FRAMES,
        "people": [{"index": 0, "name": "block"}],
        "camera": {"kind": "static"},
        "order_back_to_front": [[0]] * FRAMES,
    }
    (folder / "scene.json").write_text(json.dumps(facts))
    return Scene(folder)


def true_alpha(scene: Scene, frame: int) -> np.ndarray:
    effect = least_alpha(scene.picture("solo_0", frame), scene.picture("background", frame))
    return np.maximum(effect, scene.matte("amodal_0", frame))


def test_the_least_alpha_of_a_half_dark_shadow_is_a_half() -> None:
    background = np.full((1, 1, 3), 0.8, np.float32)
    assert least_alpha(background * 0.5, background)[0, 0] == pytest.approx(0.5)
    assert least_alpha(background, background)[0, 0] == 0
    assert least_alpha(np.ones_like(background), background)[0, 0] == pytest.approx(1)


def test_effects_are_told_from_bodies(scene: Scene) -> None:
    assert effect_region(scene, 0, 0).sum() == 2 * 4


def test_a_perfect_layer_is_as_steady_as_the_truth(scene: Scene) -> None:
    measured = flicker(scene, lambda _person, frame: true_alpha(scene, frame))
    assert measured.ours == measured.truth
    assert measured.error == 0
    # Of the five columns that the shadow touches in two frames, its front and its back change by a half.
    assert measured.truth == pytest.approx(2 * 0.5 / 5, abs=0.01)


def test_a_flickering_layer_is_caught(scene: Scene) -> None:
    measured = flicker(scene, lambda _person, frame: true_alpha(scene, frame) * (frame % 2))
    assert measured.error > measured.truth


def test_a_decomposition_sees_plate_and_masks_only(scene: Scene, tmp_path: Path) -> None:
    plate, masks = stage_inputs(scene, tmp_path / "inputs")
    assert len(list(plate.glob("*.png"))) == FRAMES
    assert [folder.name for folder in masks.iterdir()] == ["person_0"]
    assert sorted(path.name for path in plate.parent.iterdir()) == ["masks", "plate"]


def test_scenes_are_found_by_name(scene: Scene, tmp_path: Path) -> None:
    assert [found.name for found in find_scenes(scene.folder.parent, tmp_path, [], print)] == ["block"]
    with pytest.raises(SystemExit, match="nobody"):
        find_scenes(scene.folder.parent, tmp_path, ["nobody"], print)


def test_a_stage_lasts_until_the_next_begins() -> None:
    clock = StageClock(0.0)
    for stage, now in (("read", 1.0), ("train", 3.0), ("", 4.0), ("train", 5.0), ("export", 9.0)):
        clock.hear(stage, now)
    clock.close(10.0)
    assert clock.seconds == {"read": 2.0, "train": 6.0, "export": 1.0}


def test_what_a_failing_command_says_is_kept() -> None:
    lines = [json.dumps({"kind": "progress", "stage": "read", "message": "x"}), "no such plate"]
    assert listen(lines, StageClock(0.0)) == ["no such plate"]


def test_frames_are_spread_over_a_shot() -> None:
    assert spread(40) == [4, 12, 20, 28, 36]


def test_the_page_tells_figures_costs_and_scale() -> None:
    measured = {
        "date": "2025-01-31",
        "machine": "2 cores",
        "seconds": 61.2,
        "stages": {"train": 50.0},
        "metrics": {"flops": 2.5e12, "peak_memory_bytes": 2**30},
        "flicker": {"ours": 0.01, "truth": 0.02, "error": 0.03},
        "score": dict.fromkeys(report.FIGURES, 33.33),
    }
    clip = {**measured, "layers_psnr": 31.0, "residual_psnr": 52.0}
    page = report.page({"scenes": {"plaza": {"standard": measured}}, "clips": {"beach": {"standard": clip}}})
    assert "| **standard** | 33.3 |" in page
    assert "| oracle | 45.2 |" in page
    assert "| **standard** | 61 | 2.50 | 1024 MiB | 0.0100 | 0.0200 | 0.0300 | 2025-01-31 |" in page
    assert "| beach | standard | 31.0 | 52.0 |" in page
    assert "pictures/plaza-standard.jpg" in page
    assert "pictures/beach" not in page
