"""Layers whose pictures are not where the strips say, as when a folder was moved while the file was closed."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import bpy

from .compat import Scene, Strip
from .layer_loading import folder_path
from .strips import SHOT, background_of, layer_strips


class Seen:
    """The names of the strips that were found without their pictures, by scene; looked for when a file is opened."""

    lost: ClassVar[dict[str, list[str]]] = {}


def look_for_layers() -> None:
    """See on disk which strips are without their pictures."""
    Seen.lost = {scene.name: [s.name for s in layer_strips(scene) if _is_lost(s)] for scene in bpy.data.scenes}


def lost_strips(scene: Scene) -> list[Strip]:
    """The strips that were without their pictures when that was looked at, as far as they are still there."""
    names = Seen.lost.get(scene.name, ())
    return [strip for strip in layer_strips(scene) if strip.name in names] if names else []


def folder_of(scene: Scene, strip: Strip) -> Path:
    """The folder of the layer set that a strip belongs to, there or not."""
    background = background_of(scene, strip[SHOT])
    return _pictures_of(background or strip).parent


def find_again(scene: Scene, folder: Path) -> list[str]:
    """Let lost strips show the layers of another folder; returns the names of those whose layer is not there either."""
    moves = [(strip, _pictures_of(strip), folder_of(scene, strip)) for strip in lost_strips(scene)]
    for strip, pictures, before in moves:
        moved = folder / (pictures.relative_to(before) if pictures.is_relative_to(before) else pictures.name)
        if moved.is_dir():
            strip.directory = folder_path(moved)
    look_for_layers()
    return [strip.name for strip in lost_strips(scene)]


def _pictures_of(strip: Strip) -> Path:
    return Path(bpy.path.abspath(strip.directory))


def _is_lost(strip: Strip) -> bool:
    names = {strip.elements[0].filename, strip.elements[-1].filename}
    return not all((_pictures_of(strip) / name).is_file() for name in names)
