"""The newest picture of a job under way, as an icon that a panel can draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import bpy
import bpy.utils.previews

FILE = "preview.png"


class Shown:
    """The picture of a job, under the folder of the job, and those of people, under their files."""

    pictures: ClassVar[Any] = None
    thumbnails: ClassVar[Any] = None


def show(folder: Path, out: str, picture: bytes) -> None:
    """Hold this PNG file as the picture of a job; ``folder`` is where it may be written."""
    if Shown.pictures is None:
        return
    file = folder / FILE
    part = file.with_suffix(".part")
    part.write_bytes(picture)
    part.replace(file)
    Shown.pictures.clear()
    Shown.pictures.load(out, str(file), "IMAGE", force_reload=True)


def icon_of(out: str) -> int:
    """The number of the icon; 0 where there is no picture of this job."""
    if Shown.pictures is None or out not in Shown.pictures:
        return 0
    return int(Shown.pictures[out].icon_id)


def thumbnail_icon(file: str) -> int:
    """The number of the icon of a small picture; 0 where there is none. It is read once, when it is first drawn."""
    if Shown.thumbnails is None or not file:
        return 0
    if file not in Shown.thumbnails:
        Shown.thumbnails.load(file, file, "IMAGE")
    return int(Shown.thumbnails[file].icon_id)


def register() -> None:
    """Make room for the pictures; without a window nothing is ever drawn."""
    if not bpy.app.background:
        Shown.pictures, Shown.thumbnails = bpy.utils.previews.new(), bpy.utils.previews.new()


def unregister() -> None:
    """Let the pictures go."""
    for pictures in (Shown.pictures, Shown.thumbnails):
        if pictures is not None:
            bpy.utils.previews.remove(pictures)
    Shown.pictures = Shown.thumbnails = None
