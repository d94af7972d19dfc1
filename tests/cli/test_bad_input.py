"""What an artist may get wrong, tried on the whole program: one sentence each, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Command
from tests.samples import blocks, write_clip, write_image, write_masks

pytest.importorskip("backend.decompose")

COUNT = 4


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_masks(tmp_path / "masks", "anna", COUNT)
    return write_clip(tmp_path / "clip.mp4", blocks(COUNT))


def no_such_file(folder: Path) -> None:
    (folder / "clip.mp4").unlink()


def not_a_video(folder: Path) -> None:
    (folder / "clip.mp4").write_text("a letter, not a film")


def one_frame(folder: Path) -> None:
    write_clip(folder / "clip.mp4", blocks(1))


def a_mask_missing(folder: Path) -> None:
    (folder / "masks" / "anna" / "0002.png").unlink()


def masks_of_another_size(folder: Path) -> None:
    write_image(folder / "masks" / "anna" / "0001.png", np.zeros((24, 32), np.uint8))


def empty_masks(folder: Path) -> None:
    for path in (folder / "masks" / "anna").iterdir():
        write_image(path, np.zeros((48, 64), np.uint8))


def no_masks_folder(folder: Path) -> None:
    (folder / "masks").rename(folder / "elsewhere")


def out_is_finished(folder: Path) -> None:
    (folder / "layers").mkdir()
    (folder / "layers" / "layers.json").touch()


def out_is_unfinished(folder: Path) -> None:
    (folder / "layers" / "background").mkdir(parents=True)
    (folder / "layers" / "background" / "0001.exr").touch()


def out_holds_other_things(folder: Path) -> None:
    (folder / "layers").mkdir()
    (folder / "layers" / "holiday.jpg").touch()


def out_is_a_file(folder: Path) -> None:
    (folder / "layers").touch()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_such_file, "clip.mp4 doesn't exist"),
        (not_a_video, "clip.mp4 is not a video"),
        (one_frame, "clip.mp4 has one frame only"),
        (a_mask_missing, "anna has 3 masks for 4 frames: number 0002 is missing"),
        (masks_of_another_size, "0001.png is 32x24 pixels, but the plate is 64x48"),
        (empty_masks, "All masks of anna are empty"),
        (no_masks_folder, "masks is not a folder"),
        (out_is_finished, "already holds a layer set"),
        (out_is_unfinished, "--resume"),
        (out_holds_other_things, "holds other files (holiday.jpg)"),
        (out_is_a_file, "layers is a file"),
    ],
)
def test_one_sentence_and_nothing_written(
    command: Command, clip: Path, spoil: Callable[[Path], None], told: str
) -> None:
    folder = clip.parent
    spoil(folder)
    before = sorted(folder.rglob("*"))
    status, out, err = command("decompose", clip, "--masks", folder / "masks", "--out", folder / "layers")
    assert (status, out) == (2, "")
    assert told in err.splitlines()[-1]
    assert "Traceback" not in err
    assert sorted(folder.rglob("*")) == before


def test_frames_that_are_not_there(command: Command, clip: Path) -> None:
    out = clip.parent / "layers"
    status, _, err = command(
        "decompose", clip, "--masks", clip.parent / "masks", "--out", out, "--frames", "2-9", "--preset", "draft"
    )
    assert status == 2
    assert "Frames 2-9 are not in" in err.splitlines()[-1]
    assert not out.exists()
