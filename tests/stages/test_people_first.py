"""A decomposition without masks finds the people first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import backend.decompose
from backend.errors import PeopleError
from backend.media.people_info import PeopleInfo, Person, write_people
from backend.protocol import DecomposeRequest, DecomposeSettings, Event
from tests.samples import write_images, write_masks


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    frames = []
    for index in range(4):
        picture = np.full((48, 64, 3), 120, np.uint8)
        picture[10:30, 5 + index : 25 + index] = (200, 40, 30)
        frames.append(picture)
    return write_images(tmp_path / "plate", frames)


def request_for(plate: Path, **changes: object) -> DecomposeRequest:
    settings = DecomposeSettings(preset="draft", device="cpu")
    return DecomposeRequest(str(plate), str(plate.parent / "out"), settings=settings, **changes)  # type: ignore[arg-type]


def finds(people: tuple[str, ...]) -> Callable[..., Path]:
    """A finder that finds these people, moving to the right."""

    def find(request: DecomposeRequest, report: Callable[[Event], None], _cancelled: Callable[[], bool]) -> Path:
        folder = Path(request.out)
        report(Event("progress", stage="Looking for People", fraction=1.0))
        for name in people:
            write_masks(folder, name, 4)
        listed = tuple(Person(name, (1.0, 0.0, 0.0), "", 1, 4, 0.9, use=name != "ben") for name in people)
        return write_people(folder, PeopleInfo(request.plate, 64, 48, 1, 4, "motion", listed))

    return find


def test_masks_are_kept_and_bystanders_are_background(plate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.decompose, "find_people", finds(("anna", "ben")))
    events: list[Event] = []
    path = backend.decompose.decompose(request_for(plate), events.append, lambda: False)
    assert sorted(p.name for p in path.parent.iterdir() if p.is_dir()) == [
        "anna",
        "background",
        "coverage",
        "masks",
        "residual",
    ]
    assert (path.parent / "masks" / "people.json").is_file()
    told = [event.fraction for event in events if event.kind == "progress" and event.fraction is not None]
    assert told == sorted(told) and told[0] == backend.decompose.PEOPLE_SHARE


def test_nobody_found_leaves_the_folder_as_it_was(plate: Path) -> None:
    with pytest.raises(PeopleError):
        backend.decompose.decompose(request_for(plate), lambda _event: None, lambda: False)
    out = plate.parent / "out"
    assert not out.exists() or not [p for p in out.rglob("*") if p.is_file() and p.name != "lock"]
