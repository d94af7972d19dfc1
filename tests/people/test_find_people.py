"""People found in a plate: from the files that go in to the files that come out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from backend.errors import Cancelled, MaskError, PeopleError, PlateError, SettingError
from backend.media.masks import open_masks, read_mask
from backend.media.people_info import read_people
from backend.media.plates import open_plate
from backend.people.find import find_people
from backend.protocol import DecomposeRequest, DecomposeSettings, Event, Task
from tests.people.walkers import clip, crowd, iou, wall, write_frames


def search(
    plate: Path, out: Path, hints: str = "", cancelled: Callable[[], bool] = lambda: False, **settings: object
) -> list[Event]:
    request = DecomposeRequest(
        str(plate),
        str(out),
        task=Task.PEOPLE.value,
        hints=hints,
        settings=DecomposeSettings(**settings),  # type: ignore[arg-type]
    )
    events: list[Event] = []
    find_people(request, events.append, cancelled)
    return events


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A plate of two people who cross, and their true masks (2, T, H, W)."""
    pictures, masks = clip()
    return write_frames(tmp_path_factory.mktemp("crossing") / "plate", pictures), masks


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def found_masks(folder: Path) -> dict[str, np.ndarray]:
    people = read_people(folder).people
    return {p.name: np.stack([read_mask(f) / 255 for f in sorted((folder / p.name).glob("*.png"))]) for p in people}


def test_two_who_cross_keep_their_names(crossing: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    plate, truth = crossing
    events = search(plate, tmp_path / "masks")
    found = found_masks(tmp_path / "masks")
    assert list(found) == ["Person 1", "Person 2"]
    frames = [*range(4), *range(14, 18)]
    means = np.array([[np.mean([iou(t[f], m[f]) for f in frames]) for m in found.values()] for t in truth])
    own = means.argmax(1)
    assert sorted(own) == [0, 1]
    assert means.max(1).min() > 0.6
    assert [e.fraction for e in events if e.fraction is not None] == sorted(
        e.fraction for e in events if e.fraction is not None
    )
    assert open_masks(tmp_path / "masks", open_plate(plate).info).names == ("Person 1", "Person 2")
    info = json.loads((tmp_path / "masks" / "people.json").read_text())
    assert all((tmp_path / "masks" / person["thumbnail"]).is_file() for person in info["people"])
    assert sorted(p.name for p in (tmp_path / "masks").iterdir()) == [
        ".thumbnails",
        "Person 1",
        "Person 2",
        "order.json",
        "people.json",
    ]


def test_a_rough_mask_on_one_frame_is_carried_through(
    crossing: tuple[Path, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.people.refine._STEPS_EACH", 15)
    monkeypatch.setattr("backend.people.refine._STEPS_ALONE", 15)
    plate, truth = crossing
    for person, name in enumerate(("anna", "ben")):
        rough = cv2.dilate(truth[person, 3], np.ones((3, 3)))
        write_frames(tmp_path / "hints" / name, [rough], 4)
    search(plate, tmp_path / "masks", str(tmp_path / "hints"))
    found = found_masks(tmp_path / "masks")
    assert list(found) == ["anna", "ben"]
    for person, name in enumerate(found):
        assert np.mean([iou(truth[person, f], found[name][f]) for f in (0, 1, 2, 4, 5, 6)]) > 0.65
        given = read_mask(tmp_path / "hints" / name / "0004.png")
        assert np.array_equal(read_mask(tmp_path / "masks" / name / "0004.png"), given)


def test_nobody_is_said_and_nothing_left(tmp_path: Path) -> None:
    plate = write_frames(tmp_path / "plate", [wall()] * 5)
    with pytest.raises(PeopleError, match="Nobody was found") as error:
        search(plate, tmp_path / "masks")
    assert "rough mask" in error.value.sentence() and error.value.exit_status == 2
    assert not (tmp_path / "masks").exists()


@pytest.mark.parametrize("frames", [2, 5])
def test_black_frames_show_nobody(tmp_path: Path, frames: int) -> None:
    plate = write_frames(tmp_path / "plate", [np.zeros((90, 160, 3), np.float32)] * frames)
    with pytest.raises(PeopleError, match="Nobody was found"):
        search(plate, tmp_path / "masks")


def test_a_cut_is_named(tmp_path: Path) -> None:
    dark = wall() * 0.2
    plate = write_frames(tmp_path / "plate", [wall()] * 4 + [dark] * 4)
    with pytest.raises(PlateError, match="a cut at frame 5") as error:
        search(plate, tmp_path / "masks")
    assert "--frames 1-4" in error.value.sentence()
    assert not (tmp_path / "masks").exists()


def test_one_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlateError, match="one frame only"):
        search(write_frames(tmp_path / "plate", [wall()]), tmp_path / "masks")


def test_twelve_people_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.people.motion._STEPS", (40, 40))
    pictures, truth = crowd(12, 5)
    search(write_frames(tmp_path / "plate", pictures), tmp_path / "masks")
    found = list(found_masks(tmp_path / "masks").values())
    overlaps = np.array([[np.mean([iou(t[f], m[f]) for f in range(5)]) for m in found] for t in truth])
    assert len(found) == 12
    assert sorted(overlaps.argmax(1).tolist()) == list(range(12))
    assert overlaps.max(1).min() > 0.5


def test_a_cancel_leaves_nothing(crossing: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 30

    (tmp_path / "masks").mkdir()
    with pytest.raises(Cancelled, match="Finding people was cancelled"):
        search(crossing[0], tmp_path / "masks", cancelled=cancelled)
    assert list((tmp_path / "masks").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("anna/0099.png", (144, 256), "no used frame"),
        ("anna/0004.png", (10, 10), "10x10"),
        ("0004.png", (144, 256), "no people"),
    ],
)
def test_hints_that_do_not_fit(
    crossing: tuple[Path, np.ndarray], tmp_path: Path, name: str, size: tuple[int, int], said: str
) -> None:
    path = tmp_path / "hints" / name
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), np.full(size, 255, np.uint8))
    with pytest.raises(MaskError, match=said):
        search(crossing[0], tmp_path / "masks", str(tmp_path / "hints"))
    assert not (tmp_path / "masks").exists()


def test_a_finder_that_is_not_there(crossing: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="neural"):
        search(crossing[0], tmp_path / "masks", finder="neural")
