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

from mouse import click, do, press_frame, press_person, press_strip, rest, type_text
from opening import EXAMPLE, FINDER, LONG_ENOUGH, add_clip, attach_backend, open_tab
from steps import MODULE, ROOT, Steps, over, run, scene, shot, timeline

PICTURES = Path(os.environ.get("GUI_PICTURES") or ROOT / "docs" / "pictures" / "guide")
NAMES = ("Anna", "Bruno") if FINDER else ("anna", "bruno")
PATIENCE = 1800
"""Seconds that a job may take."""


def tour() -> Steps:
    """Every step an artist takes, with a picture after it."""
    yield from open_tab()
    shot(PICTURES / "01_start.png")
    add_clip()
    yield LONG_ENOUGH
    yield from press_strip("clip")
    shot(PICTURES / "02_strip.png")
    yield from click("install_backend")
    shot(PICTURES / "03_install.png")
    do("key", "Escape")
    yield LONG_ENOUGH
    attach_backend()
    yield 1.5
    yield from (find_people() if FINDER else add_masks())
    rest()
    yield LONG_ENOUGH
    shot(PICTURES / "05_people.png")
    yield from click("preset")
    yield from click("decompose")
    yield from wait_for_job("06_progress.png", is_pictured)
    yield LONG_ENOUGH
    shot(PICTURES / "07_layers.png")
    yield from retime()
    yield from render()


def find_people() -> Steps:
    """The list is filled by the backend; names are given by hand."""
    yield from click("find_people")
    yield from wait_for_job("04_finding.png", lambda job: bool(job.job_id) and job.fraction > 0.2)
    yield LONG_ENOUGH
    for number, name in enumerate(NAMES):
        yield from press_person(number, times=2)
        yield from type_text(name)


def add_masks() -> Steps:
    """What the file browser does once a folder was chosen."""
    with over(timeline(), "UI"):
        bpy.ops.retime_people.add_masks_folder("EXEC_DEFAULT", directory=str(EXAMPLE / "masks"))
    yield LONG_ENOUGH


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
    yield from press_strip(NAMES[0])
    yield from press_frame(26)
    yield from click("behind=False")
    yield LONG_ENOUGH
    shot(PICTURES / "11_in_front.png")


def render() -> Steps:
    """The film, written beside the layers; its last picture stays in the preview."""
    edit = scene()
    folder = Path(tempfile.mkdtemp(prefix="retime-people-film-"))
    edit.render.filepath = str(folder / "film-")
    bpy.context.preferences.view.render_display_type = "NONE"
    options = {"use_sequencer_scene": True} if bpy.app.version >= (5, 0, 0) else {}
    with over(timeline()):
        bpy.ops.render.render("INVOKE_DEFAULT", animation=True, **options)
    yield 1.0
    while bpy.app.is_job_running("RENDER"):
        yield 0.5
    if not any(folder.iterdir()):
        raise RuntimeError("Nothing was rendered")
    yield from press_frame(20)
    yield LONG_ENOUGH
    shot(PICTURES / "12_rendered.png")


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
