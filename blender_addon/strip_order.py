"""Making retiming keys safe to edit from Python, which in Blender depends on what stands before a strip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from .channels import CHANNELS
from .compat import Scene, Strip, content_start, left_handle, set_content_start
from .sequencer_ops import deselect_retiming_keys, level_strips, metas_around, run_on, strips_beside

# Blender looks up the owner of a key by walking through all strips, those inside a meta strip before the meta strip
# itself, and takes the first strip without keys for the owner. It then writes into memory that is not there. So no
# strip without keys may come before the one we edit, nor before a meta strip around it; colors and adjustments can't
# have keys at all, so what is in the way is put behind.


@contextmanager
def keys_safe(context: bpy.types.Context, scene: Scene, strip: Strip) -> Iterator[None]:
    """Let the retiming keys of a strip be read and moved from Python; the strip itself must have keys."""
    for item in [*metas_around(strip), strip]:
        _put_first(context, scene, item)
    try:
        yield
    finally:
        deselect_retiming_keys(context, scene)


def _put_first(context: bpy.types.Context, scene: Scene, strip: Strip) -> None:
    """Move all strips without keys that come before this one behind it in Blender's list; nothing is seen of it."""
    beside = strips_beside(scene, strip)
    before = list(beside)[: list(beside).index(strip)]
    if all(_has_keys(other) for other in before):
        return
    places = {other.name: (other.channel, left_handle(other)) for other in beside}
    parent = strip.parent_meta()
    carrier = level_strips(scene, parent).new_meta("Retime People", CHANNELS, left_handle(strip))
    for other in before:
        # An effect takes its inputs along, so some may have moved already.
        if other.name in level_strips(scene, parent) and other.parent_meta() == parent:
            other.move_to_meta(carrier)
    run_on(context, scene, [carrier], bpy.ops.sequencer.meta_separate)
    _restore_places(scene, strip, places)


def _has_keys(strip: Strip) -> bool:
    return strip.type != "META" and len(getattr(strip, "retiming_keys", ())) > 1


def _restore_places(scene: Scene, strip: Strip, places: dict[str, tuple[int, int]]) -> None:
    """Blender may have evaded an overlap that it saw in passing."""
    for other in strips_beside(scene, strip):
        channel, left = places[other.name]
        if (other.channel, left_handle(other)) != (channel, left):
            set_content_start(other, content_start(other) + left - left_handle(other))
            other.channel = channel
