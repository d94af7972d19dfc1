"""A retimed strip and its baked one: the baked one is seen, the other one keeps the keys and waits, muted, above."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

import bpy

from .bake_map import Moment, file_name, moments_of
from .baked_pictures import Shelf
from .channels import empty_channel
from .compat import Scene, Strip, left_handle, set_content_start, set_handles
from .layer_loading import folder_path
from .people_list import refresh
from .sequencer_ops import run_on, selection_kept, strips_beside
from .strip_keys import edited, seed_keys
from .strips import BAKE, BAKED, ROLE, SUBJECT, UNFOLDED, WAS_MUTED, layer_strips, pieces_of

BACKGROUND = "background"


def strips_to_bake(scene: Scene, person: str) -> list[Strip]:
    """The strips of a person that hold the keys, baked or not; those of the backgrounds for ``background``."""
    return pieces_of(scene, person) or (layer_strips(scene, role=BACKGROUND) if person == BACKGROUND else [])


def baked_strips(scene: Scene, person: str) -> list[Strip]:
    """The strips that are seen in place of a person's."""
    names = {strip[BAKE] for strip in strips_to_bake(scene, person) if strip.get(BAKE)}
    return [strip for strip in layer_strips(scene, role=BAKED) if strip.get(BAKE) in names]


def shelf_of(strip: Strip) -> Shelf:
    """Where the pictures of a strip's layer are kept."""
    folder = Path(bpy.path.abspath(strip.directory)).absolute()
    return Shelf(folder.parent, folder.name)


def needed(strips: Sequence[Strip], shutter: float) -> dict[Shelf, list[Moment]]:
    """The moments that strips show, by the shelf that their pictures belong on."""
    found: dict[Shelf, list[Moment]] = {}
    for strip in strips:
        found.setdefault(shelf_of(strip), []).extend(moments_of(strip, shutter))
    return found


def swap_in(context: bpy.types.Context, scene: Scene, strips: Sequence[Strip], shutter: float) -> None:
    """Show strips' moments in their place; all pictures must be there. Strips that are baked are baked anew.

    Raises:
        BakeProblem: the layer set is gone. NoFreeChannel: there is no channel to put a strip aside.
    """
    take_off(scene, strips)
    for strip in strips:
        moments, folder = moments_of(strip, shutter), shelf_of(strip).folder
        with selection_kept(scene):
            baked = _copy(context, scene, strip)
        with edited(context, scene, baked):
            _show(context, scene, baked, folder, [file_name(moment) for moment in moments], left_handle(strip))
        channel, muted = strip.channel, strip.mute
        strip.channel = empty_channel(strips_beside(scene, strip))
        baked.channel = channel
        strip[BAKE] = baked[BAKE] = uuid.uuid4().hex[:12]
        strip[WAS_MUTED], strip.mute = muted, True
    for strip in strips:
        _tie(context, scene, strip)
    refresh(scene)


def take_off(scene: Scene, strips: Sequence[Strip]) -> bool:
    """Show strips themselves again, with the keys that they had all along; True if any was baked."""
    baked = {strip[BAKE]: strip for strip in layer_strips(scene, role=BAKED)}
    changed = False
    for strip in strips:
        stand_in = baked.get(strip.get(BAKE, ""))
        if strip.get(BAKE):
            channel = stand_in.channel if stand_in else 0
            strip.mute = stand_in.mute if stand_in else bool(strip[WAS_MUTED])
            del strip[BAKE], strip[WAS_MUTED]
            if stand_in:
                strips_beside(scene, stand_in).remove(stand_in)
                strip.channel = channel
            changed = True
    if changed:
        refresh(scene)
    return changed


def _copy(context: bpy.types.Context, scene: Scene, strip: Strip) -> Strip:
    """A copy that looks as the strip does, which a new strip would not."""
    before = {s.name for s in scene.sequence_editor.strips_all}
    run_on(context, scene, [strip], bpy.ops.sequencer.duplicate)
    copy = next(s for s in layer_strips(scene) if s.name not in before)
    copy[ROLE] = BAKED
    # Left where it lies, over the strip itself, it would have Blender look for a place forever.
    copy.channel = empty_channel(strips_beside(scene, strip))
    copy.name = f"{strip.name} Baked"
    copy.mute = strip.mute
    return copy


def _tie(context: bpy.types.Context, scene: Scene, strip: Strip) -> None:
    """Let a drag of the baked strip move the one with the keys, and the person's others, along."""
    level = list(strips_beside(scene, strip))
    own = pieces_of(scene, strip[SUBJECT]) if strip[SUBJECT] else [strip]
    names = {piece.get(BAKE) for piece in own if piece in level}
    tied = [other for other in level if other.get(BAKE) in names and other.get(ROLE)]
    with selection_kept(scene):
        run_on(context, scene, tied, bpy.ops.sequencer.connect, toggle=False)


def _show(
    context: bpy.types.Context, scene: Scene, strip: Strip, folder: Path, files: Sequence[str], start: int
) -> None:
    """Let a strip show these files, one a frame; call inside edited()."""
    strip.retiming_keys.reset()
    strip.use_reverse_frames, strip.strobe = False, 1
    if strip.get(UNFOLDED):
        del strip[UNFOLDED]
    for _ in range(len(strip.elements) - 1):
        strip.elements.pop(-1)
    strip.directory = folder_path(folder)
    strip.elements[0].filename = files[0]
    for file in files[1:]:
        strip.elements.append(file)
    set_content_start(strip, start)
    set_handles(strip, start, start + len(files))
    seed_keys(context, scene, strip)
