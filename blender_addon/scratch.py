"""Scenes that live only while pictures are rendered through the sequencer, one file per frame."""

from __future__ import annotations

from pathlib import Path

import bpy

from .compat import scene_override

PREFIX = ".retime_people "
"""Names that begin with a dot are hidden in Blender's lists."""


class ShotError(Exception):
    """Something in this file keeps the shot from being decomposed; the text is the sentence to show."""


def scratch_scene(purpose: str, source: bpy.types.Scene | None = None) -> bpy.types.Scene:
    """An empty scene, or a copy of another, that remove_scratch() will remove."""
    scene = bpy.data.scenes.new(PREFIX + purpose) if source is None else source.copy()
    scene.name = PREFIX + purpose
    return scene


def remove_scratch() -> None:
    """Remove all scratch scenes and copies, so that none is saved with the file."""
    for collection in (bpy.data.scenes, bpy.data.masks):
        for item in [item for item in collection if item.name.startswith(PREFIX)]:
            collection.remove(item)


def make_neutral(scene: bpy.types.Scene, width: int, height: int) -> None:
    """Let a scene render its strips pixel for pixel, with no look, dither, border, stamp or compositor."""
    scene.animation_data_clear()
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    render.use_border = render.use_stamp = render.use_compositing = render.use_multiview = False
    render.use_sequencer = render.use_overwrite = True
    render.use_file_extension = render.use_placeholder = False
    render.dither_intensity = 0.0
    scene.display_settings.display_device = "sRGB"
    scene.sequencer_colorspace_settings.name = "sRGB"
    _make_view_neutral(scene.view_settings)


def _make_view_neutral(view: bpy.types.ColorManagedViewSettings) -> None:
    view.view_transform, view.look = "Standard", "None"
    view.exposure, view.gamma, view.use_curve_mapping = 0.0, 1.0, False
    view.use_white_balance = False


def choose_png(scene: bpy.types.Scene, color_mode: str) -> None:
    """Write 8-bit PNG, ``RGB`` or ``BW``."""
    _choose(scene, "PNG", color_mode)
    scene.render.image_settings.color_depth = "8"


def choose_exr(scene: bpy.types.Scene) -> None:
    """Write half float, scene-linear EXR."""
    _choose(scene, "OPEN_EXR", "RGB")
    scene.render.image_settings.color_depth = "16"
    scene.render.image_settings.exr_codec = "ZIP"


def _choose(scene: bpy.types.Scene, file_format: str, color_mode: str) -> None:
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        # Blender 5: the formats on offer depend on it, and the copied scene may have been set to video.
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode, settings.color_management = file_format, color_mode, "FOLLOW_SCENE"


def render_frame(scene: bpy.types.Scene, frame: int, path: Path) -> None:
    """Render one timeline frame of a scratch scene to a file; raises ShotError when it can't be written."""
    scene.frame_set(frame)
    scene.render.filepath = str(path)
    try:
        # Naming the scene in the call would render the artist's current frame instead of this one.
        with bpy.context.temp_override(**scene_override(scene)):
            bpy.ops.render.render(write_still=True)
    except RuntimeError as error:
        raise ShotError(f"{path} can't be written: {str(error).strip()}") from error
    if not path.is_file():
        raise ShotError(f"{path} was not written; choose a folder that can be written, with space left.")
