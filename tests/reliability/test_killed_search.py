"""A search for people that was killed stops nobody afterwards, and what was found is never looked for again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import backend.decompose
from backend.errors import Cancelled, InputError
from backend.people.find import check_people_folder, find_people
from backend.protocol import DecomposeRequest, Event, Task
from tests.samples import write_masks
from tests.stages.test_people_first import finds, request_for
from tests.stages.test_people_first import plate as plate


def left(folder: Path, *names: str) -> Path:
    """A folder with these in it: files where the name has an ending, else folders."""
    for name in names:
        if name.endswith(".json"):
            (folder / name).write_text("{}")
        else:
            (folder / name).mkdir(parents=True)
    return folder


@pytest.mark.parametrize("names", [(), (".people",), (".people", ".unfinished"), (".unfinished", "Person 1")])
def test_what_a_killed_search_leaves_is_in_nobodys_way(tmp_path: Path, names: tuple[str, ...]) -> None:
    check_people_folder(left(tmp_path, *names))


@pytest.mark.parametrize("names", [("Person 1",), (".unfinished", "people.json"), ("people.json",), ("photos",)])
def test_anything_else_is(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="is not empty"):
        check_people_folder(left(tmp_path, *names))


def test_what_was_found_is_not_looked_for_again(tmp_path: Path) -> None:
    left(tmp_path, "people.json")
    request = DecomposeRequest("/gone.mp4", str(tmp_path), resume=True, task=Task.PEOPLE.value)
    assert find_people(request, lambda _event: None, lambda: False) == tmp_path / "people.json"


def dies(request: DecomposeRequest, _report: Callable[[Event], None], _cancelled: Callable[[], bool]) -> Path:
    """A search that is gone before it has written its list."""
    write_masks(Path(request.out), "anna", 4)
    (Path(request.out) / ".unfinished").mkdir()
    raise Cancelled("gone")


def test_a_decomposition_goes_on_after_its_search_was_killed(plate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.decompose, "find_people", dies)
    with pytest.raises(Cancelled):
        backend.decompose.decompose(request_for(plate), lambda _event: None, lambda: False)
    out = plate.parent / "out"
    assert not (out / "masks").exists()
    monkeypatch.setattr(backend.decompose, "find_people", finds(("ida",)))
    path = backend.decompose.decompose(request_for(plate, resume=True), lambda _event: None, lambda: False)
    assert sorted(p.name for p in (out / "masks").iterdir()) == ["ida", "people.json"]
    assert path.exists() and not (out / ".work").exists()
