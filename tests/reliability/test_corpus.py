"""Whatever a plate may be, it works or is refused in one sentence; never a traceback, a hang or half a set."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.errors import RetimeError
from backend.media.layer_set import open_layers
from backend.media.plates import open_plate
from backend.media.retiming import Recomposite
from tests.cli.conftest import Command
from tests.reliability.corpus_images import IMAGES
from tests.reliability.corpus_video import VIDEOS, WORKS
from tests.samples import psnr, write_masks

pytestmark = pytest.mark.timeout(180)
CORPUS = [*VIDEOS, *IMAGES]


def masks_for(plate: Path, folder: Path) -> Path:
    """Masks of one person that fit a plate, or any where the plate can't be read."""
    try:
        info = open_plate(plate).info
    except RetimeError:
        return write_masks(folder, "anna", 4)
    return write_masks(folder, "anna", info.frames, info.height, info.width)


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize(("make", "outcome"), CORPUS, ids=[make.__name__ for make, _ in CORPUS])
def test_it_works_or_is_refused_in_one_sentence(
    command: Command, tmp_path: Path, make: Callable[[Path], Path], outcome: str
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    try:
        plate = make(folder)
    except OSError as error:
        pytest.skip(f"this file system has no such files: {error}")
    masks, out = masks_for(plate, tmp_path / "masks"), tmp_path / "layers"
    before = everything(tmp_path)
    # As Python's own stream of errors has it: names may hold bytes that are no text.
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    status, written, err = command("decompose", "--masks", masks, "--out", out, "--preset", "draft", "--", plate)
    assert "Traceback" not in err and "our fault" not in err, err
    if outcome == WORKS:
        assert (status, len(written.splitlines())) == (0, 1), err
        assert_is_the_plate(plate, out)
    else:
        assert (status, written) == (2, ""), err
        assert len(err.splitlines()) == 1 and outcome in err, err
        assert everything(tmp_path) == before


def assert_is_the_plate(plate: Path, out: Path) -> None:
    """The set is whole, holds numbers only, and adds up to the plate."""
    reader = open_layers(out)
    for frame, picture in zip(open_plate(plate), Recomposite(reader, {}), strict=True):
        assert np.isfinite(picture).all()
        assert psnr(np.clip(frame, 0, 1), np.clip(picture, 0, 1)) > 45
