"""Which masks of the list are true on which frames of the strip, and which were found before."""

from __future__ import annotations

from pathlib import Path

import bpy

from .compat import left_handle
from .mask_render import PersonMasks, drawn_files
from .people_file import FILE
from .plate_render import visible_frames
from .properties import RetimePeoplePerson, RetimePeopleScene
from .scratch import ShotError


def frame_in_strip(strip: bpy.types.Strip | None, frame: int) -> int:
    """The number of a frame of the timeline within the strip, counted from 1; raises ShotError outside it."""
    if strip is None:
        raise ShotError("No strip is active; click the strip in which the people are.")
    number = frame - left_handle(strip) + 1
    if not 1 <= number <= visible_frames(strip):
        raise ShotError(f"The playhead is not on {strip.name}; move it onto the strip.")
    return number


def plate_name(person: RetimePeoplePerson) -> str:
    """How a person who was found is called in the folder of masks, whatever the list says."""
    return Path(person.folder).name


def frames_of(person: RetimePeoplePerson) -> tuple[int, ...]:
    """The frames on which a person's drawing was taken as true."""
    return tuple(sorted({int(word) for word in person.drawn.split() if word.isdecimal()}))


def add_drawn(person: RetimePeoplePerson, frame: int) -> None:
    """Take a person's drawing as true on one more frame; raises ShotError when there is none."""
    if person.mask is None and not person.matte:
        raise ShotError(f"{person.name} has no mask drawn in Blender; press Draw on This Frame first.")
    person.drawn = " ".join(map(str, sorted({*frames_of(person), frame})))


def found_folder(props: RetimePeopleScene) -> Path | None:
    """The folder of those in the list who were found, None when nobody was."""
    for person in props.people:
        folder = Path(bpy.path.abspath(person.folder)).parent if person.found else None
        if folder is not None and (folder / FILE).is_file():
            return folder
    return None


def drawn_people(props: RetimePeopleScene, strip: bpy.types.Strip) -> tuple[PersonMasks, ...]:
    """Everybody of whom something was drawn, and on which frames; raises ShotError when nobody was."""
    frames = visible_frames(strip)
    drawn = [person for entry in props.people if (person := _drawn(entry, frames)) is not None]
    if not drawn:
        raise ShotError("Nothing was drawn; press Draw on This Frame, draw somebody, then press Use on This Frame.")
    return tuple(drawn)


def _drawn(person: RetimePeoplePerson, frames: int) -> PersonMasks | None:
    if person.from_layers or not person.use:
        return None
    taken = tuple(frame for frame in frames_of(person) if frame <= frames)
    name = plate_name(person) if person.found else person.name
    if taken and person.mask is not None:
        return PersonMasks(name, None, person.mask.name, frames=taken)
    if taken and person.matte:
        return PersonMasks(name, None, strip=person.matte, frames=taken)
    if person.source == "FOLDER" and person.folder and not person.found:
        folder = Path(bpy.path.abspath(person.folder))
        some = tuple(sorted(number for number in drawn_files(folder) if 1 <= number <= frames))
        return PersonMasks(name, folder, frames=some) if some else None
    return None
