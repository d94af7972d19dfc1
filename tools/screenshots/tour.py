"""The pictures of the artists' guide: from an empty file to a retimed film, in a window, on the example clip.

    blender --factory-startup --app-template Video_Editing --window-geometry 0 0 1600 900 --python THIS_FILE

The pictures go to docs/pictures/guide, or to the folder in the environment variable GUI_PICTURES.
"""

from __future__ import annotations

import os
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
PATIENCE = 600
LONG_ENOUGH = 0.8


def tour() -> Steps:
    """Every step an artist takes, with a picture after it."""
    enable_addon()
    yield 0.5
    area = timeline()
    area.spaces.active.show_region_ui = True
    yield 0.5
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Retime"
    yield LONG_ENOUGH
    shot(PICTURES / "01_start.png")
    add_clip()
    yield LONG_ENOUGH
    shot(PICTURES / "02_strip.png")
    add_masks()
    yield LONG_ENOUGH
    shot(PICTURES / "03_backend_missing.png")
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.backend_python, preferences.backend_folder = PYTHON, str(ROOT)
    yield 1.5
    scene().retime_people.settings.preset = PRESET
    scene().retime_people.out = tempfile.mkdtemp(prefix="retime-people-layers-")
    yield LONG_ENOUGH
    shot(PICTURES / "04_decompose.png")
    press("decompose")
    yield from wait_for_layers()
    yield LONG_ENOUGH
    shot(PICTURES / "06_layers.png")
    yield from retime()


def retime() -> Steps:
    """One person waits, the other one is late."""
    with over(timeline()):
        bpy.ops.sequencer.view_all()
    click_strip("anna")
    scene().frame_set(12)
    yield LONG_ENOUGH
    shot(PICTURES / "07_person.png")
    press("freeze", duration=12)
    yield LONG_ENOUGH
    shot(PICTURES / "08_frozen.png")
    click_strip("bruno")
    press("offset", frames=8)
    press("mark_moment")
    yield LONG_ENOUGH
    shot(PICTURES / "09_offset.png")
    click_strip("anna")
    press("set_order", **{"from": 14, "to": 26})
    yield LONG_ENOUGH
    shot(PICTURES / "10_in_front.png")


def wait_for_layers() -> Steps:
    """Until the job is over, with one picture on the way."""
    job = None
    for number in range(PATIENCE * 2):
        yield 0.5
        job = scene().retime_people.jobs[-1]
        if number == 8:
            shot(PICTURES / "05_progress.png")
        if job.loaded:
            return
        if job.state in ("failed", "cancelled"):
            break
    raise RuntimeError(f"The layers did not come: {job and job.message}")


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
