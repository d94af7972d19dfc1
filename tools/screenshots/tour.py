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
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from film import render_film
from mouse import (
    choose_file,
    choose_folder,
    click,
    click_around,
    do,
    drag,
    press_frame,
    press_key,
    press_person,
    press_strip,
    rest,
    type_text,
)
from opening import EXAMPLE, FINDER, LONG_ENOUGH, PYTHON, open_tab, view_all
from steps import MODULE, ROOT, Steps, over, run, scene, shot, timeline, window

PICTURES = Path(os.environ.get("GUI_PICTURES") or ROOT / "docs" / "pictures" / "guide")
NAMES = ("Anna", "Bruno") if FINDER else ("anna", "bruno")
DRAFT = os.environ.get("GUI_DRAFT", "1") == "1"
"""Whether the layers are drafts."""
TRAINED = 200
"""Seconds of training otherwise."""
FRAMES = 40
"""Of the example clip."""
TOP = 255
"""Where the sequencer is made to begin, from the upper edge of the window, so that the panel has room."""
OUTLINE = (
    *((0.319, 0.758), (0.346, 0.727), (0.353, 0.641), (0.357, 0.453), (0.368, 0.266)),
    *((0.279, 0.258), (0.295, 0.414), (0.277, 0.531), (0.277, 0.648)),
)
"""Around Anna on frame 5."""
PICTURED = 20
"""So many looks at a job for each picture of it."""
PATIENCE = 1800
"""Seconds that a job may take."""


def tour() -> Steps:
    """Every step an artist takes, with a picture after it."""
    folder = Path(tempfile.mkdtemp(prefix="retime-people-tour-"))
    yield from open_tab()
    yield from drag((800, top_of_timeline()), (800, TOP))
    rest()
    view_all()
    yield LONG_ENOUGH
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
    yield from draw()
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
    """Add Movie, and the file."""
    yield from click("movie_strip_add")
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
    people = sorted(scene().retime_people.people, key=place_across)
    for found, name in zip([person.name for person in people], NAMES, strict=True):
        yield from press_person(found, times=2)
        yield from type_text(name)


def place_across(person: Any) -> float:
    """Where in the width of the first frame a person was found, to tell who is who."""
    image = bpy.data.images.load(str(min(Path(person.folder).glob("*.png"))))
    shown = np.array(image.pixels).reshape(image.size[1], image.size[0], -1)[..., 0].sum(axis=0)
    bpy.data.images.remove(image)
    return float(shown @ np.arange(len(shown)) / shown.sum())


def add_masks() -> Steps:
    """The folder with a folder of masks for each person."""
    yield from click("add_masks_folder")
    yield from choose_folder(EXAMPLE / "masks")


def draw() -> Steps:
    """One person is drawn on one frame, which then is forgotten again."""
    yield from press_person(NAMES[0])
    yield from press_frame(5)
    yield from click("draw_mask")
    yield 2 * LONG_ENOUGH
    yield from click_around(OUTLINE)
    yield from click("take_drawn", among="IMAGE_EDITOR")
    yield LONG_ENOUGH
    shot(PICTURES / "13_drawing.png")
    yield from click("window_close", among="IMAGE_EDITOR")
    yield from click("clear=True")
    yield from press_frame(1)


def top_of_timeline() -> int:
    """Where the sequencer ends upwards, from the upper edge of the window."""
    return window().height - timeline().y - timeline().height


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
    """Until the newest job is over, with a picture on the way, while there is something to see."""
    for turn in range(PATIENCE * 2):
        yield 0.5
        job = scene().retime_people.jobs[-1]
        # The last one stays, which tells most.
        if turn % PICTURED == 0 and is_telling(job):
            shot(PICTURES / picture)
        if job.loaded:
            return
        if job.state in ("failed", "cancelled"):
            raise RuntimeError(f"The job did not end well: {job.message}")
    raise RuntimeError("The job took too long")


def is_pictured(job: Any) -> bool:
    """True while a preview of the layers is shown, or late enough where nothing is trained."""
    icon_of = sys.modules[f"{MODULE}.preview_picture"].icon_of
    return job.stage == "Writing" if DRAFT else job.stage == "Training" and bool(icon_of(job.out))


if __name__ == "__main__":
    run(tour)
