"""A drawn frame corrects what was found, and what it doesn't touch stays byte for byte."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from backend.errors import InputError, MaskError
from backend.media.masks import read_mask
from backend.media.people_info import PeopleInfo, Person, read_people, write_people
from backend.people.find import find_people
from backend.protocol import DecomposeRequest, DecomposeSettings, Task
from tests.people.walkers import SIZE, clip, iou, write_frames

FRAMES, WRONG, DRAWN = 14, range(3, 6), 4
NAMES = ("anna", "ben")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.fixture(autouse=True)
def short_lessons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.people.refine._STEPS_EACH", 15)
    monkeypatch.setattr("backend.people.refine._STEPS_ALONE", 15)


@pytest.fixture
def shot(tmp_path: Path) -> tuple[Path, Path, np.ndarray]:
    """A plate, masks in which Anna has lost her legs for some frames, and the truth (2, T, H, W)."""
    pictures, truth = clip(FRAMES)
    plate = write_frames(tmp_path / "plate", pictures)
    wrong = truth.copy()
    wrong[0, WRONG, 90:] = 0
    for name, masks in zip(NAMES, wrong, strict=True):
        write_frames(tmp_path / "before" / name, list(masks))
    people = tuple(Person(name, (1, 0, 0), "", 1, FRAMES, 1.0) for name in NAMES)
    write_people(tmp_path / "before", PeopleInfo(str(plate), *SIZE, 1, FRAMES, "motion", people))
    return plate, tmp_path / "before", truth


def correct(plate: Path, before: Path, hints: Path | str, out: Path) -> Path:
    request = DecomposeRequest(
        str(plate),
        str(out),
        str(before),
        settings=DecomposeSettings(finder="motion"),
        task=Task.PEOPLE.value,
        hints=str(hints),
    )
    return find_people(request, lambda _: None, lambda: False)


def masks_of(folder: Path, name: str) -> list[np.ndarray]:
    return [read_mask(path) for path in sorted((folder / name).glob("*.png"))]


def test_a_drawn_frame_spreads_as_far_as_it_must(shot: tuple[Path, Path, np.ndarray], tmp_path: Path) -> None:
    plate, before, truth = shot
    drawn = write_frames(tmp_path / "hints" / "anna", [truth[0, DRAWN]], DRAWN + 1)
    out = tmp_path / "out"
    correct(plate, before, drawn.parent, out)
    assert read_people(out).corrects == str(before)
    for path in (before / "ben").iterdir():
        assert (out / "ben" / path.name).read_bytes() == path.read_bytes()
    old, new = masks_of(before, "anna"), masks_of(out, "anna")
    assert np.array_equal(new[DRAWN], read_mask(drawn / f"{DRAWN + 1:04d}.png"))
    for index in WRONG:
        assert iou(new[index] / 255, truth[0, index]) > iou(old[index] / 255, truth[0, index])
    untouched = [index for index in range(FRAMES) if np.array_equal(old[index], new[index])]
    assert {FRAMES - 2, FRAMES - 1} <= set(untouched)


def test_somebody_new_is_added(shot: tuple[Path, Path, np.ndarray], tmp_path: Path) -> None:
    plate, before, truth = shot
    write_frames(tmp_path / "hints" / "carla", [truth[1, 6]], 7)
    out = tmp_path / "out"
    correct(plate, before, tmp_path / "hints", out)
    assert [person.name for person in read_people(out).people] == [*NAMES, "carla"]
    assert (out / read_people(out).people[2].thumbnail).is_file()
    for path in (before / "anna").iterdir():
        assert (out / "anna" / path.name).read_bytes() == path.read_bytes()


def test_what_can_not_be_corrected(shot: tuple[Path, Path, np.ndarray], tmp_path: Path) -> None:
    plate, before, truth = shot
    with pytest.raises(InputError, match="nothing to correct"):
        correct(plate, before, "", tmp_path / "out")
    drawn = write_frames(tmp_path / "hints" / "anna", [truth[0, DRAWN]], DRAWN + 1)
    (before / "ben" / "0003.png").unlink()
    with pytest.raises(MaskError, match="13 masks for 14 frames"):
        correct(plate, before, drawn.parent, tmp_path / "out")
    write_people(before, PeopleInfo(str(plate), 10, 10, 1, FRAMES, "motion", ()))
    with pytest.raises(MaskError, match="another shot"):
        correct(plate, before, drawn.parent, tmp_path / "out")
    assert not (tmp_path / "out").exists()
