from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from backend.errors import MaskError
from backend.media.masks import open_masks
from backend.media.plates import PlateInfo
from tests.samples import write_image, write_masks

COUNT = 5
PLATE = PlateInfo(Path("clip.mp4"), 64, 48, Fraction(25), 1, COUNT, COUNT)
# Frames 3 to 5 of 8.
PART = PlateInfo(Path("clip.mp4"), 64, 48, Fraction(25), 3, 3, 8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_masks(tmp_path / "masks", "anna", COUNT)
    return write_masks(tmp_path / "masks", "Ben 2", COUNT)


def test_subjects_are_named_as_their_folders(folder: Path) -> None:
    (folder / ".hidden").mkdir()
    (folder / "notes.txt").touch()
    masks = open_masks(folder, PLATE)
    assert masks.names == ("Ben 2", "anna")
    frame = masks.frame(2)
    assert frame.shape == (2, 48, 64)
    assert frame.dtype == np.float32
    assert set(np.unique(frame)) == {0.0, 1.0}
    np.testing.assert_array_equal(np.flatnonzero(frame[0].any(axis=0)), np.arange(7, 27))


def test_one_mask_per_frame_of_the_whole_plate(tmp_path: Path) -> None:
    masks = open_masks(write_masks(tmp_path, "anna", 8), PART)
    assert np.flatnonzero(masks.frame(0)[0].any(axis=0))[0] == 5 + 2


def test_one_mask_per_used_frame(tmp_path: Path) -> None:
    masks = open_masks(write_masks(tmp_path, "anna", 3), PART)
    assert np.flatnonzero(masks.frame(0)[0].any(axis=0))[0] == 5


def test_a_person_may_leave_the_picture(folder: Path) -> None:
    write_image(folder / "anna" / "0003.png", np.zeros((48, 64), np.uint8))
    assert not open_masks(folder, PLATE).frame(3)[1].any()


def test_soft_masks_and_grey_in_three_channels(folder: Path) -> None:
    write_image(folder / "anna" / "0000.png", np.full((48, 64, 3), 51, np.uint8))
    write_image(folder / "anna" / "0001.png", np.full((48, 64), 51 * 257, np.uint16))
    masks = open_masks(folder, PLATE)
    assert masks.frame(0)[1, 0, 0] == pytest.approx(0.2)
    assert masks.frame(1)[1, 0, 0] == pytest.approx(0.2)


def missing_folder(folder: Path) -> None:
    for path in folder.rglob("*.png"):
        path.unlink()
    for path in folder.iterdir():
        path.rmdir()
    folder.rmdir()


def no_subjects(folder: Path) -> None:
    missing_folder(folder)
    folder.mkdir()
    write_image(folder / "0001.png", np.zeros((48, 64), np.uint8))


def one_in_the_middle(folder: Path) -> None:
    (folder / "anna" / "0002.png").unlink()


def the_last(folder: Path) -> None:
    (folder / "anna" / "0004.png").unlink()


def one_too_many(folder: Path) -> None:
    write_image(folder / "anna" / "0005.png", np.zeros((48, 64), np.uint8))


def none_at_all(folder: Path) -> None:
    (folder / "carl").mkdir()


def other_size(folder: Path) -> None:
    write_image(folder / "anna" / "0002.png", np.zeros((24, 32), np.uint8))


def coloured(folder: Path) -> None:
    write_image(folder / "anna" / "0002.png", np.full((48, 64, 3), (255, 0, 0), np.uint8))


def broken(folder: Path) -> None:
    (folder / "anna" / "0002.png").write_bytes(b"\x89PNG but no more")


def cut_off(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64)).astype(np.uint8)
    path = write_image(folder / "anna" / "0002.png", noise)
    path.write_bytes(path.read_bytes()[:600])


def nobody(folder: Path) -> None:
    for path in (folder / "anna").iterdir():
        write_image(path, np.zeros((48, 64), np.uint8))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (missing_folder, "masks is not a folder"),
        (no_subjects, "masks has no subjects"),
        (one_in_the_middle, "anna has 4 masks for 5 frames: number 0002 is missing"),
        (the_last, "anna has 4 masks for 5 frames: they go from 0000.png to 0003.png"),
        (one_too_many, "anna has 6 masks for 5 frames"),
        (none_at_all, "carl holds no png files"),
        (other_size, "0002.png is 32x24 pixels, but the plate is 64x48"),
        (coloured, "0002.png is a colour image"),
        (broken, "0002.png can't be read"),
        (cut_off, "0002.png can't be read"),
        (nobody, "All masks of anna are empty"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, spoil: object, told: str) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(MaskError, match=told) as caught:
        open_masks(folder, PLATE)
    assert "\n" not in caught.value.sentence()


@pytest.mark.parametrize(
    "name",
    ["background", "Residual", "masks", "checkpoint", "a:b", "100%", "con", "anna.", " anna", "a" * 57, "é" * 29],
)
def test_names_that_cannot_be_layers(tmp_path: Path, name: str) -> None:
    write_masks(tmp_path, name, COUNT)
    with pytest.raises(MaskError, match="has a name"):
        open_masks(tmp_path, PLATE)


def test_a_folder_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(MaskError, match="can't be read: permission denied"):
        open_masks(folder, PLATE)


def test_names_that_can(tmp_path: Path) -> None:
    names = ("José", "anna 2", "人", "check", "masks2")
    for name in names:
        write_masks(tmp_path, name, COUNT)
    assert set(open_masks(tmp_path, PLATE).names) == set(names)


def test_names_that_differ_by_case_only(tmp_path: Path) -> None:
    write_masks(tmp_path, "anna", COUNT)
    if (tmp_path / "ANNA").exists():
        pytest.skip("this disk takes the two names for one")
    write_masks(tmp_path, "Anna", COUNT)
    with pytest.raises(MaskError, match="differ by case only"):
        open_masks(tmp_path, PLATE)
