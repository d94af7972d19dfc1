"""What a report of a fault has to tell, in lines of text, without names of the user and without secrets."""

from __future__ import annotations

import platform
from pathlib import Path

import bpy

from .backend_process import read_runtime_info
from .compat import BLENDER, shown_scenes
from .preferences import user_folder
from .protocol import FORMAT, VERSION
from .pump import session
from .strips import layer_strips, people

LOG_LINES = 30


def diagnostics(context: bpy.types.Context) -> str:
    """All of it, to be pasted."""
    current = session()
    lines = [
        f"Retime People {VERSION}, layer format {FORMAT}",
        f"Blender {BLENDER}, Python {platform.python_version()}, {platform.platform()}",
        f"Backend: {current.backend.status.state}. {current.backend.status.sentence}",
        f"Listening backend: {_listening(current.backend.runtime_dir)}",
        f"Own environment: {current.installer.state}. {current.installer.message}",
        f"Folder: {user_folder('backend')}",
    ]
    for scene in shown_scenes(context.window_manager):
        lines += _about_scene(scene)
    for log in (current.backend.log, current.installer.log):
        lines += _tail(log)
    return _without_home("\n".join(lines))


def _about_scene(scene: bpy.types.Scene) -> list[str]:
    names = f"{len(people(scene))} people in {len(layer_strips(scene))} strips"
    space = scene.sequencer_colorspace_settings.name
    lines = [f"Scene: {names}, sequencer in {space}, {scene.render.resolution_x} x {scene.render.resolution_y}"]
    return lines + [
        f"Job {job.job_id or 'without a number'}: {job.state}, {job.stage}, loaded {job.loaded}. {job.message}"
        for job in scene.retime_people.jobs
    ]


def _listening(folder: Path) -> str:
    info = read_runtime_info(folder)
    return f"version {info.version}, process {info.pid}" if info else "none"


def _tail(log: Path) -> list[str]:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return [f"{log.name}: not there"]
    return [f"{log.name}, its last lines:", *(f"  {line}" for line in lines[-LOG_LINES:])]


def _without_home(text: str) -> str:
    return text.replace(str(Path.home()), "~")
