"""What was found before, corrected by drawings: a new folder in which only what the drawings touch is new."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from backend.core.color import Floats
from backend.errors import MaskError
from backend.media.depth_file import read_order, write_order
from backend.media.files import writing
from backend.media.masks import read_mask
from backend.media.people_info import THUMBNAILS, PeopleInfo, Person, read_people
from backend.media.plates import Plate, PlateInfo
from backend.people.correct import corrected, stored_masks
from backend.people.depth import proposed_order
from backend.people.hints import drawn_files, read_hints
from backend.people.reorder import completed
from backend.people.result import UNFINISHED, color_of, full_size, put_in_place, save, thumbnail
from backend.people.scene import read_scene, to_bytes, work_size
from backend.stages.progress import Progress

READING, SPREADING, WRITING = "Reading", "Spreading Corrections", "Writing Masks"
CORRECTING = {READING: 0.25, SPREADING: 0.65, WRITING: 0.1}
_SEEN = 127


def correct_people(plate: Plate, before: Path, hints: Path, out: Path, progress: Progress) -> Path:
    """Copy the masks in ``before`` to ``out``, changed where drawings say so; returns the path of the list.

    Raises:
        MaskError: the list or its masks don't fit the plate, or the hints are not as they must be.
        Cancelled, OutputError: see there.
    """
    info = read_people(before)
    _check(before, info, plate.info)
    drawn = read_hints(hints, plate.info, work_size(plate.info))
    names = [person.name for person in info.people]
    names += [name for name in drawn if name not in names]
    work = out / ".people"
    scene = read_scene(plate, work, partial(progress.tell, READING), progress.say)
    store = stored_masks(scene, before, info, names, work / "before.raw")
    by_number = {names.index(name): frames for name, frames in drawn.items()}
    changes = corrected(scene, store, by_number, work, partial(progress.tell, SPREADING))
    fresh = out / UNFINISHED
    with writing(out):
        _copy(before, info, names, fresh, plate)
        _change(plate, {names[n]: masks for n, masks in changes.items()}, fresh, progress)
        for name, files in drawn_files(hints, plate.info).items():
            for index, path in files.items():
                save(_file(fresh, name, plate.info, index), read_mask(path))
        frames = range(info.first_frame, info.first_frame + info.frames)
        masks = partial(_masks_of, fresh, names, plate.info)
        proposed = proposed_order(masks, names, frames, float(plate.info.fps))
        write_order(fresh, completed(read_order(before), proposed))
        people = tuple(_listed(fresh, info, name, name in drawn, plate) for name in names)
        listed = dataclasses.replace(info, plate=str(plate.info.path), people=people, corrects=str(before))
        changed = sum(len(masks) for masks in changes.values())
        progress.say(f"Corrected {', '.join(drawn)} in {changed} frames")
        return put_in_place(fresh, out, listed)


def _check(folder: Path, info: PeopleInfo, plate: PlateInfo) -> None:
    wanted = (plate.width, plate.height, plate.first_frame, plate.frames)
    if (info.width, info.height, info.first_frame, info.frames) != wanted:
        raise MaskError(f"The people in {folder} were found in another shot than {plate.path}", "Find the people again")


def _file(folder: Path, name: str, plate: PlateInfo, index: int) -> Path:
    return folder / name / f"{plate.first_frame + index:04d}.png"


def _copy(before: Path, info: PeopleInfo, names: list[str], fresh: Path, plate: Plate) -> None:
    """Everybody as before; nothing of those who are new."""
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / THUMBNAILS).mkdir(parents=True)
    nothing = np.zeros((plate.info.height, plate.info.width), np.uint8)
    known = {person.name: person for person in info.people}
    for name in names:
        if name in known:
            shutil.copytree(before / name, fresh / name)
            picture = before / known[name].thumbnail
            if known[name].thumbnail and picture.is_file():
                shutil.copyfile(picture, fresh / THUMBNAILS / f"{name}.png")
            continue
        (fresh / name).mkdir()
        for index in range(plate.info.frames):
            save(_file(fresh, name, plate.info, index), nothing)


def _masks_of(folder: Path, names: Sequence[str], plate: PlateInfo, index: int) -> Floats:
    """The masks (H, W, N) of a frame, 0..1."""
    masks = [read_mask(_file(folder, name, plate, index)) for name in names]
    return np.stack(masks, -1).astype(np.float32) / np.float32(255)


def _change(plate: Plate, changes: Mapping[str, Mapping[int, Floats]], fresh: Path, progress: Progress) -> None:
    """Write the masks that have changed, at full size."""
    for index, frame in enumerate(plate):
        progress.tell(WRITING, index / plate.info.frames)
        changed = [name for name, masks in changes.items() if index in masks]
        if changed:
            stack = np.stack([changes[name][index] for name in changed], -1)
            for name, mask in zip(changed, full_size(stack, range(len(changed)), frame), strict=True):
                save(_file(fresh, name, plate.info, index), to_bytes(mask))


def _listed(fresh: Path, info: PeopleInfo, name: str, touched: bool, plate: Plate) -> Person:
    """The entry of one person: as before, or seen in other frames now."""
    old = next((person for person in info.people if person.name == name), None)
    if old is not None and not touched:
        return old
    areas = [int((read_mask(_file(fresh, name, plate.info, i)) > _SEEN).sum()) for i in range(plate.info.frames)]
    seen = np.flatnonzero(areas) + plate.info.first_frame
    first, last = (int(seen[0]), int(seen[-1])) if len(seen) else (plate.info.first_frame, plate.info.first_frame)
    if old is not None:
        return dataclasses.replace(old, first_frame=first, last_frame=last, use=True)
    best = int(np.argmax(areas))
    mask = read_mask(_file(fresh, name, plate.info, best)).astype(np.float32) / np.float32(255)
    frame = next(picture for index, picture in enumerate(plate) if index == best)
    save(fresh / THUMBNAILS / f"{name}.png", thumbnail(frame, mask))
    return Person(name, color_of(len(info.people)), f"{THUMBNAILS}/{name}.png", first, last, 1.0)
