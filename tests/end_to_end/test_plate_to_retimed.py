"""The whole way, each step as a user starts it: plate, layers, strips in Blender, one person retimed, pictures."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.end_to_end.tiny_shot import FRAMES, WALKERS, write_shot

pytestmark = pytest.mark.bpy

ROOT = Path(__file__).parents[2]
FROZEN, OTHER = WALKERS
FREEZE_AT, FREEZE_FOR = 5, 4
"""In the timeline, where the shot begins at 1."""

Picture = NDArray[np.float32]


@pytest.fixture(scope="module")
def backend_python() -> str:
    """A Python that has torch: the one named in the environment where this one holds another Blender."""
    if python := os.environ.get("RETIME_PEOPLE_PYTHON"):
        return python
    if importlib.util.find_spec("torch") is None:
        pytest.skip("this Python has no torch, and RETIME_PEOPLE_PYTHON names none that has")
    return sys.executable


@pytest.fixture(scope="module", params=["draft", "standard"])
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, backend_python: str) -> Path:
    """The shot decomposed, loaded, rendered as it is, retimed, and rendered again."""
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("this Python has no bpy")
    folder = tmp_path_factory.mktemp("a shot")
    plate, masks = write_shot(folder)
    command = [backend_python, "-m", "backend", "decompose", plate, "--masks", masks, "--out", folder / "layers"]
    run(*command, "--preset", request.param, "--device", "cpu", "--max-seconds", 3)
    retime = ["--person", FROZEN.name, "--frame", FREEZE_AT, "--duration", FREEZE_FOR, "--stills"]
    script = ROOT / "examples" / "in_blender.py"
    resources = str(folder / "blender")
    run(sys.executable, script, plate, folder / "layers", folder, *retime, BLENDER_USER_RESOURCES=resources)
    return folder


def test_untouched_strips_render_the_plate(rendered: Path) -> None:
    for number in range(1, FRAMES + 1):
        assert psnr(picture(rendered / "untouched", number), picture(rendered / "plate", number)) > 60


def test_before_the_freeze_nothing_changes(rendered: Path) -> None:
    for number in range(1, FREEZE_AT + 1):
        assert psnr(picture(rendered / "retimed", number), picture(rendered / "plate", number)) > 30


def test_the_other_person_goes_on(rendered: Path) -> None:
    for number in range(FREEZE_AT, FRAMES + 1):
        region = OTHER.reach(number - 1)
        assert psnr(picture(rendered / "retimed", number), picture(rendered / "plate", number), region) > 30


def test_the_frozen_person_stands_still_and_goes_on_later(rendered: Path) -> None:
    for number in range(FREEZE_AT, FRAMES + 1):
        source = max(FREEZE_AT, number - FREEZE_FOR)
        body = FROZEN.mask(source - 1) > 0
        assert psnr(picture(rendered / "retimed", number), picture(rendered / "plate", source), body) > 30


@pytest.mark.parametrize("rendered", ["draft"], indirect=True)
def test_the_shadow_stays_with_its_person(rendered: Path) -> None:
    # Only in the closed form: so few steps of training can't know yet whose shadow it is.
    for number in range(FREEZE_AT, FRAMES + 1):
        source = max(FREEZE_AT, number - FREEZE_FOR)
        region = FROZEN.reach(source - 1)
        assert psnr(picture(rendered / "retimed", number), picture(rendered / "plate", source), region) > 25


def run(*command: object, **environment: str) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def picture(folder: Path, number: int) -> Picture:
    values = cv2.imread(str(folder / f"{number:04d}.png"), cv2.IMREAD_UNCHANGED)
    assert values is not None, f"{folder} has no frame {number}"
    return values.astype(np.float32) / np.iinfo(values.dtype).max


def psnr(ours: Picture, wanted: Picture, region: NDArray[np.bool_] | None = None) -> float:
    error = (ours - wanted) ** 2
    return -10 * math.log10(max(1e-12, float(np.mean(error if region is None else error[region]))))
