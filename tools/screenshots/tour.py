"""The pictures of the artists' guide: from an empty file to a retimed film, by a real mouse, on the example clip.

    blender --factory-startup --app-template Video_Editing --window-geometry 0 0 1600 900 --python THIS_FILE

The pictures go to docs/pictures/guide, or to the folder in the environment variable GUI_PICTURES. Needs the program
xdotool, and a screen that nobody else uses meanwhile.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))

from film import render_film
from mouse import (
    choose_file,
    choose_folder,
    click,
    do,
    press_frame,
    press_key,
    press_person,
    press_strip,
    rest,
    type_text,
)
from opening import EXAMPLE, FINDER, LONG_ENOUGH, PYTHON, open_tab, view_all
from steps import MODULE, ROOT, Steps, over, run, scene, shot, timeline

PICTURES = Path(os.environ.get("GUI_PICTURES") or ROOT / "docs" / "pictures" / "guide")
NAMES = ("Anna", "Bruno") if FINDER else ("anna", "bruno")
DRAFT = os.environ.get("GUI_DRAFT", "0") == "1"
"""Whether the layers are drafts, of which there is no preview while they are made."""
TRAINED = 60
"""Seconds of training otherwise."""
FRAMES = 40
"""Of the example clip."""
PATIENCE = 1800
"""Seconds that a job may take."""


def tour() -> Steps:
    """Every step an artist takes, with a picture after it."""
    folder = Path(tempfile.mkdtemp(prefix="retime-people-tour-"))
    yield from open_tab()
    shot(PICTURES / "01_start.png")
    yield from add_movie(EXAMPLE / "clip.mp4")
    shot(PICTURES / "02_strip.png")
    yield from click("install_backend")
    shot(PICTURES / "03_install.png")
    do("key", "Escape")
    yield LONG_ENOUGH
    yield from click("attach_backend")
    yield from choose_file(Path(PYTHON))
    yield from press_key("ctrl+s")
    yield from choose_file(folder / "edit.blend")
    yield from (find_people() if FINDER else add_masks())
    rest()
    yield LONG_ENOUGH
    shot(PICTURES / "05_people.png")
    if DRAFT:
        yield from click("preset")
    else:
        # Enough to see what is learned.
        scene().retime_people.settings.max_seconds = TRAINED
    yield from click("decompose")
    yield from wait_for_job("06_progress.png", is_pictured)
    yield LONG_ENOUGH
    shot(PICTURES / "07_layers.png")
    yield from retime()
    yield from render_film(folder / "film", FRAMES, PICTURES / "12_rendered.png")


def add_movie(file: Path) -> Steps:
    """Add, Movie, and the file."""
    last = bpy.context.window_manager.operator_properties_last("sequencer.movie_strip_add")
    if last is not None and "move_strips" in last.bl_rna.properties:
        # Else the new strip would hang on the mouse, instead of beginning at the playhead.
        last.move_strips = False
    yield from press_key("shift+a")
    do("type", "movie")
    yield LONG_ENOUGH
    do("key", "Return")
    yield from choose_file(file)
    scene().frame_end = FRAMES
    view_all()
    rest()
    yield LONG_ENOUGH


def find_people() -> Steps:
    """The list is filled by the backend; names are given by hand."""
    yield from click("find_people")
    yield from wait_for_job("04_finding.png", lambda job: bool(job.job_id) and job.fraction > 0.2)
    yield LONG_ENOUGH
    for number, name in enumerate(NAMES):
        yield from press_person(number, times=2)
        yield from type_text(name)


def add_masks() -> Steps:
    """The folder with a folder of masks for each person."""
    yield from click("add_masks_folder")
    yield from choose_folder(EXAMPLE / "masks")


def retime() -> Steps:
    """One person waits, the other one is late."""
    with over(timeline()):
        bpy.ops.sequencer.view_all()
    yield LONG_ENOUGH
    yield from press_strip(NAMES[0])
    yield from press_frame(12)
    shot(PICTURES / "08_person.png")
    yield from click("retime_people.freeze")
    yield LONG_ENOUGH
    shot(PICTURES / "09_frozen.png")
    yield from press_strip(NAMES[1])
    yield from click("retime_people.offset")
    yield LONG_ENOUGH
    shot(PICTURES / "10_offset.png")
    strips = scene().sequence_editor.strips_all
    yield from press_strip(min(NAMES, key=lambda name: strips[name].channel))
    yield from press_frame(26)
    yield from click("behind=False")
    yield LONG_ENOUGH
    shot(PICTURES / "11_in_front.png")


def wait_for_job(picture: str, is_telling: Callable[[Any], bool]) -> Steps:
    """Until the newest job is over, with one picture on the way, once there is something to see."""
    taken = False
    for _ in range(PATIENCE * 2):
        yield 0.5
        job = scene().retime_people.jobs[-1]
        if not taken and is_telling(job):
            shot(PICTURES / picture)
            taken = True
        if job.loaded:
            return
        if job.state in ("failed", "cancelled"):
            raise RuntimeError(f"The job did not end well: {job.message}")
    raise RuntimeError("The job took too long")


def is_pictured(job: Any) -> bool:
    """True once a preview of the layers is shown, or late enough where nothing is trained."""
    icon_of = sys.modules[f"{MODULE}.preview_picture"].icon_of
    return job.fraction > 0.3 and (bool(icon_of(job.out)) or job.stage == "Writing")


run(tour)
