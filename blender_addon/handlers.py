"""What follows the artist's own actions: loading a file, editing by hand, saving, rendering."""

from __future__ import annotations

import threading
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from .camera_follow import follow_cameras
from .lost_layers import look_for_layers
from .people_list import refresh
from .strips import layer_strips


@persistent
def _after_edit(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """A strip may have been moved or retimed by hand."""
    if _is_main_thread() and depsgraph.id_type_updated("SCENE"):
        original = bpy.data.scenes.get(scene.name) or scene
        refresh(original)
        if not _is_dragging():
            follow_cameras(original)


@persistent
def _refresh_all(*_: object) -> None:
    """See to every scene, where it is not known which one changed."""
    look_for_layers()
    for scene in bpy.data.scenes:
        refresh(scene)
        follow_cameras(scene)


@persistent
def _before_render(*_: object) -> None:
    """A script's changes may not have been told by anything else."""
    if _is_main_thread():
        _refresh_all()


def _is_main_thread() -> bool:
    """False while Blender renders beside its window: nothing may be changed from there."""
    return threading.current_thread() is threading.main_thread()


def _is_dragging() -> bool:
    """True while strips or keys hang on the mouse; what they belong to is seen to when they are let go."""
    return any(len(window.modal_operators) for window in bpy.context.window_manager.windows)


@persistent
def _make_paths_relative(filepath: str = "", *_: object) -> None:
    """Let the layers be found again when the folder of the .blend moves, if the artist's preferences say so."""
    if not filepath or not bpy.context.preferences.filepaths.use_relative_paths:
        return
    home = Path(filepath).parent
    for strip in (strip for scene in bpy.data.scenes for strip in layer_strips(scene)):
        if strip.directory.startswith("//"):
            continue
        try:
            strip.directory = bpy.path.relpath(strip.directory, start=str(home))
        except ValueError:
            # On another drive, where no relative path leads.
            continue


HANDLERS = (
    ("depsgraph_update_post", _after_edit),
    ("undo_post", _refresh_all),
    ("redo_post", _refresh_all),
    ("load_post", _refresh_all),
    ("render_init", _before_render),
    ("save_pre", _make_paths_relative),
)


def register() -> None:
    """Hook into Blender's application handlers."""
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    """Let go of Blender's application handlers."""
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
