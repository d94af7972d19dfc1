"""Blender's own sequencer operators, called on exactly the strips that are meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import bpy

from .compat import Scene, Strip, scene_override

Area = bpy.types.Area
Window = bpy.types.Window


@contextmanager
def sequencer_area(context: bpy.types.Context, scene: Scene) -> Iterator[None]:
    """Act as if called from a sequencer of this scene; where none is shown, an area lends itself for the moment."""
    window, area, lent = _find_area(context)
    before = area.type
    if lent:
        area.type = "SEQUENCE_EDITOR"
    try:
        region = next(region for region in area.regions if region.type == "WINDOW")
        with context.temp_override(window=window, area=area, region=region, **scene_override(scene)):
            yield
    finally:
        if lent:
            area.type = before


def _find_area(context: bpy.types.Context) -> tuple[Window, Area, bool]:
    windows = [context.window] if context.window else []
    windows += [window for window in context.window_manager.windows if window != context.window]
    areas = [(window, area) for window in windows for area in window.screen.areas]
    for window, area in areas:
        # The preview alone works on pictures, not on the timeline.
        if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type != "PREVIEW":
            return window, area, False
    window, area = max(areas, key=lambda pair: pair[1].width * pair[1].height)
    return window, area, True


def strips_beside(scene: Scene, strip: Strip) -> Any:
    """The collection of strips that a strip stands in: of its meta strip, or of the scene."""
    return level_strips(scene, strip.parent_meta())


def level_strips(scene: Scene, meta: Strip | None) -> Any:
    """The strips directly inside a meta strip, or those of the scene."""
    return meta.strips if meta else scene.sequence_editor.strips


def metas_around(strip: Strip) -> list[Strip]:
    """The meta strips that hold a strip, outermost first."""
    metas: list[Strip] = []
    parent = strip.parent_meta()
    while parent:
        metas.insert(0, parent)
        parent = parent.parent_meta()
    return metas


@contextmanager
def level_shown(scene: Scene, meta: Strip | None) -> Iterator[None]:
    """Open a meta strip (or the scene) in the sequencer, because operators reach only what is shown."""
    editor = scene.sequence_editor
    before = editor.meta_stack[-1] if editor.meta_stack else None
    if before == meta:
        # Showing it once more would forget the active strip.
        yield
        return
    editor.display_stack(meta)
    try:
        yield
    finally:
        editor.display_stack(before)


@contextmanager
def selection_kept(scene: Scene) -> Iterator[None]:
    """Give the artist the same selection and active strip back."""
    editor = scene.sequence_editor
    # By name: strips may go and come while operators work.
    selected = {strip.name for strip in editor.strips_all if strip.select}
    active = editor.active_strip.name if editor.active_strip else ""
    try:
        yield
    finally:
        for strip in editor.strips_all:
            strip.select = strip.name in selected
        editor.active_strip = editor.strips_all.get(active) if active else None


def run_on(
    context: bpy.types.Context, scene: Scene, strips: Sequence[Strip], operator: Callable[..., set[str]], **options: Any
) -> set[str]:
    """Run an operator with exactly these strips of one level selected, the first of them active."""
    editor = scene.sequence_editor
    with level_shown(scene, strips[0].parent_meta()):
        names = {strip.name for strip in strips}
        for strip in editor.strips_all:
            strip.select = strip.name in names
        editor.active_strip = strips[0]
        with sequencer_area(context, scene):
            return operator(**options)


def deselect_retiming_keys(context: bpy.types.Context, scene: Scene) -> None:
    """Deselect all retiming keys: in 4.5 operators prefer selected keys, of whatever strip, to selected strips."""
    with sequencer_area(context, scene):
        bpy.ops.sequencer.select_all(action="DESELECT")
