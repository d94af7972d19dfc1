"""From a plate to a folder of masks: who is in the shot, and where."""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from backend.core.color import Floats
from backend.errors import InputError, PeopleError, SettingError
from backend.media.files import writing
from backend.media.people_info import PEOPLE_NAME, PeopleInfo, Person
from backend.media.plates import Plate, open_plate
from backend.people.correction import CORRECTING, correct_people
from backend.people.hints import drawn_files, read_hints
from backend.people.motion import Found, Hints, Stages, find_by_motion
from backend.people.neural import find_by_network, load_networks
from backend.people.result import UNFINISHED, Sighting, person_of, sight, write_result
from backend.people.scene import Scene, read_scene, work_size
from backend.people.weights import have_weights, weights_folder
from backend.protocol import DecomposeRequest, DecomposeSettings, Event, InvalidSetting, check_settings
from backend.stages.progress import Progress
from backend.train.device import choose_device

READING, LOOKING, TRACKING, FOLLOWING, WRITING = (
    "Reading",
    "Looking for People",
    "Tracking People",
    "Outlining People",
    "Writing Masks",
)
_SHARES = {READING: 0.03, LOOKING: 0.05, TRACKING: 0.07, FOLLOWING: 0.82, WRITING: 0.03}
WORK_FOLDER = ".people"
_ADVICE = "Draw a rough mask of each person on one frame and give them as hints, or give masks"

Report = Callable[[Event], None]


@dataclass(frozen=True)
class Finder:
    """One way to find people."""

    name: str
    find: Callable[[Scene, Hints, Path, Stages], Found | None]


def find_people(request: DecomposeRequest, report: Report, cancelled: Callable[[], bool]) -> Path:
    """Find the people of a plate, or carry those hinted through it; masks and list go to ``request.out``.

    With ``request.masks``, what was found before, the hints correct that.
    All input is checked before anything is written. What is finished already is left alone with ``request.resume``.

    Returns:
        The path of the finished ``people.json``.

    Raises:
        PlateError, MaskError, SettingError: the plate, the hints or a setting are not as they must be.
        PeopleError: nobody was found.
        Cancelled, OutputError: see there.
    """
    out = Path(request.out)
    try:
        settings = check_settings(request.settings)
    except InvalidSetting as error:
        raise SettingError(str(error)) from error
    if request.resume and (out / PEOPLE_NAME).exists():
        return out / PEOPLE_NAME
    plate = open_plate(Path(request.plate), settings.first_frame, settings.last_frame)
    check_people_folder(out)
    hints = _hints(request, plate)
    choose_finder(settings.finder)
    if request.masks and not hints:
        raise InputError("There is nothing to correct by", "Give hints: a true mask NAME/0012.png for frame 12")
    made = not out.exists()
    work = out / WORK_FOLDER
    try:
        with writing(work):
            work.mkdir(parents=True, exist_ok=True)
        if request.masks:
            progress = Progress(report, cancelled, CORRECTING, "Correcting people was cancelled", "Start it again")
            return correct_people(plate, Path(request.masks), Path(request.hints), out, progress)
        progress = Progress(report, cancelled, _SHARES, "Finding people was cancelled", "Start it again")
        find = _finder(settings)
        return _found(plate, find, hints, _drawn(request, plate), out, progress)
    except BaseException:
        _clear(out, made)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def choose_finder(wanted: str) -> str:
    """The finder to use, ``motion`` or ``neural``; raises SettingError when the one wanted can't be used here."""
    folder = weights_folder()
    ready = have_weights(folder) and importlib.util.find_spec("transformers") is not None
    if wanted == "neural" and not ready:
        raise SettingError(
            f"The neural finder is not available here: its weights or its library are missing ({folder})",
            "Use the motion finder, or see docs/guide/people.md",
        )
    return "neural" if ready and wanted != "motion" else "motion"


