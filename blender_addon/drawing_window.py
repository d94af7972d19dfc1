"""A window in which a person is drawn: one frame of the clip, as the backend sees it, with a mask on top."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import bpy

from .plate_render import plate_scene, source_of
from .properties import RetimePeoplePerson
from .scratch import remove_scratch, render_frame

FRAME = "retime_people_frame"
"""Where a picture that was made to be drawn on keeps its frame of the timeline; there is one such picture at a time.
A mask keeps here on which frame it was begun."""
LEAST_POINTS = 3
"""Of an outline."""
TAB = "Retime"
ARRANGE_SECONDS = 0.3


def begin_drawing(scene: bpy.types.Scene, strip: bpy.types.Strip, person: RetimePeoplePerson) -> None:
    """Give a person a mask, unless there is one, and open a window for it, where there can be windows.

    Raises:
        ShotError: the frame under the playhead can't be rendered.
    """
    picture = picture_of(scene, strip)
    if person.mask is None:
        person.mask = bpy.data.masks.new(person.name)
        person.mask.layers.new(name=person.name)
        person.mask[FRAME] = scene.frame_current
    if not bpy.app.background:
        _show(picture, person.mask)


def picture_of(scene: bpy.types.Scene, strip: bpy.types.Strip) -> bpy.types.Image:
    """The frame of a strip under the playhead, kept in the file; raises ShotError."""
    for image in [image for image in bpy.data.images if FRAME in image]:
        bpy.data.images.remove(image)
    source = source_of(scene, strip)
    with tempfile.TemporaryDirectory(prefix="retime-people-") as folder:
        file = Path(folder) / f"frame{source.suffix}"
        try:
            render_frame(plate_scene(source), scene.frame_current, file)
        finally:
            remove_scratch()
        image = bpy.data.images.load(str(file))
        image.pack()
    image.name = f"{strip.name}, frame {scene.frame_current}"
    image[FRAME] = scene.frame_current
    return image


def window_of(mask: bpy.types.Mask | None) -> tuple[bpy.types.Window, bpy.types.Area] | None:
    """Where a mask is being drawn on a picture of ours; None where it is not."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if area.type == "IMAGE_EDITOR" and mask is not None and space.mask == mask and is_for_drawing(space):
                return window, area
    return None


def is_for_drawing(space: bpy.types.SpaceImageEditor) -> bool:
    """True where a mask is being drawn on a picture of ours."""
    return space.ui_mode == "MASK" and space.image is not None and FRAME in space.image


def frame_drawn_on(scene: bpy.types.Scene, mask: bpy.types.Mask | None) -> int:
    """The frame of the timeline that a mask is being drawn on, which is the one in its window, else the current one."""
    found = window_of(mask)
    return scene.frame_current if found is None else found[1].spaces.active.image[FRAME]


def is_drawn(mask: bpy.types.Mask) -> bool:
    """True when there is an outline in a mask."""
    return any(len(spline.points) >= LEAST_POINTS for layer in mask.layers for spline in layer.splines)


def is_for_single_frames(mask: bpy.types.Mask | None) -> bool:
    """True for a mask that was begun in a window of ours, so that it tells nothing of the other frames."""
    return mask is not None and FRAME in mask


def keep_shape(scene: bpy.types.Scene, mask: bpy.types.Mask | None) -> None:
    """Close the outlines that are being drawn, and hold their shape at their frame: another may have another one."""
    found = window_of(mask)
    if found is None:
        return
    window, area = found
    frame = area.spaces.active.image[FRAME]
    if scene.frame_current != frame:
        # Not without need: a change of frame takes the mask back to the shape that was kept before.
        scene.frame_set(frame)
    for spline in (spline for layer in mask.layers for spline in layer.splines):
        spline.use_cyclic = spline.use_cyclic or len(spline.points) >= LEAST_POINTS
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=region, scene=scene):
        bpy.ops.mask.select_all(action="SELECT")
        bpy.ops.mask.shape_key_insert()


def _show(picture: bpy.types.Image, mask: bpy.types.Mask) -> None:
    """In the window that is there for this mask, else in a new one, with our panel beside."""
    found = window_of(mask)
    if found is None:
        bpy.ops.wm.window_new()
        area = bpy.context.window_manager.windows[-1].screen.areas[0]
        area.ui_type = "IMAGE_EDITOR"
    else:
        area = found[1]
    space = area.spaces.active
    space.ui_mode, space.image, space.mask = "MASK", picture, mask
    space.show_region_ui = True
    # Tabs and the size of the window are known only once it has been drawn.
    name = mask.name
    bpy.app.timers.register(lambda: _arrange(bpy.data.masks.get(name)), first_interval=ARRANGE_SECONDS)


def _arrange(mask: bpy.types.Mask | None) -> None:
    """Show our tab, and the picture as large as can be."""
    found = window_of(mask)
    if found is None:
        return
    window, area = found
    regions = {region.type: region for region in area.regions}
    # Blender refuses a tab that it has not drawn yet; then the artist chooses it.
    with contextlib.suppress(TypeError):
        regions["UI"].active_panel_category = TAB
    with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=regions["WINDOW"]):
        bpy.ops.image.view_all(fit_view=True)
