"""From a strip and its people to what the backend is asked for: pictures, masks and the request, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import bpy

from .found_depth import write_depths
from .mask_render import PersonMasks, check_people, write_masks
from .plate_render import Source, media_frames, media_length, render_plate, source_of
from .protocol import (
    DecomposeRequest,
    DecomposeSettings,
    InvalidSetting,
    Task,
    check_settings,
    request_from_json,
    to_json,
)
from .scratch import ShotError, remove_scratch

INPUT = ".input"
"""Folder in the layers folder that holds what the backend is given; hidden, since all else there is made by it."""
PEOPLE = "people"
"""Folder of the masks that were found, one folder per person in it."""
REQUEST = "request.json"
"""File in it that is written last, so that a prepared shot can be sent again."""


@dataclass(frozen=True)
class ShotPlan:
    """Everything that is needed to prepare one shot, free of references into Blender's data."""

    source: Source
    source_frames: tuple[int, ...]
    """0-based frame of the media at each frame of the strip; empty where unknown."""
    media_length: int
    people: tuple[PersonMasks, ...]
    out: Path
    settings: DecomposeSettings
    task: str = Task.DECOMPOSE.value
    depths: tuple[tuple[str, str], ...] = ()
    """Names and places in the depth order, see ``found_depth``; who is left out stands where the masks say."""
    found: Path | None = None
    """Folder of people who were found before and are to be corrected."""

    @property
    def input(self) -> Path:
        """Folder of all that the backend is given."""
        return input_folder(self.out, self.task)

    @property
    def plate(self) -> Path:
        """Folder of the rendered frames."""
        return self.input / "plate"

    @property
    def masks(self) -> Path:
        """Folder with one folder of masks per person; only some frames of them, when people are looked for."""
        return self.input / ("masks" if self.task == Task.DECOMPOSE else "hints")

    def request(self) -> DecomposeRequest:
        """What the backend is asked for once everything is prepared."""
        hinted = self.task == Task.PEOPLE and bool(self.people)
        masks = str(self.found or "") if self.task == Task.PEOPLE else str(self.masks)
        hints = str(self.masks) if hinted else ""
        return DecomposeRequest(
            str(self.plate), str(self.out), masks, settings=self.settings, task=self.task, hints=hints
        )


@dataclass(frozen=True)
class Step:
    """How far the preparation is: its stage in words, and how much of it is done (0..1)."""

    stage: str
    fraction: float


def plan_shot(
    scene: bpy.types.Scene,
    strip: bpy.types.Strip,
    people: tuple[PersonMasks, ...],
    out: Path,
    settings: DecomposeSettings,
    depths: Mapping[str, str] = MappingProxyType({}),
) -> ShotPlan:
    """See that a strip can be decomposed and plan how, without writing anything.

    Raises:
        ShotError: with the sentence on what is wrong and what to do.
    """
    source = source_of(scene, strip)
    frames, length = media_frames(strip), media_length(strip)
    check_people(people, source, frames, length)
    try:
        check_settings(settings)
    except InvalidSetting as error:
        raise ShotError(f"{error}.") from error
    return ShotPlan(source, frames, length, people, unused_folder(out), settings, depths=tuple(depths.items()))


def plan_search(
    scene: bpy.types.Scene,
    strip: bpy.types.Strip,
    out: Path,
    settings: DecomposeSettings,
    drawn: tuple[PersonMasks, ...] = (),
    found: Path | None = None,
) -> ShotPlan:
    """See that people can be looked for in a strip and plan how, without writing anything; all its frames are used.

    Args:
        scene: where the strip is.
        strip: what to look in.
        out: folder for the masks.
        settings: the choices.
        drawn: people who were drawn on some frames, to be carried through the shot.
        found: folder of those who were found before, whom the drawings correct; None to begin anew.

    Raises:
        ShotError: with the sentence on what is wrong and what to do.
    """
    source = source_of(scene, strip)
    everything = replace(settings, first_frame=0, last_frame=0)
    # A folder further down, because what is given to the backend lies beside what is found.
    folder = unused_folder(out) / PEOPLE
    return ShotPlan(source, (), 0, drawn, folder, everything, Task.PEOPLE.value, found=found)


def prepare(plan: ShotPlan) -> Iterator[Step]:
    """Write the frames and masks of a shot, one picture a step.

    Raises:
        ShotError: when a picture can't be made or written.
    """
    try:
        for fraction in render_plate(plan.source, plan.plate):
            yield Step("Rendering Frames", fraction)
        for person in plan.people:
            masks = plan.masks / person.name
            for fraction in write_masks(person, plan.source, plan.source_frames, plan.media_length, masks):
                yield Step(f"Preparing Masks of {person.name}", fraction)
        write_depths(plan.masks, dict(plan.depths))
        _write_request(plan)
    except OSError as error:
        raise ShotError(f"{plan.out} can't be written: {error.strerror}; choose another layers folder.") from error
    finally:
        remove_scratch()


def input_folder(out: Path, task: str) -> Path:
    """Where all lies that the backend is given for a job: in its folder, or beside it where that must be empty."""
    return (out.parent if task == Task.PEOPLE else out) / INPUT


def has_request(out: Path, task: str) -> bool:
    """True when a shot was prepared to the end, for a job that writes to this folder."""
    return (input_folder(out, task) / REQUEST).is_file()


def read_request(out: Path, task: str) -> DecomposeRequest:
    """What the backend was, or was to be, asked for; raises ShotError when that can't be read."""
    try:
        return request_from_json(json.loads((input_folder(out, task) / REQUEST).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ShotError(f"What was prepared in {out} can't be used again; press Decompose.") from error


def _write_request(plan: ShotPlan) -> None:
    file = plan.input / REQUEST
    part = file.with_suffix(".part")
    part.write_text(json.dumps(to_json(plan.request())), encoding="utf-8")
    part.replace(file)


def unused_folder(folder: Path) -> Path:
    """The folder itself when nothing is in it, else the first free one of NAME-002, NAME-003 and so on."""
    number, candidate = 1, folder
    while candidate.exists() and (not candidate.is_dir() or any(candidate.iterdir())):
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number:03d}")
    return candidate


def default_folder(strip: bpy.types.Strip, user_folder: Path) -> Path:
    """Where layers go when the artist chose nothing: beside the .blend, or in the user's folder while unsaved."""
    name = bpy.path.clean_name(strip.name, replace="_")
    if bpy.data.filepath:
        return Path(bpy.path.abspath("//")) / "retime_people" / name
    return user_folder / name