def check_people_folder(out: Path) -> None:
    """Make sure that nothing in the way is overwritten but what a killed search has left; raises InputError."""
    with writing(out):
        if out.exists() and not out.is_dir():
            raise InputError(f"{out} is a file", "Choose a new folder or an empty one")
        names = {path.name for path in out.iterdir()} if out.is_dir() else set()
        killed = UNFINISHED in names and PEOPLE_NAME not in names
        if names - {WORK_FOLDER} and not killed:
            raise InputError(f"{out} is not empty", "Choose a new folder or an empty one")


def _clear(out: Path, made: bool) -> None:
    """Take away what an unfinished search has left; the folder itself only when it was made for it."""
    if not (out / PEOPLE_NAME).exists() and out.is_dir():
        for path in out.iterdir():
            shutil.rmtree(path, ignore_errors=True)
        if made:
            shutil.rmtree(out, ignore_errors=True)


def _hints(request: DecomposeRequest, plate: Plate) -> dict[str, dict[int, Floats]]:
    if not request.hints:
        return {}
    return read_hints(Path(request.hints), plate.info, work_size(plate.info))


def _drawn(request: DecomposeRequest, plate: Plate) -> Mapping[str, Mapping[int, Path]]:
    return drawn_files(Path(request.hints), plate.info) if request.hints else {}


def _finder(settings: DecomposeSettings) -> Finder:
    """The finder of the settings, its networks loaded."""
    name = choose_finder(settings.finder)
    if name == "motion":
        return Finder(name, find_by_motion)
    networks = load_networks(weights_folder(), choose_device(settings.device))
    return Finder(name, lambda scene, hints, work, stages: find_by_network(scene, hints, networks, work, stages))


def _found(
    plate: Plate,
    finder: Finder,
    hints: Mapping[str, Mapping[int, Floats]],
    drawn: Mapping[str, Mapping[int, Path]],
    out: Path,
    progress: Progress,
) -> Path:
    began = time.monotonic()
    work = out / WORK_FOLDER
    scene = read_scene(plate, work, partial(progress.tell, READING), progress.say)
    stages = Stages(*(partial(progress.tell, stage) for stage in (LOOKING, TRACKING, FOLLOWING)))
    found = finder.find(scene, dict(enumerate(hints.values())), work, stages)
    if found is None:
        raise PeopleError(f"Nobody was found in {plate.info.path}", _ADVICE)
    sightings = [sight(scene, found.masks, person) for person in range(found.masks.shape[3])]
    info, columns, thumbs = _listed(plate, finder.name, list(hints), found, sightings)
    told = partial(progress.tell, WRITING)
    path = write_result(out, plate, found.masks, info, columns, thumbs, drawn, told)
    names = ", ".join(f"{p.name} (stands still)" if p.static else p.name for p in info.people)
    progress.say(f"Found {names} in {time.monotonic() - began:.0f} s")
    return path


def _listed(
    plate: Plate, finder: str, names: list[str], found: Found, sightings: list[Sighting | None]
) -> tuple[PeopleInfo, list[int], list[int]]:
    """The list of people, from left to right as they come, with their numbers in the masks and their best frames."""
    people: list[Person] = []
    columns: list[int] = []
    thumbs: list[int] = []
    for column, seen in enumerate(sightings):
        if seen is None:
            continue
        name = names[column] if names else f"Person {len(people) + 1}"
        confidence = 1.0 if names else _confidence(found, column)
        person = person_of(name, len(people), seen, plate.info.first_frame, confidence, bool(names))
        people.append(person)
        columns.append(column)
        thumbs.append(seen.best)
    if not people:
        raise PeopleError(f"Nobody was found in {plate.info.path}", _ADVICE)
    info = plate.info
    return (
        PeopleInfo(str(info.path), info.width, info.height, info.first_frame, info.frames, finder, tuple(people)),
        columns,
        thumbs,
    )


def _confidence(found: Found, column: int) -> float:
    """0..1 from how surely and how often the detector saw the person."""
    track = found.tracks[column]
    return float(1 - np.exp(-track.best * (0.5 + len(track.hits) / len(track.figures))))
