"""Corrections by the artist: who is who, without looking for anybody anew."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from backend.errors import InputError, MaskError
from backend.media.depth_file import Standing, read_order, write_order
from backend.media.files import by_name, writing
from backend.media.masks import read_mask, why_bad_name
from backend.media.people_info import PEOPLE_NAME, THUMBNAILS, PeopleInfo, Person, read_people, write_people
from backend.people.reorder import moved, replaced
from backend.people.result import color_of

_FORMS = {
    "merge": "merge A B",
    "split": "split A FRAME",
    "swap": "swap A B FRAME",
    "delete": "delete A",
    "rename": "rename A NEW",
    "forward": "forward A FRAME",
    "backward": "backward A FRAME",
}


def edit(folder: Path, change: str, words: Sequence[str]) -> Path:
    """Do the correction that a command line names; returns the path of the list.

    Raises:
        InputError: no such correction, or not what it needs.
        MaskError: no such person, name or list.
        OutputError: the folder can't be written.
    """
    form = _FORMS.get(change)
    if form is None:
        raise InputError(f"There is no correction {change!a}", f"Use one of {', '.join(_FORMS)}")
    if len(words) != len(form.split()) - 1:
        raise InputError(f"{change} takes {len(form.split()) - 1} words, not {len(words)}", f"Write {form}")
    known: dict[str, Callable[..., Path]] = {
        "merge": merge,
        "split": split,
        "swap": swap,
        "delete": delete,
        "rename": rename,
        "forward": forward,
        "backward": backward,
    }
    values = [_frame(word) if part == "FRAME" else word for word, part in zip(words, form.split()[1:], strict=True)]
    return known[change](folder, *values)


def _frame(text: str) -> int:
    if not text.isdecimal():
        raise InputError(f"{text!a} is no frame", "Give the number of a frame, counted from 1")
    return int(text)


def merge(folder: Path, into: str, other: str) -> Path:
    """Make ``other`` a part of ``into``: the masks are put together, ``other`` is gone."""
    info = read_people(folder)
    kept, lost = info.person(into), info.person(other)
    if into == other:
        raise InputError(f"{into} can't be merged with the same person", "Name two people")
    with _rewritten(folder, [into], info) as (fresh,):
        for mine, theirs in zip(_files(folder, into, info), _files(folder, other, info), strict=True):
            _save(fresh / mine.name, np.maximum(read_mask(mine), read_mask(theirs)))
    first, last = min(kept.first_frame, lost.first_frame), max(kept.last_frame, lost.last_frame)
    merged = dataclasses.replace(
        kept, first_frame=first, last_frame=last, use=kept.use or lost.use, static=kept.static and lost.static
    )
    path = _relisted(folder, info, {into: [merged], other: []})
    _removed(folder, other)
    return path


def split(folder: Path, name: str, frame: int) -> Path:
    """Make a new person of ``name`` from ``frame`` on (a number in the plate)."""
    info = read_people(folder)
    person = info.person(name)
    if not person.first_frame < frame <= person.last_frame:
        raise InputError(
            f"{name} can't be split at frame {frame}",
            f"Choose a frame from {person.first_frame + 1} to {person.last_frame}",
        )
    added = _free_name(info)
    with _rewritten(folder, [name, added], info) as (before, after):
        for number, path in enumerate(_files(folder, name, info), info.first_frame):
            mask = read_mask(path)
            nothing = np.zeros_like(mask)
            _save(before / path.name, mask if number < frame else nothing)
            _save(after / path.name, nothing if number < frame else mask)
    thumbnail = f"{THUMBNAILS}/{added}.png" if _copied_thumbnail(folder, person, added) else ""
    second = dataclasses.replace(
        person, name=added, color=color_of(len(info.people)), thumbnail=thumbnail, first_frame=frame
    )
    return _relisted(folder, info, {name: [dataclasses.replace(person, last_frame=frame - 1), second]})


def swap(folder: Path, one: str, other: str, frame: int) -> Path:
    """Exchange two people from ``frame`` on (a number in the plate)."""
    info = read_people(folder)
    people = info.person(one), info.person(other)
    last = info.first_frame + info.frames - 1
    if one == other or not info.first_frame <= frame <= last:
        raise InputError(
            f"{one} and {other} can't be swapped at frame {frame}",
            f"Name two people and a frame from {info.first_frame} to {last}",
        )
    seen: list[list[int]] = [[], []]
    with _rewritten(folder, [one, other], info) as fresh:
        pairs = zip(_files(folder, one, info), _files(folder, other, info), strict=True)
        for number, pair in enumerate(pairs, info.first_frame):
            masks = [read_mask(path) for path in pair]
            if number >= frame:
                masks.reverse()
            for place, mask in enumerate(masks):
                _save(fresh[place] / pair[place].name, mask)
                if mask.max() > 127:
                    seen[place].append(number)
    changed = {person.name: [_seen_in(person, frames)] for person, frames in zip(people, seen, strict=True)}
    _reordered(folder, {one: [other], other: [one]}, frame)
    return _relisted(folder, info, changed)


def delete(folder: Path, name: str) -> Path:
    """Forget a person: the masks are gone."""
    info = read_people(folder)
    info.person(name)
    if len(info.people) == 1:
        raise InputError(f"{name} is the only person here", "Keep somebody, or delete the folder")
    path = _relisted(folder, info, {name: []})
    _removed(folder, name)
    return path


def rename(folder: Path, name: str, new: str) -> Path:
    """Give a person another name."""
    info = read_people(folder)
    person = info.person(name)
    reason = why_bad_name(new)
    if reason or new in ("", ".", "..") or new.startswith("."):
        raise MaskError(f"{new!a} {reason or 'is no name for a folder'}", "Choose another name")
    if new.casefold() in {p.name.casefold() for p in info.people if p.name != name}:
        raise MaskError(f"There is a person {new!a} already", "Choose another name")
    thumbnail = f"{THUMBNAILS}/{new}.png" if person.thumbnail else ""
    with writing(folder):
        (folder / name).rename(folder / new)
        if person.thumbnail and (folder / person.thumbnail).exists():
            (folder / person.thumbnail).rename(folder / thumbnail)
    return _relisted(folder, info, {name: [dataclasses.replace(person, name=new, thumbnail=thumbnail)]})


def forward(folder: Path, name: str, frame: int) -> Path:
    """Put a person one place further to the front, for as long as the depth order of ``frame`` holds."""
    return _moved(folder, name, frame, 1)


def backward(folder: Path, name: str, frame: int) -> Path:
    """Put a person one place further back, for as long as the depth order of ``frame`` holds."""
    return _moved(folder, name, frame, -1)


def _moved(folder: Path, name: str, frame: int, step: int) -> Path:
    info = read_people(folder)
    info.person(name)
    order = read_order(folder) or (Standing(info.first_frame, tuple(person.name for person in info.people)),)
    write_order(folder, moved(order, name, frame, step))
    return folder / PEOPLE_NAME


def _reordered(folder: Path, changed: Mapping[str, Sequence[str]], since: int = 1) -> None:
    """Keep the depth order true to people who have become others."""
    order = read_order(folder)
    if order:
        write_order(folder, replaced(order, changed, since))


def _files(folder: Path, name: str, info: PeopleInfo) -> list[Path]:
    files = by_name((folder / name).glob("[!.]*.png"))
    if len(files) != info.frames:
        raise MaskError(f"{folder / name} has {len(files)} masks for {info.frames} frames")
    return files


@contextlib.contextmanager
def _rewritten(folder: Path, names: Sequence[str], info: PeopleInfo) -> Iterator[list[Path]]:
    """Empty folders to fill; when the block ends well, they take the places of the people's own."""
    fresh = [folder / f".{name}.new" for name in names]
    try:
        with writing(folder):
            for path in fresh:
                shutil.rmtree(path, ignore_errors=True)
                path.mkdir()
            yield fresh
            for path, name in zip(fresh, names, strict=True):
                old = folder / f".{name}.old"
                if (folder / name).exists():
                    (folder / name).rename(old)
                path.rename(folder / name)
                shutil.rmtree(old, ignore_errors=True)
    finally:
        for path in fresh:
            shutil.rmtree(path, ignore_errors=True)


