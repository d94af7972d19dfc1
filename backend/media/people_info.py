"""The list of people that lies beside their masks: who they are, and who is to be used."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from backend.errors import MaskError
from backend.media.files import reading, write_bytes

PEOPLE_NAME = "people.json"
PEOPLE_FORMAT = "retime-people/people-1"
THUMBNAILS = ".thumbnails"


@dataclass(frozen=True)
class Person:
    """One person as found in a plate."""

    name: str
    """Also the name of the folder with the masks."""
    color: tuple[float, float, float]
    """Red, green and blue, 0..1, to draw the person's outline with."""
    thumbnail: str
    """Path of a small picture within the folder; empty when there is none."""
    first_frame: int
    last_frame: int
    """Numbers of the first and last frame (counted from 1, inclusive) in which the person is to be seen."""
    confidence: float
    """0..1: how sure it is that this is one person."""
    static: bool = False
    """True for somebody who hardly moves."""
    use: bool = True
    """False leaves the person to the background."""


@dataclass(frozen=True)
class PeopleInfo:
    """Everybody who was found in a plate, and where the masks come from."""

    plate: str
    width: int
    height: int
    first_frame: int
    frames: int
    finder: str
    people: tuple[Person, ...]
    corrects: str = ""
    """Folder of the masks that these came from by corrections; empty for those found anew."""
    format: str = PEOPLE_FORMAT

    def person(self, name: str) -> Person:
        """The person of that name. Raises MaskError."""
        for person in self.people:
            if person.name == name:
                return person
        known = ", ".join(person.name for person in self.people)
        raise MaskError(f"There is no person {name!a} here", f"The people here are {known}")


def read_people(folder: Path) -> PeopleInfo:
    """The list in a folder of masks.

    Raises:
        MaskError: it is missing, or not such a list.
    """
    path = folder / PEOPLE_NAME
    with reading(path, MaskError):
        data = path.read_bytes()
    try:
        fields = json.loads(data)
        if fields["format"] != PEOPLE_FORMAT:
            raise ValueError("of another format")
        people = tuple(_person(entry) for entry in fields["people"])
        known = {f.name for f in dataclasses.fields(PeopleInfo)}
        return PeopleInfo(**{**{k: v for k, v in fields.items() if k in known}, "people": people})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MaskError(f"{path} is not a list of people ({error})", "Find the people again, or delete it") from error


def write_people(folder: Path, info: PeopleInfo) -> Path:
    """Write the list, whole or not at all; returns its path. Raises OutputError."""
    path = folder / PEOPLE_NAME
    write_bytes(path, json.dumps(dataclasses.asdict(info), indent=1).encode())
    return path


def _person(entry: dict[str, Any]) -> Person:
    known = {f.name for f in dataclasses.fields(Person)}
    fields = {name: value for name, value in entry.items() if name in known}
    red, green, blue = (float(value) for value in fields["color"])
    person = Person(**{**fields, "color": (red, green, blue)})
    right = all(map(math.isfinite, person.color)) and type(person.use) is bool and type(person.name) is str
    # Both become parts of paths, of which some are removed: they must lead nowhere else.
    if not right or not _is_inside(person.name) or "/" in person.name or not _is_inside(str(person.thumbnail)):
        raise ValueError(f"a person is written wrongly: {entry!a}"[:200])
    return person


def _is_inside(path: str) -> bool:
    parts = PurePath(path).parts
    return path == "" or (bool(parts) and not PurePath(path).is_absolute() and not {"..", "\0"} & {*parts, *path})
