"""A script of steps for a Blender with a window: between two steps Blender draws, listens and lets timers run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import bpy

ROOT = Path(__file__).resolve().parents[2]
MODULE = "bl_ext.dev.retime_people"

Steps = Generator[float, None, None]


def run(script: Callable[[], Steps]) -> None:
    """Do one step, wait for the seconds that it yields, do the next; then end Blender, with status 3 after an error."""
    steps = script()

    def tick() -> float | None:
        try:
            return next(steps)
        except StopIteration:
            leave(0)
        except BaseException:  # noqa: BLE001  (the one place where errors of a tour end; Blender would go on without it)
            traceback.print_exc()
            leave(3)
        return None

    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(tick, first_interval=1.5, persistent=True)


def leave(status: int) -> None:
    """End Blender without any question; the backend, if ours, ends with the extension."""
    bpy.ops.preferences.addon_disable(module=MODULE)
    sys.stdout.flush()
    os._exit(status)


def enable_addon() -> None:
    """The extension from the working copy, under its true name."""
    folder = Path(tempfile.mkdtemp(prefix="retime-people-screenshots-"))
    (folder / "retime_people").symlink_to(ROOT / "blender_addon", target_is_directory=True)
    bpy.context.preferences.extensions.repos.new(
        name="Dev", module="dev", custom_directory=str(folder), remote_url="", source="USER"
    )
    bpy.ops.preferences.addon_enable(module=MODULE)


def window() -> bpy.types.Window:
    """The one window."""
    return bpy.context.window_manager.windows[0]


def window_with(area: bpy.types.Area) -> bpy.types.Window:
    """The window in which an area is."""
    windows = bpy.context.window_manager.windows
    return next(window for window in windows if any(other == area for other in window.screen.areas))


def timeline() -> bpy.types.Area:
    """The sequencer that shows strips."""
    return next(
        area
        for area in window().screen.areas
        if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type != "PREVIEW"
    )


def scene() -> bpy.types.Scene:
    """The scene that is edited."""
    return getattr(window().workspace, "sequencer_scene", None) or window().scene


def over(area: bpy.types.Area, region: str = "WINDOW") -> Any:
    """The context in which a click into this area would act."""
    found = next(r for r in area.regions if r.type == region)
    around = window_with(area)
    return bpy.context.temp_override(window=around, screen=around.screen, area=area, region=found)


def shot(path: Path) -> None:
    """The whole window as it is on the screen, as a PNG, by the program import of ImageMagick."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = f"{window().width}x{window().height}+0+0"
    command = ["import", "-silent", "-window", "root", "-crop", frame, "+repage", str(path)]
    subprocess.run(command, check=True, timeout=60)
