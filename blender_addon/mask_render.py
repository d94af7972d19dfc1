"""Masks as pictures, one folder per person: copied from the artist's folders, or rendered from Blender's masks."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from .plate_render import Source, plate_scene
from .scratch import PREFIX, ShotError, choose_png, make_neutral, render_frame, scratch_scene

RESERVED_NAMES = ("background", "residual", "masks", "coverage")
"""Names of folders in a layer set that are no person's."""
PURPOSE = "mask"
NO_PEOPLE = "Nobody is in the list of people; press Find People, or add a masks folder or a mask drawn in Blender."


@dataclass(frozen=True)
class PersonMasks:
    """Where one person's masks come from: a folder of PNG files, or the name of a mask or of a strip in Blender."""

    name: str
    folder: Path | None
    mask: str = ""
    strip: str = ""
    frames: tuple[int, ...] = ()
    """The only frames of the shot (counted from 1) that were drawn; empty for all."""


def people_in_folder(folder: Path) -> tuple[PersonMasks, ...]:
    """The people of a masks folder: one per folder in it, or one for the folder itself when it holds the pictures.

    Raises:
        ShotError: when there are no masks.
    """
    if not folder.is_dir():
        raise ShotError(f"{folder} is no folder; choose the folder that holds one folder of masks per person.")
    with_masks = [child for child in sorted(folder.iterdir()) if child.is_dir() and mask_files(child)]
    if not with_masks and mask_files(folder):
        with_masks = [folder]
    if not with_masks:
        raise ShotError(f"{folder} holds no masks; put one folder per person in it, with one PNG per frame.")
    return tuple(PersonMasks(child.name, child) for child in with_masks)


def mask_files(folder: Path) -> list[Path]:
    """The PNG files of a folder in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")


def check_people(people: Sequence[PersonMasks], source: Source, source_frames: Sequence[int], length: int) -> None:
    """See that each person has a usable name and masks that fit, before anything is rendered.

    Args:
        people: whose masks.
        source: the strip.
        source_frames: 0-based frame of the media that is seen at each frame of the strip; empty where unknown.
        length: number of frames of the media.

    Raises:
        ShotError: naming the person, what is wrong and what to do.
    """
    if not people:
        raise ShotError(NO_PEOPLE)
    names = [person.name for person in people]
    for person in people:
        _check_name(person.name, names)
        if person.folder is not None:
            _choose_files(person.name, person.folder, source, source_frames, length)
        elif not person.mask and not person.strip:
            raise ShotError(f"{person.name} has no masks; choose a folder, a mask or a strip, or remove {person.name}.")


def write_masks(
    person: PersonMasks, source: Source, source_frames: Sequence[int], length: int, folder: Path
) -> Iterator[float]:
    """Write ``folder``/0001.png and so on for one person, telling after each frame how much is done (0..1)."""
    folder.mkdir(parents=True, exist_ok=True)
    if person.folder is None:
        frames = person.frames or range(1, source.frames + 1)
        yield from _render_masks(lambda: _scene_of(person, source), source, frames, folder)
        return
    if person.frames:
        yield from _copy_drawn(person.folder, person.frames, folder)
        return
    files = _choose_files(person.name, person.folder, source, source_frames, length)
    for index, file in enumerate(files):
        _link_or_copy(file, folder / f"{index + 1:04d}.png")
        yield (index + 1) / source.frames


def _check_name(name: str, names: Sequence[str]) -> None:
    if not name.strip():
        raise ShotError("One of the people has no name; give each person a name.")
    if any(sign in name for sign in '/\\:*?"<>|') or name.startswith(".") or name.lower() in RESERVED_NAMES:
        raise ShotError(f"{name!r} can't be the name of a person, because a folder is named so; choose another name.")
    if sum(other.lower() == name.lower() for other in names) > 1:
        raise ShotError(f"Two people are named {name}; give each person a name of their own.")


def _choose_files(name: str, folder: Path, source: Source, source_frames: Sequence[int], length: int) -> Sequence[Path]:
    """One mask per frame of the strip, from masks of the strip or masks of its whole media."""
    if not folder.is_dir():
        raise ShotError(f"The masks folder of {name} is missing: {folder}; choose it again.")
    files = mask_files(folder)
    if len(files) == source.frames:
        return files
    if len(files) == length and source_frames:
        return [files[frame] for frame in source_frames]
    whole = f", or {length} for the whole media" if source_frames and length != source.frames else ""
    raise ShotError(f"{name} has {len(files)} masks in {folder}; {source.strip} needs {source.frames}{whole}.")


def _link_or_copy(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:
        # Another disk, or a file system without links.
        try:
            shutil.copyfile(file, target)
        except OSError as error:
            raise ShotError(f"{target} can't be written: {error.strerror}; choose another layers folder.") from error


def drawn_files(folder: Path) -> dict[int, Path]:
    """The masks of a folder in which only some frames were drawn, by the number at the end of their names."""
    numbers = {path: re.search(r"(\d+)$", path.stem) for path in mask_files(folder)}
    return {int(found[1]): path for path, found in numbers.items() if found}


def _copy_drawn(drawn: Path, frames: Sequence[int], folder: Path) -> Iterator[float]:
    files = drawn_files(drawn)
    for done, frame in enumerate(frames, 1):
        _link_or_copy(files[frame], folder / f"{frame:04d}.png")
        yield done / len(frames)


def _render_masks(
    make: Callable[[], bpy.types.Scene], source: Source, frames: Sequence[int], folder: Path
) -> Iterator[float]:
    name = ""
    for done, frame in enumerate(frames, 1):
        scene = bpy.data.scenes.get(name) or make()
        name = scene.name
        render_frame(scene, source.first + frame - 1, folder / f"{frame:04d}.png")
        yield done / len(frames)


def _scene_of(person: PersonMasks, source: Source) -> bpy.types.Scene:
    """A scene that shows the masks of one person, in the time of the sequencer."""
    if person.mask:
        return _mask_scene(person.mask, source)
    scene = plate_scene(replace(source, strip=person.strip, suffix=".png"))
    choose_png(scene, "BW")
    return scene


def _mask_scene(mask: str, source: Source) -> bpy.types.Scene:
    """A scene that shows one mask in white, in the time of the sequencer."""
    original = bpy.data.masks.get(mask)
    if original is None:
        raise ShotError(f"The mask {mask} is gone; choose another one.")
    # A copy, because the range has to cover the strip, plus one frame: mask strips lose their last.
    copy = original.copy()
    copy.name = PREFIX + mask
    copy.frame_start = max(0, source.first)
    copy.frame_end = max(0, source.first + source.frames) + 1
    scene = scratch_scene(PURPOSE)
    make_neutral(scene, source.width, source.height)
    choose_png(scene, "BW")
    strips = scene.sequence_editor_create().strips
    strip = strips.new_mask(mask, copy, 1, copy.frame_start)
    strip.blend_type = "REPLACE"
    return scene
