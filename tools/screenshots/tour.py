"""The pictures of the artists' guide: from an empty file to a retimed film, in a window, on the example clip.

    blender --factory-startup --app-template Video_Editing --window-geometry 0 0 1600 900 --python THIS_FILE

The pictures go to docs/pictures/guide, or to the folder in the environment variable GUI_PICTURES.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))

from steps import MODULE, ROOT, Steps, click_strip, enable_addon, over, press, run, scene, shot, timeline

PICTURES = Path(os.environ.get("GUI_PICTURES") or ROOT / "docs" / "pictures" / "guide")
PYTHON = os.environ.get("GUI_BACKEND_PYTHON") or str(ROOT / ".venv" / "bin" / "python")
PRESET = os.environ.get("GUI_PRESET") or "draft"
EXAMPLE = ROOT / "examples" / "plaza"
FINDER = os.environ.get("GUI_FINDER") == "1"
"""Whether people are found by the backend, which takes longer than to take the masks of the example."""
PATIENCE = 600
LONG_ENOUGH = 0.8


def tour() -> Steps:
    """Every step an artist takes, with a picture after it."""
    enable_addon()
    yield 0.5
    area = timeline()
    area.spaces.active.show_region_ui = True
    # Where the files lie on the computer of whoever makes the pictures is nobody's concern.
    area.spaces.active.timeline_overlay.show_strip_source = False
    yield 0.5
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Retime"
    yield LONG_ENOUGH
    shot(PICTURES / "01_start.png")
    add_clip()
    yield LONG_ENOUGH
    shot(PICTURES / "02_strip.png")
    if shutil.which("xdotool"):
        press("install_backend")
        yield LONG_ENOUGH
        shot(PICTURES / "03_install.png")
        escape()
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.backend_python, preferences.backend_folder = PYTHON, str(ROOT)
    scene().retime_people.settings.preset = PRESET
    scene().retime_people.out = str(Path(tempfile.mkdtemp(prefix="retime-people-layers-")) / "clip")
    yield 1.5
    if FINDER:
        press("find_people")
        yield from wait_for_job("04_finding.png")
    else:
        add_masks()
    yield LONG_ENOUGH
    shot(PICTURES / "05_people.png")
    press("decompose")
    yield from wait_for_job("06_progress.png")
    yield LONG_ENOUGH
    shot(PICTURES / "07_layers.png")
    yield from retime()


def retime() -> Steps:
    """One person waits, the other one is late."""
    names = [person.name for person in scene().retime_people.people]
    with over(timeline()):
        bpy.ops.sequencer.view_all()
    click_strip(names[0])
    scene().frame_set(12)
    yield LONG_ENOUGH
    shot(PICTURES / "08_person.png")
    press("freeze", duration=12)
    yield LONG_ENOUGH
    shot(PICTURES / "09_frozen.png")
    click_strip(names[1])
    press("offset", frames=8)
    press("mark_moment")
    yield LONG_ENOUGH
    shot(PICTURES / "10_offset.png")
    click_strip(names[0])
    press("set_order", **{"from": 14, "to": 26})
    yield LONG_ENOUGH
    shot(PICTURES / "11_in_front.png")


def wait_for_job(picture: str) -> Steps:
    """Until the newest job is over, with one picture on the way."""
    job = None
    for number in range(PATIENCE * 2):
        yield 0.5
        job = scene().retime_people.jobs[-1]
        if number == 12:
            shot(PICTURES / picture)
        if job.loaded:
            return
        if job.state in ("failed", "cancelled"):
            break
    raise RuntimeError(f"The job did not end well: {job and job.message}")


def escape() -> None:
    """Press Escape, as only a program outside can."""
    subprocess.run(["xdotool", "key", "Escape"], check=True, timeout=10)


def add_clip() -> None:
    """The example clip, in a scene of its size."""
    edit = scene()
    edit.render.resolution_x, edit.render.resolution_y, edit.render.fps = 448, 256, 24
    edit.view_settings.view_transform = "Standard"
    editor = edit.sequence_editor_create()
    strip = editor.strips.new_movie("clip", str(EXAMPLE / "clip.mp4"), 1, 1)
    edit.frame_end = int(strip.frame_final_duration)
    click_strip("clip")
    with over(timeline()):
        bpy.ops.sequencer.view_all()


def add_masks() -> None:
    """What the file browser does once a folder was chosen."""
    with over(timeline(), "UI"):
        bpy.ops.retime_people.add_masks_folder("EXEC_DEFAULT", directory=str(EXAMPLE / "masks"))


run(tour)
