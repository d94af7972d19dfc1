"""The film: rendered by the menu at the top of the window as an artist does it, then looked at, frame against frame."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import numpy.typing as npt
from mouse import do, press_at, press_frame
from steps import Steps, scene, shot

MENU, ANIMATION = (120, 13), (180, 56)
"""Where Render and Render Animation lie from the upper left corner, which no script can ask; at a scale of 1."""
BESIDE = (1130, 0)
"""Where the window with the film is put, so that it covers neither the preview nor the strips."""
FORMAT = "PNG"
PATIENCE = 600
"""Seconds that the film may take."""

LEFT, RIGHT = slice(0, 3 / 8), slice(1 / 2, 1)
"""The parts of the picture's width in which the two people are until they meet."""
FIRST_WAITS, OTHER_WAITS = (15, 22), (3, 9)
"""Two frames while the one person is frozen and the other one walks, and two while the other one has not begun."""
STILL, MOVED = 1.0, 3.0
"""Mean difference of two pictures, of 255, below which nobody has moved there, and above which somebody has."""


def render_film(folder: Path, frames: int, picture: Path) -> Steps:
    """Render, Render Animation; a picture of the window with the film; RuntimeError when it shows something else."""
    folder.mkdir()
    output = scene().render
    output.filepath = f"{folder}/"
    if hasattr(output.image_settings, "media_type"):
        output.image_settings.media_type = "IMAGE"
    output.image_settings.file_format = FORMAT
    # By the menu: desktops keep some keys for themselves, and xdotool presses Alt with F12 where that means the same.
    yield from press_at(*_scaled(MENU))
    yield from press_at(*_scaled(ANIMATION))
    yield from _rendered(folder, frames)
    check_film(folder)
    do("search", "--name", "Render", "windowmove", *BESIDE)
    yield from press_frame(20)
    yield 1.0
    shot(picture)


def check_film(folder: Path) -> None:
    """See that one person stands where frozen while the other one walks, and the other way round at the beginning."""
    for standing in (FIRST_WAITS, OTHER_WAITS):
        changes = [_change(folder, *standing, part) for part in (LEFT, RIGHT)]
        if not (min(changes) < STILL and max(changes) > MOVED):
            raise RuntimeError(f"From frame {standing[0]} to {standing[1]} of the film the sides change by {changes}")


def _rendered(folder: Path, frames: int) -> Steps:
    for _ in range(2 * PATIENCE):
        yield 0.5
        if len(list(folder.iterdir())) == frames and not bpy.app.is_job_running("RENDER"):
            return
    raise RuntimeError(f"Of {frames} frames {len(list(folder.iterdir()))} were rendered")


def _scaled(spot: tuple[int, int]) -> tuple[int, int]:
    scale = bpy.context.preferences.system.ui_scale
    return round(spot[0] * scale), round(spot[1] * scale)


def _change(folder: Path, one: int, other: int, part: slice) -> float:
    width = scene().render.resolution_x
    columns = slice(round(part.start * width), round(part.stop * width))
    return float(np.abs(_frame(folder, one)[:, columns] - _frame(folder, other)[:, columns]).mean())


def _frame(folder: Path, number: int) -> npt.NDArray[np.float32]:
    """(H, W, 4) values 0..255 of one picture, the lowest row first."""
    image = bpy.data.images.load(str(folder / f"{number:04d}.png"))
    pixels = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(scene().render.resolution_y, scene().render.resolution_x, -1) * 255
