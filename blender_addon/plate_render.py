"""The source strip as pictures: every frame as Blender itself shows it, before it is moved, cropped or graded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy

from .compat import (
    content_length,
    content_skipped,
    content_skipped_at_end,
    content_start,
    left_handle,
    right_handle,
    turn_off_raw_cache,
)
from .scratch import ShotError, choose_exr, choose_png, make_neutral, render_frame, scratch_scene
from .strips import SHOT, source_frames

FLOAT_SUFFIXES = (".exr", ".hdr", ".dpx", ".cin")
"""Sources that hold more than 8 bits can tell; their frames are written as EXR."""
PURPOSE = "plate"


@dataclass(frozen=True)
class Source:
    """The strip to decompose, by name, because no reference outlives an undo; frames are of the timeline."""

    scene: str
    strip: str
    first: int
    frames: int
    width: int
    height: int
    suffix: str
    """``.png`` or ``.exr``."""


def why_not_source(strip: bpy.types.Strip | None) -> str:
    """The reason why a strip can't be decomposed; empty when it can."""
    if strip is None:
        return "No strip is active; click the movie or image strip to decompose."
    if strip.type not in {"MOVIE", "IMAGE"}:
        return f"{strip.name} is no movie or image strip; choose the strip that shows the people."
    if strip.get(SHOT):
        return f"{strip.name} is a layer already; choose the strip that it was made from."
    if visible_frames(strip) < 2:
        return f"{strip.name} has only one frame; people can be told apart only when they move."
    return ""


def source_of(scene: bpy.types.Scene, strip: bpy.types.Strip) -> Source:
    """What there is to decompose in a strip.

    Raises:
        ShotError: when the strip can't be decomposed, or its media is missing.
    """
    reason = why_not_source(strip)
    if reason:
        raise ShotError(reason)
    if scene.sequence_editor.strips.get(strip.name) != strip:
        raise ShotError(f"{strip.name} lies inside a meta strip; separate the meta strip first.")
    width, height = native_size(strip)
    suffix = ".exr" if media_path(strip).suffix.lower() in FLOAT_SUFFIXES else ".png"
    return Source(scene.name, strip.name, left_handle(strip), visible_frames(strip), width, height, suffix)


def visible_frames(strip: bpy.types.Strip) -> int:
    """On how many frames of the timeline the strip is seen."""
    return right_handle(strip) - left_handle(strip)


def media_path(strip: bpy.types.Strip) -> Path:
    """The file of a movie strip, the first file of an image strip."""
    if strip.type == "MOVIE":
        return Path(bpy.path.abspath(strip.filepath))
    return Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename


def native_size(strip: bpy.types.Strip) -> tuple[int, int]:
    """Width and height of the media in pixels; raises ShotError when it can't be read."""
    path = media_path(strip)
    if not path.is_file():
        raise ShotError(f"{path} is missing; find the file, then decompose {strip.name} again.")
    element = strip.elements[0]
    if element.orig_width and element.orig_height:
        return element.orig_width, element.orig_height
    image = bpy.data.images.load(str(path))
    try:
        width, height = image.size
    finally:
        bpy.data.images.remove(image)
    if not width or not height:
        raise ShotError(f"{path} can't be read as a picture; give another file to {strip.name}.")
    return width, height


def media_length(strip: bpy.types.Strip) -> int:
    """Number of frames of the media, before any trim."""
    if strip.type == "IMAGE":
        return len(strip.elements)
    return content_skipped(strip) + content_length(strip) + content_skipped_at_end(strip)


def media_frames(strip: bpy.types.Strip) -> tuple[int, ...]:
    """0-based frame of the media that is seen at each frame of the strip; empty for a retimed movie strip."""
    frames = range(left_handle(strip), right_handle(strip))
    if strip.type == "IMAGE":
        return tuple(source_frames(strip, frames))
    if len(strip.retiming_keys):
        # Blender tells no one which frame it shows.
        return ()
    last, start = content_length(strip) - 1, content_start(strip)
    shown = (min(max(frame - start, 0), last) for frame in frames)
    shown = (last - frame for frame in shown) if strip.use_reverse_frames else shown
    return tuple(content_skipped(strip) + frame for frame in shown)


def render_plate(source: Source, folder: Path) -> Iterator[float]:
    """Write ``folder``/0001.png (or .exr) and so on, one frame a step, and tell after each how much is done (0..1).

    Raises:
        ShotError: when the strip is gone, or a frame can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = ""
    for index in range(source.frames):
        scene = bpy.data.scenes.get(name) or plate_scene(source)
        name = scene.name
        render_frame(scene, source.first + index, folder / f"{index + 1:04d}{source.suffix}")
        yield (index + 1) / source.frames


def plate_scene(source: Source) -> bpy.types.Scene:
    """A copy of the scene in which only the source strip is seen, pixel for pixel."""
    original = bpy.data.scenes.get(source.scene)
    if original is None or original.sequence_editor is None:
        raise ShotError(f"The scene {source.scene} is gone; decompose again from another scene.")
    if source.strip not in original.sequence_editor.strips:
        raise ShotError(f"The strip {source.strip} is gone; undo its removal, or decompose another strip.")
    scene = scratch_scene(PURPOSE, original)
    _unlink_objects(scene)
    make_neutral(scene, source.width, source.height)
    if source.suffix == ".exr":
        choose_exr(scene)
    else:
        choose_png(scene, "RGB")
    turn_off_raw_cache(scene)
    strips = scene.sequence_editor.strips
    for strip in strips:
        strip.mute = strip.name != source.strip
    _show_untouched(strips[source.strip])
    return scene


def _unlink_objects(scene: bpy.types.Scene) -> None:
    """Leave the 3D world out, which would be evaluated for every frame and is never seen."""
    collection = scene.collection
    for child in list(collection.children):
        collection.children.unlink(child)
    for item in list(collection.objects):
        collection.objects.unlink(item)


def _show_untouched(strip: bpy.types.Strip) -> None:
    """Take away what is carried over to the layers later; trims, retiming, strobe and reversal stay."""
    strip.blend_type, strip.blend_alpha = "REPLACE", 1.0
    strip.color_multiply = strip.color_saturation = 1.0
    strip.use_flip_x = strip.use_flip_y = strip.use_proxy = False
    transform, crop = strip.transform, strip.crop
    transform.offset_x = transform.offset_y = 0.0
    transform.scale_x = transform.scale_y = 1.0
    transform.rotation = 0.0
    crop.min_x = crop.max_x = crop.min_y = crop.max_y = 0
    for modifier in strip.modifiers:
        # Muted and not removed: outside a sequencer area 5.0 crashes when modifiers are added or removed.
        modifier.mute = True
