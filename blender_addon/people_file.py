"""Who was found in a clip, as the backend has written it down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .found_depth import read_depths

FILE, FORMAT = "people.json", "retime-people/people-1"


class PeopleProblem(Exception):
    """A list of people that can't be used; the text is one sentence with the remedy."""


@dataclass(frozen=True)
class FoundPerson:
    """One person, and the folder with the masks."""

    name: str
    folder: Path
    thumbnail: Path | None
    before: Path
    """The folder of the same person's masks before they were corrected."""
    static: bool
    """Hardly moves."""
    use: bool = True
    """False for somebody who is left to the background."""
    first: int = 0
    last: int = 0
    """First and last frame in which the person is to be seen; 0 where that was not written down."""
    depth: str = ""
    """The place in the depth order, see ``found_depth``."""


def read_people(file: Path) -> tuple[FoundPerson, ...]:
    """All who were found.

    Raises:
        PeopleProblem: naming the file or the person, and what to do.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise PeopleProblem(f"{file} is not of this version ({FORMAT}); find the people again")
        depths = read_depths(file.parent)
        found = tuple(_person(file.parent, Path(data.get("corrects", "")), entry, depths) for entry in data["people"])
    except OSError as error:
        raise PeopleProblem(f"{file} can't be read ({error.strerror}); find the people again") from error
    except (ValueError, KeyError, TypeError) as error:
        raise PeopleProblem(f"{file} is damaged ({error!r}); find the people again") from None
    missing = [person.name for person in found if not person.folder.is_dir()]
    if missing:
        raise PeopleProblem(f"The masks of {missing[0]} are missing in {file.parent}; find the people again")
    return found


def _person(folder: Path, before: Path, entry: dict[str, object], depths: dict[str, str]) -> FoundPerson:
    name = str(entry["name"])
    if not name or Path(name).name != name:
        raise ValueError(f"the name {name!r}")
    thumbnail = folder / str(entry["thumbnail"]) if entry.get("thumbnail") else None
    frames = (int(str(entry.get(key, 0))) for key in ("first_frame", "last_frame"))
    static, use = bool(entry.get("static", False)), bool(entry.get("use", True))
    return FoundPerson(name, folder / name, thumbnail, before / name, static, use, *frames, depths.get(name, ""))