def _relisted(folder: Path, info: PeopleInfo, changed: dict[str, list[Person]]) -> Path:
    """Write the list with some people replaced, in their places."""
    people = [person for old in info.people for person in changed.get(old.name, [old])]
    if any([person.name for person in new] != [name] for name, new in changed.items()):
        _reordered(folder, {name: [person.name for person in new] for name, new in changed.items()})
    return write_people(folder, dataclasses.replace(info, people=tuple(people)))


def _removed(folder: Path, name: str) -> None:
    with writing(folder):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / THUMBNAILS / f"{name}.png").unlink(missing_ok=True)


def _copied_thumbnail(folder: Path, person: Person, name: str) -> bool:
    if not person.thumbnail or not (folder / person.thumbnail).exists():
        return False
    shutil.copyfile(folder / person.thumbnail, folder / THUMBNAILS / f"{name}.png")
    return True


def _free_name(info: PeopleInfo) -> str:
    taken = {person.name.casefold() for person in info.people}
    return next(name for n in range(1, len(taken) + 2) if (name := f"Person {n}").casefold() not in taken)


def _seen_in(person: Person, frames: list[int]) -> Person:
    if not frames:
        raise InputError(f"{person.name} would be in no frame at all", "Choose another frame, or rename them")
    return dataclasses.replace(person, first_frame=frames[0], last_frame=frames[-1])


def _save(path: Path, mask: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    _, data = cv2.imencode(".png", mask)
    path.write_bytes(data.tobytes())
