"""From a layer set on disk to strips in the sequencer: all of them, or none."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy

from .channels import empty_channel, first_free_block, strips_above
from .compat import (
    Scene,
    Strip,
    content_skipped,
    content_start,
    left_handle,
    right_handle,
    set_handles,
    turn_off_raw_cache,
)
from .depth_order import Stretch, lanes, stretches
from .layer_set_file import Layer, LayerSet, file_name
from .properties import PERSON_TAGS
from .sequencer_ops import run_on, selection_kept
from .source_look import canvas_size, give_look, give_motion, has_look, scale_inside
from .strip_keys import seed_keys
from .strips import PIECES, SHOT, SUBJECT, layer_strips, mark, pieces_of

COLOR_SPACE = "Linear Rec.709"
SEQUENCER_SPACE = "sRGB"


@dataclass(frozen=True)
class Placement:
    """Where the strips of a layer set go on the timeline."""

    start: int
    """Frame of the first layer frame, seen or not."""
    left: int
    """First frame to be seen."""
    right: int
    """Frame after the last one to be seen."""
    channel: int
    """Lowest channel to use."""


def place(scene: Scene, layer_set: LayerSet, source: Strip | None, channel: int) -> Placement:
    """Align a layer set with its source strip, or with the start of the scene where there is none.

    Args:
        channel: the lowest channel to use; 0 means the one above the source strip.
    """
    skipped = layer_set.first_frame - 1
    if source is None:
        start = scene.frame_start + skipped
        return Placement(start, start, start + layer_set.frames, channel or 1)
    start = _plate_start(source, layer_set) + skipped
    end = start + layer_set.frames
    left, right = max(start, left_handle(source)), min(end, right_handle(source))
    if left >= right:
        left, right = start, end
    return Placement(start, left, right, channel or source.channel + 1)


def _plate_start(source: Strip, layer_set: LayerSet) -> int:
    """The timeline frame on which the first frame of the plate is seen.

    A plate that is the strip's own file begins where the file begins; otherwise its frames were rendered from the
    strip, and it begins where the strip begins.
    """
    if source.type == "MOVIE" and _same_file(source.filepath, layer_set.plate):
        return content_start(source) - content_skipped(source)
    return left_handle(source)


def _same_file(strip_path: str, plate: str) -> bool:
    return bool(plate) and Path(bpy.path.abspath(strip_path)).resolve() == Path(plate).resolve()


def load(
    context: bpy.types.Context, scene: Scene, layer_set: LayerSet, source: Strip | None, channel: int
) -> list[str]:
    """Make the strips of a layer set and mute the source strip. If anything fails, nothing is left behind.

    Returns:
        What the artist should know, a sentence each without its full stop.

    Raises:
        NoFreeChannel: when there is no room.
    """
    scene.sequence_editor_create()
    where = place(scene, layer_set, source, channel)
    shot = uuid.uuid4().hex[:12]
    with selection_kept(scene), _all_or_nothing(scene, shot):
        warnings = _LayerLoader(context, scene, layer_set, shot, where, source).load()
    if source is not None:
        source.mute = True
    return warnings


@contextmanager
def _all_or_nothing(scene: Scene, shot: str) -> Iterator[None]:
    before = {strip.name for strip in scene.sequence_editor.strips_all}
    try:
        yield
    except BaseException:
        # Only what is top level now: a meta strip takes its strips along.
        strips = scene.sequence_editor.strips
        for strip in [strip for strip in strips if strip.name not in before]:
            strips.remove(strip)
        raise


@dataclass
class _LayerLoader:
    context: bpy.types.Context
    scene: Scene
    layer_set: LayerSet
    shot: str
    where: Placement
    source: Strip | None

    def load(self) -> list[str]:
        subjects = self.layer_set.with_role("subject")
        pieces = stretches(self.layer_set.order, [layer.name for layer in subjects])
        rows = lanes(pieces)
        residual = self.layer_set.with_role("residual")
        count = 1 + len(rows) + len(residual)
        channel = first_free_block(self._strips, self.where.channel, count, self.where.left, self.where.right)
        background = self._strip(self.layer_set.with_role("background")[0], channel)
        names: dict[str, str] = {}
        for row, (rank, name) in enumerate(rows, channel + 1):
            layer = next(layer for layer in subjects if layer.name == name)
            for stretch in (s for s in pieces[name] if s.rank == rank):
                self._piece(layer, row, stretch, names)
        for layer in residual:
            self._strip(layer, channel + count - 1).blend_type = "ADD"
        background[PIECES] = len(layer_strips(self.scene, self.shot, "subject"))
        self._connect_pieces(names.values())
        return self._finish()

    @property
    def _strips(self) -> Iterable[Strip]:
        return self.scene.sequence_editor.strips

    def _piece(self, layer: Layer, channel: int, stretch: Stretch, names: dict[str, str]) -> None:
        """The strip for one stretch of a subject."""
        left = max(self.where.left, self.where.start + stretch.first)
        right = min(self.where.right, self.where.start + stretch.last + 1)
        if left >= right:
            return
        strip = self._strip(layer, channel, (left, right))
        # Blender makes names unique; the first one a person gets is the person's name from now on.
        strip[SUBJECT] = names.setdefault(layer.name, strip.name)
        if strip.name != strip[SUBJECT]:
            strip.name = f"{strip[SUBJECT]} Part {len(pieces_of(self.scene, strip[SUBJECT]))}"
        strip.color_tag = self._color(layer.name, len(names) - 1)

    def _strip(self, layer: Layer, channel: int, seen: tuple[int, int] | None = None) -> Strip:
        """One image strip, put together on an empty channel, since Blender moves strips that overlap in passing."""
        names = [file_name(layer.file(n)) for n in self.layer_set.numbers]
        first = self.layer_set.folder / layer.file(self.layer_set.first_frame)
        strips = self.scene.sequence_editor.strips
        strip = strips.new_image(
            name=layer.name,
            filepath=str(first),
            channel=empty_channel(strips),
            frame_start=self.where.start,
            fit_method="ORIGINAL",
        )
        mark(strip, self.shot, layer.role)
        strip.directory = folder_path(first.parent)
        for name in names[1:]:
            strip.elements.append(name)
        strip.blend_type, strip.alpha_mode = "ALPHA_OVER", "PREMUL"
        strip.colorspace_settings.name = COLOR_SPACE
        seed_keys(self.context, self.scene, strip)
        set_handles(strip, *(seen or (self.where.left, self.where.right)))
        strip.channel = channel
        return strip

    def _color(self, name: str, number: int) -> str:
        """The color that the person has in the list, else the next one."""
        known = self.scene.retime_people.people.get(name)
        tag = known.tag if known else PERSON_TAGS[number % len(PERSON_TAGS)]
        return f"COLOR_{tag:02d}" if tag else "NONE"

    def _connect_pieces(self, people: Iterable[str]) -> None:
        """Let a drag of one piece of a person move all of them."""
        for person in set(people):
            pieces = [s for s in layer_strips(self.scene, self.shot) if s[SUBJECT] == person]
            if len(pieces) > 1:
                run_on(self.context, self.scene, pieces, bpy.ops.sequencer.connect, toggle=False)

    def _finish(self) -> list[str]:
        if self.source is not None and has_look(self.scene, self.source):
            self._group(self.source)
        turn_off_raw_cache(self.scene)
        return self._warnings()

    def _group(self, source: Strip) -> None:
        """Put the layers into a meta strip that looks as the source strip does."""
        members = layer_strips(self.scene, self.shot)
        size, canvas = (self.layer_set.width, self.layer_set.height), canvas_size(self.scene)
        for strip in members:
            strip.transform.scale_x = strip.transform.scale_y = scale_inside(self.scene, source, size, canvas)
        run_on(self.context, self.scene, members, bpy.ops.sequencer.meta_make)
        meta = members[0].parent_meta()
        meta.name = f"{source.name} Layers"
        give_look(self.scene, source, meta, size)
        if source.modifiers:
            run_on(self.context, self.scene, [source, meta], bpy.ops.sequencer.strip_modifier_copy, type="REPLACE")
        others = [strip for strip in self._strips if strip != meta]
        meta.channel = first_free_block(others, self.where.channel, 1, self.where.left, self.where.right)
        # Last, because animation that was added would stay where the strips are taken away again.
        give_motion(self.scene, source, meta, size)

    def _warnings(self) -> list[str]:
        warnings = []
        if self.scene.sequencer_colorspace_settings.name != SEQUENCER_SPACE:
            warnings.append(color_space_problem(self.scene))
        hidden = strips_above(self._strips, self.source) if self.source is not None else []
        covered = [s.name for s in hidden if not s.get(SHOT) and s.channel < self._top_channel()]
        if covered:
            warnings.append(f"The layers now lie above {', '.join(covered)}; move these strips up to see them")
        return warnings

    def _top_channel(self) -> int:
        strips = layer_strips(self.scene, self.shot)
        return max((strip.parent_meta() or strip).channel for strip in strips)


def folder_path(folder: Path) -> str:
    """A folder as it is best stored: relative to the .blend, when that is saved and on the same drive."""
    if not bpy.data.filepath:
        return str(folder)
    try:
        return bpy.path.relpath(str(folder))
    except ValueError:
        return str(folder)


def color_space_problem(scene: Scene) -> str:
    """Why the layers don't add up in this scene; empty when its sequencer works in the right color space."""
    name = scene.sequencer_colorspace_settings.name
    if name == SEQUENCER_SPACE:
        return ""
    return f"The sequencer works in {name}, where soft edges and shadows come out wrong; set it to {SEQUENCER_SPACE}"
