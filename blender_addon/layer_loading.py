"""From a layer set on disk to strips in the sequencer: all of them, or none."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import bpy

from .channels import empty_channel, first_free_block, strips_above
from .compat import Scene, Strip, set_handles, turn_off_raw_cache
from .layer_plan import PlannedStrip, place, plan_strips
from .layer_set_file import LayerSet, file_name
from .properties import PERSON_TAGS
from .sequencer_ops import level_strips, run_on, selection_kept
from .source_look import canvas_size, give_look, give_motion, has_look, scale_inside
from .strip_keys import seed_keys
from .strips import PIECES, SHOT, SUBJECT, UNFINISHED, layer_strips, mark

COLOR_SPACE = "Linear Rec.709"
SEQUENCER_SPACE = "sRGB"
FILES_AT_ONCE = 200
"""So many names of files are given to a strip before the window gets its turn."""


class Disturbed(Exception):
    """What was loaded so far is gone: the artist has removed it, or the scene."""


def load(
    context: bpy.types.Context, scene: Scene, layer_set: LayerSet, source: Strip | None, channel: int
) -> list[str]:
    """Make the strips of a layer set and mute the source strip. If anything fails, nothing is left behind.

    Returns:
        What the artist should know, a sentence each without its full stop.

    Raises:
        NoFreeChannel: when there is no room.
    """
    loader = LayerLoader(context, scene.name, layer_set, source.name if source else "", channel)
    for _ in loader.steps():
        pass
    return loader.warnings


class LayerLoader:
    """Makes the strips of a layer set, a little at a time, so that a window need not stand still meanwhile.

    Between two steps the artist may do anything. So strips and scene are known by their names only, and nothing is
    seen of the layers before all are there.
    """

    def __init__(self, context: bpy.types.Context, scene: str, layer_set: LayerSet, source: str, channel: int) -> None:
        self.warnings: list[str] = []
        """What the artist should know, once all is done."""
        self._context, self._scene_name, self._layer_set = context, scene, layer_set
        self._source_name, self._lowest = source, channel
        self._shot = uuid.uuid4().hex[:12]

    def steps(self) -> Iterator[None]:
        """Everything there is to do; ended early, or by an error, it leaves nothing behind.

        Raises:
            NoFreeChannel: when there is no room.
            Disturbed: when a strip was removed between two steps.
        """
        bpy.data.scenes[self._scene_name].sequence_editor_create()
        self._where = place(self._scene, self._layer_set, self._source, self._lowest)
        made: list[tuple[str, PlannedStrip]] = []
        try:
            for planned in plan_strips(self._layer_set, self._strips, self._where):
                name = yield from self._build(planned)
                made.append((name, planned))
                yield
            with selection_kept(self._scene):
                self._show(made)
        except BaseException:
            # The scene may have another name by now.
            for scene in bpy.data.scenes:
                remove_unfinished(scene, self._shot)
            raise

    @property
    def _scene(self) -> Scene:
        scene = bpy.data.scenes.get(self._scene_name)
        if scene is None or scene.sequence_editor is None:
            raise Disturbed(f"The scene {self._scene_name} is gone")
        return scene

    @property
    def _source(self) -> Strip | None:
        return self._strips.get(self._source_name) if self._source_name else None

    @property
    def _strips(self) -> Any:
        return self._scene.sequence_editor.strips

    def _found(self, name: str) -> Strip:
        strip = self._strips.get(name)
        if strip is None or strip.get(SHOT) != self._shot:
            raise Disturbed(f"The strip {name} is gone")
        return strip

    def _build(self, planned: PlannedStrip) -> Generator[None, None, str]:
        """One image strip, put together on an empty channel, since Blender moves strips that overlap in passing."""
        layer, names = planned.layer, [file_name(planned.layer.file(n)) for n in self._layer_set.numbers]
        first = self._layer_set.folder / layer.file(self._layer_set.first_frame)
        strip = self._strips.new_image(
            name=layer.name,
            filepath=str(first),
            channel=empty_channel(self._strips),
            frame_start=self._where.start,
            fit_method="ORIGINAL",
        )
        mark(strip, self._shot, UNFINISHED)
        strip.directory, strip.mute, strip.select = folder_path(first.parent), True, False
        name = strip.name
        for at in range(1, len(names), FILES_AT_ONCE):
            elements = self._found(name).elements
            for file in names[at : at + FILES_AT_ONCE]:
                elements.append(file)
            yield
        strip = self._found(name)
        strip.blend_type, strip.alpha_mode = "ADD" if layer.role == "residual" else "ALPHA_OVER", "PREMUL"
        strip.colorspace_settings.name = COLOR_SPACE
        with selection_kept(self._scene):
            seed_keys(self._context, self._scene, strip)
        set_handles(strip, planned.left, planned.right)
        strip.channel = planned.channel
        return name

    def _show(self, made: list[tuple[str, PlannedStrip]]) -> None:
        """Say whose each strip is, and let all be seen in place of the source strip."""
        names: dict[str, str] = {}
        parts: Counter[str] = Counter()
        for strip, planned in [(self._found(name), planned) for name, planned in made]:
            layer = planned.layer
            mark(strip, self._shot, layer.role)
            strip.mute = False
            if layer.role == "subject":
                # Blender makes names unique; the first one a person gets is the person's name from now on.
                person = strip[SUBJECT] = names.setdefault(layer.name, strip.name)
                parts[person] += 1
                if strip.name != person:
                    strip.name = f"{person} Part {parts[person]}"
                strip.color_tag = self._color(layer.name, list(names).index(layer.name))
        background = layer_strips(self._scene, self._shot, "background")[0]
        background[PIECES] = parts.total()
        self._connect_pieces(person for person, count in parts.items() if count > 1)
        self._finish()

    def _color(self, name: str, number: int) -> str:
        """The color that the person has in the list, else the next one."""
        known = self._scene.retime_people.people.get(name)
        tag = known.tag if known else PERSON_TAGS[number % len(PERSON_TAGS)]
        return f"COLOR_{tag:02d}" if tag else "NONE"

    def _connect_pieces(self, people: Iterable[str]) -> None:
        """Let a drag of one piece of a person move all of them."""
        for person in people:
            pieces = [s for s in layer_strips(self._scene, self._shot) if s[SUBJECT] == person]
            run_on(self._context, self._scene, pieces, bpy.ops.sequencer.connect, toggle=False)

    def _finish(self) -> None:
        source = self._source
        if source is not None and has_look(self._scene, source):
            self._group(source)
        turn_off_raw_cache(self._scene)
        self.warnings = self._warnings()
        if source is not None:
            source.mute = True

    def _group(self, source: Strip) -> None:
        """Put the layers into a meta strip that looks as the source strip does."""
        scene, members = self._scene, layer_strips(self._scene, self._shot)
        size, canvas = (self._layer_set.width, self._layer_set.height), canvas_size(scene)
        for strip in members:
            strip.transform.scale_x = strip.transform.scale_y = scale_inside(scene, source, size, canvas)
        run_on(self._context, scene, members, bpy.ops.sequencer.meta_make)
        meta = members[0].parent_meta()
        meta.name = f"{source.name} Layers"
        give_look(scene, source, meta, size)
        if source.modifiers:
            run_on(self._context, scene, [source, meta], bpy.ops.sequencer.strip_modifier_copy, type="REPLACE")
        others = [strip for strip in self._strips if strip != meta]
        meta.channel = first_free_block(others, self._where.channel, 1, self._where.left, self._where.right)
        # Last, because animation that was added would stay where the strips are taken away again.
        give_motion(scene, source, meta, size)

    def _warnings(self) -> list[str]:
        warnings, source = [], self._source
        if self._scene.sequencer_colorspace_settings.name != SEQUENCER_SPACE:
            warnings.append(color_space_problem(self._scene))
        hidden = strips_above(self._strips, source) if source is not None else []
        covered = [s.name for s in hidden if not s.get(SHOT) and s.channel < self._top_channel()]
        if covered:
            warnings.append(f"The layers now lie above {', '.join(covered)}; move these strips up to see them")
        return warnings

    def _top_channel(self) -> int:
        strips = layer_strips(self._scene, self._shot)
        return max((strip.parent_meta() or strip).channel for strip in strips)


def remove_unfinished(scene: Scene, shot: str = "") -> None:
    """Take away what was left by loading that did not come to its end; of a shot that is given, everything."""
    names = [strip.name for strip in layer_strips(scene, shot, "" if shot else UNFINISHED)]
    for name in names:
        strip = scene.sequence_editor.strips_all[name]
        meta = strip.parent_meta()
        level_strips(scene, meta).remove(strip)
        if meta and not len(meta.strips):
            level_strips(scene, meta.parent_meta()).remove(meta)


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
