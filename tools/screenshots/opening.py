"""How a window is made ready: the extension enabled, its tab shown, the example clip there, a backend attached."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import bpy
from mouse import rest
from steps import MODULE, ROOT, Steps, enable_addon, over, scene, timeline

PYTHON = os.environ.get("GUI_BACKEND_PYTHON") or str(ROOT / ".venv" / "bin" / "python")
EXAMPLE = ROOT / "examples" / "plaza"
FINDER = os.environ.get("GUI_FINDER", "1") == "1"
"""Whether people are found by the backend; 0 takes the masks of the example, which is quicker."""
SIZE = (448, 256)
"""Width and height of the example clip."""
LONG_ENOUGH = 0.8


def open_tab() -> Steps:
    """The extension enabled, and its tab shown."""
    enable_addon()
    # In the window itself, where it can be pictured.
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    edit = scene()
    edit.render.resolution_x, edit.render.resolution_y, edit.render.fps = *SIZE, 24
    edit.view_settings.view_transform = "Standard"
    yield 0.5
    area = timeline()
    area.spaces.active.show_region_ui = True
    # Where the files lie on the computer of whoever makes the pictures is nobody's concern.
    area.spaces.active.timeline_overlay.show_strip_source = False
    # The guide speaks of frames.
    area.spaces.active.show_seconds = False
    yield 0.5
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Retime"
    rest()
    yield LONG_ENOUGH


def attach_backend() -> None:
    """What the preferences ask for, and a folder for the layers that is nobody's, without a mouse."""
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.backend_python, preferences.backend_folder = PYTHON, str(ROOT)
    scene().retime_people.out = str(Path(tempfile.mkdtemp(prefix="retime-people-layers-")) / "clip")


def add_clip() -> None:
    """The example clip, without a mouse."""
    edit = scene()
    editor = edit.sequence_editor_create()
    strip = editor.strips.new_movie("clip", str(EXAMPLE / "clip.mp4"), 1, 1)
    edit.frame_end = int(strip.frame_final_duration)
    strip.select = False
    view_all()


def view_all() -> None:
    """Show the whole of the timeline and of the picture."""
    for area in bpy.context.window_manager.windows[0].screen.areas:
        if area.type == "SEQUENCE_EDITOR":
            with over(area):
                bpy.ops.sequencer.view_all() if area == timeline() else bpy.ops.sequencer.view_all_preview()
