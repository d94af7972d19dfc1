from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.media.exr import read_exr
from backend.media.layer_set import open_layers
from backend.media.plates import open_plate
from backend.media.retiming import Recomposite
from tests.cli.conftest import Command
from tests.samples import SET_FRAMES, SET_HEIGHT, SET_WIDTH, psnr, set_plate, write_layer_set


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    write_layer_set(tmp_path / "layers")
    return tmp_path / "layers"


def write_map(path: Path, values: object) -> Path:
    path.write_text(json.dumps(values))
    return path


def test_composite_to_images_is_the_plate(command: Command, layers: Path, tmp_path: Path) -> None:
    status, out, err = command("composite", layers, "--out", tmp_path / "frames")
    assert (status, out.strip()) == (0, str(tmp_path / "frames"))
    assert "Compositing, 100%" in err
    frames = list(open_plate(tmp_path / "frames"))
    assert len(frames) == SET_FRAMES
    assert min(psnr(frame, set_plate(index)) for index, frame in enumerate(frames)) > 60


def test_composite_to_a_video_retimed(command: Command, layers: Path, tmp_path: Path) -> None:
    path = write_map(tmp_path / "map.json", [1, 1, 2, 2, 3, 3, 4, 4])
    status, _, _ = command("composite", layers, "--out", tmp_path / "film.mp4", "--retime", f"anna={path}")
    assert status == 0
    plate = open_plate(tmp_path / "film.mp4")
    assert (plate.info.frames, plate.info.fps) == (8, 25)
    truth = list(Recomposite(open_layers(layers), {"anna": np.array([1, 1, 2, 2, 3, 3, 4, 4], np.float64)}))
    assert min(psnr(frame, true) for frame, true in zip(plate, truth, strict=True)) > 25


def test_two_people_retimed(command: Command, layers: Path, tmp_path: Path) -> None:
    maps = [f"{name}={write_map(tmp_path / f'{name}.json', [2, 2])}" for name in ("anna", "ben")]
    status, _, _ = command("composite", layers, "--out", tmp_path / "f", "--retime", maps[0], "--retime", maps[1])
    assert status == 0
    assert len(list((tmp_path / "f").iterdir())) == 2


def test_retime_copies_whole_frames_bit_for_bit(command: Command, layers: Path, tmp_path: Path) -> None:
    path = write_map(tmp_path / "map.json", [6, 1, 1, 2.5, 2])
    status, _, _ = command("retime", layers, "--layer", "ben", "--map", path, "--out", tmp_path / "ben")
    assert status == 0
    for number, source in ((1, 6), (2, 1), (3, 1), (5, 2)):
        np.testing.assert_array_equal(
            read_exr(tmp_path / "ben" / f"{number:04d}.exr"), read_exr(layers / "ben" / f"{source:04d}.exr")
        )
    between = read_exr(tmp_path / "ben" / "0004.exr")
    assert between.shape == (SET_HEIGHT, SET_WIDTH, 4)
    # The box moves by two pixels a frame; halfway it has moved by one.
    assert centre(between) == pytest.approx(centre(read_exr(layers / "ben" / "0002.exr")) - 1, abs=0.2)
    made = json.loads((tmp_path / "ben" / "retimed.json").read_text())
    assert (made["layer"], made["map"]) == ("ben", [6, 1, 1, 2.5, 2])


def centre(rgba: np.ndarray) -> float:
    alpha = rgba[..., 3]
    return float((alpha * np.arange(alpha.shape[1])).sum() / alpha.sum())


def test_retime_takes_the_background_too(command: Command, layers: Path, tmp_path: Path) -> None:
    path = write_map(tmp_path / "map.json", [1.5, 3])
    assert command("retime", layers, "--layer", "background", "--map", path, "--out", tmp_path / "f")[0] == 0
    assert read_exr(tmp_path / "f" / "0001.exr")[..., 3].min() == 1


def test_retime_blurs_only_what_goes_by_faster(command: Command, layers: Path, tmp_path: Path) -> None:
    fast, slow = write_map(tmp_path / "fast.json", [1, 3, 5]), write_map(tmp_path / "slow.json", [1, 2, 3])
    for name, path in (("fast", fast), ("slow", slow)):
        options = ("--layer", "anna", "--map", path, "--shutter", 180, "--out", tmp_path / name)
        assert command("retime", layers, *options)[0] == 0
    sharp = read_exr(layers / "anna" / "0003.exr")
    np.testing.assert_array_equal(read_exr(tmp_path / "slow" / "0003.exr"), sharp)
    blurred = read_exr(tmp_path / "fast" / "0002.exr")
    assert (blurred[..., 3] > 0.01).sum() > (sharp[..., 3] > 0.01).sum()
    assert centre(blurred) == pytest.approx(centre(sharp), abs=0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such names can't be made")
def test_a_name_that_is_not_unicode(layers: Path, tmp_path: Path) -> None:
    out = os.fsencode(tmp_path) + b"/\xff\xfe"
    arguments = [sys.executable, "-m", "backend", "composite", layers, "--out", out]
    done = subprocess.run(arguments, capture_output=True, check=True, timeout=60)
    assert done.stdout == out + b"\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("composite {layers} --out {layers}", "is not empty"),
        ("composite {layers} --out {layers}/layers.json", "is a file"),
        ("composite {layers} --out {tmp}/film.avi", "not a name for a folder"),
        ("composite {tmp}/nothing --out {tmp}/f", "doesn't exist"),
        ("composite {tmp} --out {tmp}/f", "no finished layer set"),
        ("composite {layers} --out {tmp}/f --retime anna", "--retime anna names no layer and map"),
        ("composite {layers} --out {tmp}/f --retime bob={tmp}/map.json", "Choose one of anna, ben"),
        ("composite {layers} --out {tmp}/f --retime anna={tmp}/none.json", "none.json doesn't exist"),
        ("composite {layers} --out {tmp}/f --retime anna={tmp}/map.json", "entry 2 is 99"),
        ("composite {layers} --out {tmp}/f --retime anna=a --retime anna=b", "names anna twice"),
        ("retime {layers} --layer bob --map {tmp}/map.json --out {tmp}/f", "Choose one of anna, ben"),
        ("retime {layers} --layer anna --map {tmp}/map.json --out {tmp}/f", "entry 2 is 99"),
        ("retime {layers} --layer anna --map {tmp}/map.json --out {layers}", "is not empty"),
        ("retime {layers} --layer anna --map {tmp}/map.json --shutter nan --out {tmp}/f", "shutter is nan degrees"),
    ],
)
def test_wrong_input_changes_nothing(command: Command, layers: Path, tmp_path: Path, arguments: str, told: str) -> None:
    write_map(tmp_path / "map.json", [1, 99])
    before = sorted(tmp_path.rglob("*"))
    status, out, err = command(*(word.format(layers=layers, tmp=tmp_path) for word in arguments.split()))
    assert (status, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_frame_that_is_damaged_leaves_no_half_film(command: Command, layers: Path, tmp_path: Path) -> None:
    (layers / "anna" / "0004.exr").write_bytes(b"damaged")
    for out in ("film.mp4", "frames"):
        status, _, err = command("composite", layers, "--out", tmp_path / out)
        assert status == 2
        assert "0004.exr can't be read" in err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["layers"]
