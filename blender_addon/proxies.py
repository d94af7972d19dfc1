"""Small copies of the layers for the preview, made and shown by Blender's own proxies."""

from __future__ import annotations

import bpy

from .compat import Scene, Strip
from .sequencer_ops import run_on, selection_kept
from .strips import layer_strips

SIZES = (25, 50, 75, 100)


def build_proxies(context: bpy.types.Context, scene: Scene, percent: int) -> None:
    """Make copies of all layers of a scene at a size in percent, and let the previews show them.

    In a window Blender builds them beside its work; without one this waits until they are built.
    """
    strips = layer_strips(scene)
    for strip in strips:
        _choose(strip, percent)
    levels = {meta.name if meta else "": meta for meta in (strip.parent_meta() for strip in strips)}
    with selection_kept(scene):
        for meta in levels.values():
            run_on(context, scene, [strip for strip in strips if strip.parent_meta() == meta], _build)
    _show(context, percent)


def _choose(strip: Strip, percent: int) -> None:
    strip.use_proxy = True
    for size in SIZES:
        setattr(strip.proxy, f"build_{size}", size == percent)
    # Layers are never written again in the same folder, so that what is there is good.
    strip.proxy.use_overwrite = False


def _build() -> set[str]:
    """A job of Blender's own, which keeps the interface free; there are none without a window."""
    return bpy.ops.sequencer.rebuild_proxy("EXEC_DEFAULT" if bpy.app.background else "INVOKE_DEFAULT")


def _show(context: bpy.types.Context, percent: int) -> None:
    for window in context.window_manager.windows:
        for area in (area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR"):
            space = area.spaces.active
            if space.view_type != "SEQUENCER":
                space.proxy_render_size = f"PROXY_{percent}"
