"""Corrections touch only what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.errors import InputError, MaskError, RetimeError
from backend.media.depth_file import Standing, read_order, write_order
from backend.media.masks import read_mask
from backend.media.people_info import THUMBNAILS, PeopleInfo, Person, read_people, write_people
from backend.people.edit import edit
from tests.people.walkers import write_frames

FIRST, FRAMES = 11, 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Anna at the left, Ben at the right, Carl below, on frames 11 to 16; each mask holds its frame's number."""
    people = []
    for number, name in enumerate(("anna", "ben", "carl")):
        masks = np.zeros((FRAMES, 12, 16), np.float32)
        for index in range(FRAMES):
            masks[index, 4 * number : 4 * number + 3, index : index + 3] = 1
        write_frames(tmp_path / name, list(masks), FIRST)
        write_frames(tmp_path / THUMBNAILS, [np.full((4, 4, 3), number / 3, np.float32)])
        (tmp_path / THUMBNAILS / "0001.png").rename(tmp_path / THUMBNAILS / f"{name}.png")
        people.append(Person(name, (1.0, number / 3, 0.0), f"{THUMBNAILS}/{name}.png", FIRST, FIRST + FRAMES - 1, 0.9))
    write_people(tmp_path, PeopleInfo("clip.mp4", 16, 12, FIRST, FRAMES, "motion", tuple(people)))
    return tmp_path


def masks_of(folder: Path, name: str) -> np.ndarray:
    return np.stack([read_mask(path) for path in sorted((folder / name).glob("*.png"))])


def state(folder: Path, *names: str) -> dict[str, tuple[bytes, int]]:
    """Content and date of every file of some people."""
    files = [path for name in names for path in (folder / name).iterdir()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_merge(folder: Path) -> None:
    anna, ben, others = masks_of(folder, "anna"), masks_of(folder, "ben"), state(folder, "carl")
    edit(folder, "merge", ["anna", "ben"])
    assert (masks_of(folder, "anna") == np.maximum(anna, ben)).all()
    assert [p.name for p in read_people(folder).people] == ["anna", "carl"]
    assert not (folder / "ben").exists()
    assert state(folder, "carl") == others


def test_split(folder: Path) -> None:
    ben, others = masks_of(folder, "ben"), state(folder, "anna", "carl")
    edit(folder, "split", ["ben", "13"])
    info = read_people(folder)
    assert [p.name for p in info.people] == ["anna", "ben", "Person 1", "carl"]
    assert (info.person("ben").last_frame, info.person("Person 1").first_frame) == (12, 13)
    assert (masks_of(folder, "ben")[:2] == ben[:2]).all() and not masks_of(folder, "ben")[2:].any()
    assert (masks_of(folder, "Person 1")[2:] == ben[2:]).all() and not masks_of(folder, "Person 1")[:2].any()
    assert state(folder, "anna", "carl") == others
    edit(folder, "merge", ["ben", "Person 1"])
    assert (masks_of(folder, "ben") == ben).all()


def test_swap_twice_changes_nothing(folder: Path) -> None:
    anna, ben, others = masks_of(folder, "anna"), masks_of(folder, "ben"), state(folder, "carl")
    edit(folder, "swap", ["anna", "ben", "14"])
    assert (masks_of(folder, "anna")[3:] == ben[3:]).all() and (masks_of(folder, "anna")[:3] == anna[:3]).all()
    edit(folder, "swap", ["anna", "ben", "14"])
    assert (masks_of(folder, "anna") == anna).all() and (masks_of(folder, "ben") == ben).all()
    assert state(folder, "carl") == others


def test_delete_and_rename(folder: Path) -> None:
    others = state(folder, "carl")
    edit(folder, "delete", ["ben"])
    edit(folder, "rename", ["anna", "Anna B."[:-1]])
    info = read_people(folder)
    assert [p.name for p in info.people] == ["Anna B", "carl"]
    assert (folder / info.people[0].thumbnail).is_file() and not (folder / "anna").exists()
    assert state(folder, "carl") == others
    assert sorted(p.name for p in folder.iterdir()) == [THUMBNAILS, "Anna B", "carl", "people.json"]


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        ("melt", ["anna"], "no correction"),
        ("merge", ["anna"], "takes 2 words"),
        ("merge", ["anna", "anna"], "same person"),
        ("merge", ["anna", "dora"], "no person 'dora'"),
        ("split", ["anna", "eleven"], "is no frame"),
        ("split", ["anna", "11"], "can't be split"),
        ("swap", ["anna", "ben", "99"], "can't be swapped"),
        ("rename", ["anna", "BEN"], "already"),
        ("rename", ["anna", "a/b"], "not safe"),
        ("rename", ["anna", "background"], "taken"),
    ],
)
def test_wrong_corrections_change_nothing(folder: Path, change: str, words: list[str], said: str) -> None:
    before = state(folder, "anna", "ben", "carl")
    with pytest.raises(RetimeError, match=said) as error:
        edit(folder, change, words)
    assert isinstance(error.value, InputError | MaskError) and error.value.exit_status == 2
    assert state(folder, "anna", "ben", "carl") == before


def order_of(folder: Path) -> list[tuple[int, tuple[str, ...]]]:
    return [(standing.first_frame, standing.names) for standing in read_order(folder)]


def test_who_is_in_front_is_changed_for_as_long_as_the_order_holds(folder: Path) -> None:
    write_order(folder, [Standing(11, ("anna", "ben", "carl")), Standing(14, ("ben", "anna", "carl"))])
    others = state(folder, "anna", "ben", "carl")
    edit(folder, "forward", ["anna", "13"])
    assert order_of(folder) == [(11, ("ben", "anna", "carl"))]
    edit(folder, "backward", ["carl", "16"])
    assert order_of(folder) == [(11, ("ben", "carl", "anna"))]
    with pytest.raises(InputError, match="anna is in front already"):
        edit(folder, "forward", ["anna", "12"])
    assert state(folder, "anna", "ben", "carl") == others


def test_without_an_order_the_list_is_one(folder: Path) -> None:
    edit(folder, "backward", ["ben", "12"])
    assert order_of(folder) == [(11, ("ben", "anna", "carl"))]


@pytest.mark.parametrize(
    ("change", "words", "order"),
    [
        ("merge", ["anna", "carl"], [(11, ("anna", "ben")), (14, ("ben", "anna"))]),
        ("delete", ["ben"], [(11, ("anna", "carl"))]),
        ("rename", ["ben", "dora"], [(11, ("anna", "dora", "carl")), (14, ("dora", "anna", "carl"))]),
        (
            "split",
            ["ben", "12"],
            [(11, ("anna", "ben", "Person 1", "carl")), (14, ("ben", "Person 1", "anna", "carl"))],
        ),
        (
            "swap",
            ["ben", "carl", "13"],
            [(11, ("anna", "ben", "carl")), (13, ("anna", "carl", "ben")), (14, ("carl", "anna", "ben"))],
        ),
    ],
)
def test_the_depth_order_goes_with_the_people(
    folder: Path, change: str, words: list[str], order: list[tuple[int, tuple[str, ...]]]
) -> None:
    write_order(folder, [Standing(11, ("anna", "ben", "carl")), Standing(14, ("ben", "anna", "carl"))])
    edit(folder, change, words)
    assert order_of(folder) == order
