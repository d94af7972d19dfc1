"""The list of people beside their masks."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from backend.errors import MaskError
from backend.media.masks import open_masks
from backend.media.people_info import PeopleInfo, Person, read_people, write_people
from backend.media.plates import PlateInfo
from tests.people.walkers import write_frames

PLATE = PlateInfo(Path("clip.mp4"), 8, 6, Fraction(24), 1, 3)


def write(folder: Path, **used: bool) -> PeopleInfo:
    for name in used:
        write_frames(folder / name, [np.ones((6, 8), np.float32)] * 3)
    people = tuple(Person(name, (1.0, 0.5, 0.0), "", 1, 3, 0.5, not use, use) for name, use in used.items())
    info = PeopleInfo("clip.mp4", 8, 6, 1, 3, "motion", people)
    write_people(folder, info)
    return info


def test_comes_back_as_written(tmp_path: Path) -> None:
    info = write(tmp_path, anna=True, ben=False)
    assert read_people(tmp_path) == info


def test_people_who_are_not_used_have_no_masks(tmp_path: Path) -> None:
    write(tmp_path, anna=True, ben=False)
    assert open_masks(tmp_path, PLATE).names == ("anna",)


def test_nobody_used_is_said(tmp_path: Path) -> None:
    write(tmp_path, anna=False)
    with pytest.raises(MaskError, match="is to be used"):
        open_masks(tmp_path, PLATE)


NOT_LISTS = ("", "[]", "{}", '{"format": "other"}', '{"format": "retime-people/people-1"}')
NOBODY = '{"format": "retime-people/people-1", "people": [null]}'


@pytest.mark.parametrize("text", [*NOT_LISTS, NOBODY])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "people.json").write_text(text)
    with pytest.raises(MaskError, match="not a list of people"):
        read_people(tmp_path)
