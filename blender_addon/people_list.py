"""The list of people kept true to the strips: who is loaded, in which color, and who is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from .compat import Scene
from .people_file import FoundPerson
from .properties import PERSON_TAGS, RetimePeoplePerson, RetimePeopleScene, add_person
from .strips import people, pieces_of, refresh_residuals


def refresh(scene: Scene) -> None:
    """After anything that may have changed strips: residuals hidden or shown again, the list brought up to date."""
    refresh_residuals(scene)
    props, loaded = scene.retime_people, people(scene)
    for name in loaded:
        if name not in props.people:
            _add(props, name)
    for index in reversed(range(len(props.people))):
        if props.people[index].from_layers and props.people[index].name not in loaded:
            props.people.remove(index)
    _take_colors(scene, loaded)


def take_people(props: RetimePeopleScene, found: Sequence[FoundPerson]) -> None:
    """Put people who were found into the list, in the place of those who were found before, or drawn by that name.

    The name, color and drawing that somebody has got from the artist stay.
    """
    names = [person.name for person in found]
    known = {Path(p.folder): _kept(p) for p in props.people if p.found}
    drawn = {p.name: _kept(p) for p in props.people if not p.found and p.name in names}
    for index in reversed(range(len(props.people))):
        if props.people[index].found or props.people[index].name in names:
            props.people.remove(index)
    taken = {person.tag for person in (*props.people, *known.values(), *drawn.values())}
    free = [tag for tag in PERSON_TAGS if tag not in taken]
    for person in found:
        entry = add_person(props, person.name)
        entry.source, entry.folder, entry.found = "FOLDER", str(person.folder), True
        entry.thumbnail = str(person.thumbnail or "")
        entry.use, entry.first, entry.last = person.use, person.first, person.last
        entry.depth = person.depth
        kept = known.get(person.folder) or known.get(person.before) or drawn.get(person.name)
        if kept is not None:
            entry.name, entry.tag, entry.mask, entry.matte = kept.name, kept.tag, kept.mask, kept.matte
        elif free:
            entry.tag = free.pop(0)
    props.people_chosen = 0


@dataclass(frozen=True)
class _Kept:
    """What the artist has given somebody who was found."""

    name: str
    tag: int
    mask: bpy.types.Mask | None
    matte: str


def _kept(person: RetimePeoplePerson) -> _Kept:
    return _Kept(person.name, person.tag, person.mask, person.matte)


def _add(props: RetimePeopleScene, name: str) -> None:
    chosen = props.people_chosen
    add_person(props, name).from_layers = True
    props.people_chosen = chosen


def _take_colors(scene: Scene, loaded: list[str]) -> None:
    props = scene.retime_people
    for name in loaded:
        tag = pieces_of(scene, name)[0].color_tag
        number = 0 if tag == "NONE" else int(tag[-2:])
        if props.people[name].tag != number:
            props.people[name].tag = number
