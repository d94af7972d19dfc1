"""The outlines of the people in the list, drawn over the preview of the sequencer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from .compat import left_handle, sequencer_scene
from .mask_lines import Lines, Placement, outline_of, placed
from .mask_render import mask_files
from .plate_render import native_size, visible_frames, why_not_source
from .poll_reasons import chosen_strip
from .properties import RetimePeoplePerson, RetimePeopleScene, chosen_person
from .scratch import ShotError

KEPT = 64
"""Outlines that are remembered."""
COLORS = {
    0: (0.8, 0.8, 0.8),
    1: (0.95, 0.33, 0.30),
    2: (0.98, 0.60, 0.26),
    3: (0.95, 0.80, 0.22),
    4: (0.35, 0.80, 0.45),
    5: (0.30, 0.70, 0.95),
    6: (0.60, 0.45, 0.95),
    7: (0.85, 0.45, 0.75),
    8: (0.65, 0.50, 0.40),
    9: (0.55, 0.55, 0.55),
}
"""Like Blender's strip colors, brighter."""
THIN, THICK = 1.5, 3.0


class Shown:
    """What has been read, by file, and what is to be read next."""

    lines: ClassVar[dict[Path, Lines]] = {}
    wanted: ClassVar[list[Path]] = []
    handle: ClassVar[Any] = None


def mask_of(person: RetimePeoplePerson, strip: bpy.types.Strip, frame: int) -> Path | None:
    """The file with a person's mask at a frame of the timeline; None where there is none."""
    index = frame - left_handle(strip)
    if person.from_layers or person.source != "FOLDER" or not person.folder or not 0 <= index < visible_frames(strip):
        return None
    folder = Path(bpy.path.abspath(person.folder))
    files = mask_files(folder) if folder.is_dir() else []
    return files[index] if len(files) == visible_frames(strip) else None


def placement_of(strip: bpy.types.Strip) -> Placement:
    """How a strip lies in the preview; raises ShotError when its media is missing."""
    transform = strip.transform
    return Placement(
        native_size(strip),
        (transform.offset_x, transform.offset_y),
        (transform.scale_x, transform.scale_y),
        transform.rotation,
        tuple(transform.origin),
        (strip.use_flip_x, strip.use_flip_y),
    )


def read_outline(file: Path) -> Lines:
    """The outline of a mask in a file; empty when it can't be read."""
    try:
        image = bpy.data.images.load(str(file))
    except RuntimeError:
        return np.zeros((0, 2), np.float32)
    try:
        width, height = image.size
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        # Blender keeps the lowest row first.
        return outline_of(pixels.reshape(height, width, image.channels)[::-1, :, 0])
    finally:
        bpy.data.images.remove(image)


def _draw() -> None:
    """What Blender calls for every preview that it draws; data may only be read here."""
    context = bpy.context
    scene = sequencer_scene(context)
    if scene is None or not scene.retime_people.show_masks:
        return
    strip = chosen_strip(scene)
    if why_not_source(strip):
        return
    try:
        place = placement_of(strip)
    except ShotError:
        return
    chosen = chosen_person(scene.retime_people)
    for person in scene.retime_people.people:
        file = mask_of(person, strip, scene.frame_current) if person.use else None
        if file is not None:
            _draw_lines(context.region, _known(file), place, COLORS[person.tag], THICK if person == chosen else THIN)


def _known(file: Path) -> Lines | None:
    # Playback must not wait for files; it shows the outlines that are known.
    if file not in Shown.lines and file not in Shown.wanted and not bpy.context.screen.is_animation_playing:
        Shown.wanted.append(file)
        if not bpy.app.timers.is_registered(_read_wanted):
            bpy.app.timers.register(_read_wanted, first_interval=0.0)
    return Shown.lines.get(file)


def _draw_lines(
    region: bpy.types.Region, lines: Lines | None, place: Placement, color: tuple[float, ...], width: float
) -> None:
    if lines is None or not len(lines):
        return
    view = region.view2d
    corner, far = (np.array(view.view_to_region(*point, clip=False), np.float32) for point in ((0, 0), (1000, 1000)))
    points = placed(lines, place) * (far - corner) / 1000 + corner
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", width * bpy.context.preferences.system.ui_scale)
    shader.uniform_float("color", (*color, 1.0))
    batch_for_shader(shader, "LINES", {"pos": np.pad(points, ((0, 0), (0, 1)))}).draw(shader)


def _read_wanted() -> float | None:
    """Read one file that was missing when the preview was drawn, the newest first; when all are read, draw again."""
    if Shown.wanted:
        file = Shown.wanted.pop()
        Shown.lines[file] = read_outline(file)
    for file in list(Shown.lines)[:-KEPT]:
        del Shown.lines[file]
    if Shown.wanted:
        return 0.0
    redraw_previews()
    return None


def forget_outlines() -> None:
    """Read all masks again: they may have been corrected."""
    Shown.lines.clear()
    redraw_previews()


def redraw_previews() -> None:
    """Have the sequencers drawn again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                area.tag_redraw()


def has_outlines(props: RetimePeopleScene) -> bool:
    """True when somebody's masks could be drawn."""
    return any(person.source == "FOLDER" and person.folder for person in props.people if not person.from_layers)


def register() -> None:
    """Draw over previews; without a window there are none."""
    if not bpy.app.background:
        kind = bpy.types.SpaceSequenceEditor
        Shown.handle = kind.draw_handler_add(_draw, (), "PREVIEW", "POST_PIXEL")


def unregister() -> None:
    """Draw no more."""
    if Shown.handle is not None:
        bpy.types.SpaceSequenceEditor.draw_handler_remove(Shown.handle, "PREVIEW")
        Shown.handle = None
    if bpy.app.timers.is_registered(_read_wanted):
        bpy.app.timers.unregister(_read_wanted)
    Shown.lines.clear()
