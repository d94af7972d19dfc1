"""Decompose, load, throw away, again and again in one Blender, and what that leaves behind."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path

import bpy
from pictures import add_clip

COLLECTIONS = ("scenes", "images", "sounds", "movieclips", "masks", "node_groups", "actions", "texts", "meshes")


def clean_up(out: Path) -> None:
    """Take the layers, the source, the job and the files away, as an artist does who begins anew."""
    scene = bpy.context.scene
    editor = scene.sequence_editor
    for strip in list(editor.strips):
        editor.strips.remove(strip)
    assert bpy.ops.retime_people.dismiss() == {"FINISHED"}
    shutil.rmtree(out)


def cycle(plate: Path, out: Path, masks: str) -> None:
    """One shot from the strip to the layers and away again."""
    strip = add_clip(bpy.context.scene, plate, start=11)
    bpy.context.scene.sequence_editor.active_strip = strip
    assert bpy.ops.retime_people.decompose(out=str(out), masks=masks) == {"FINISHED"}
    assert len(bpy.context.scene.sequence_editor.strips_all) > 3
    clean_up(out)


def census(runtime_dir: Path) -> dict[str, object]:
    """Everything of which there must not be more afterwards."""
    handlers = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    editor = bpy.context.scene.sequence_editor
    return {
        "strips": len(editor.strips_all) if editor else 0,
        "jobs": len(bpy.context.scene.retime_people.jobs),
        "data": {name: len(getattr(bpy.data, name)) for name in COLLECTIONS},
        "handlers": {name: len(found) for name, found in handlers.items() if isinstance(found, list)},
        "threads": sorted(thread.name.split("-")[0] for thread in threading.enumerate()),
        "files": sorted(str(path) for path in runtime_dir.rglob("*")),
        "descriptors": open_files(),
    }


def open_files() -> int:
    """Open files and sockets of this process; 0 where the system does not tell."""
    return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208


def memory() -> int:
    """Bytes in memory now; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
