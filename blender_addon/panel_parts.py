"""Pieces that several panels draw: texts that wrap, a job's progress, the list of people."""

from __future__ import annotations

import bpy

from .backend_install import Installer
from .bake_run import last_problem, under_way
from .compat import sequencer_scene
from .next_step import Button, NextStep
from .plate_render import visible_frames
from .poll_reasons import chosen_strip
from .preferences import timings_file
from .preview_picture import icon_of
from .properties import RetimePeopleJob, RetimePeopleScene, chosen_person
from .protocol import JobState
from .pump import session, silence_of
from .text_lines import lines_of
from .timings import Estimate, estimate, in_words, read_timings

BESIDE_TEXT = 96
"""Pixels of the sidebar's width, at a scale of 1, in which no text can be: tabs, margins, an icon."""
LEAST_WIDTH = 100
PICTURE_HEIGHT = 11.0
"""Height of a preview in rows of the interface."""

ICONS = {
    "add_mask": "GREASEPENCIL",
    "add_masks_folder": "NEWFOLDER",
    "attach_backend": "FILEBROWSER",
    "cancel": "CANCEL",
    "carry_masks": "TRACKING_FORWARDS",
    "decompose": "RENDERLAYERS",
    "dismiss": "X",
    "draw_mask": "GREASEPENCIL",
    "find_layers": "FILEBROWSER",
    "find_people": "VIEWZOOM",
    "install_backend": "IMPORT",
    "load_layers": "IMPORT",
    "resume": "PLAY",
    "sequencer.movie_strip_add": "FILE_MOVIE",
    "start_backend": "PLAY",
    "stop_backend": "X",
    "use_srgb_sequencer": "COLOR",
}

TEXTS = {"sequencer.movie_strip_add": {"text": "Add Movie"}, "add_mask": {"text": "Draw a Person"}}
"""What operators are called on our buttons where that is not their label."""


def paragraph(
    layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE", alert: bool = False
) -> None:
    """Draw a text over as many lines as it takes, since labels do not wrap."""
    width = max(LEAST_WIDTH, context.region.width / context.preferences.system.ui_scale - BESIDE_TEXT)
    column = layout.column(align=True)
    column.scale_y = 0.85
    column.alert = alert
    for number, line in enumerate(lines_of(text, width, context.preferences)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE", translate=False)


def time_left(seconds: float, silence: int) -> str:
    """A measured time as one reads it: ``40 s left``, ``3 min left``; where that is unknown, or over, ``12 s so far``.

    Args:
        seconds: what was told last, below zero where unknown.
        silence: seconds since then, 0 where they are not worth telling.
    """
    if seconds >= 0 and seconds >= silence:
        return f"{in_words(seconds - silence)} left"
    return f"{in_words(silence)} so far" if silence else ""


def draw_next_step(layout: bpy.types.UILayout, context: bpy.types.Context, step: NextStep) -> None:
    """The sentence, then the first button large, the others below it."""
    box = layout.box()
    paragraph(box, context, step.text, step.icon, step.alert)
    if "preset" in step.fields:
        _draw_preset(box, context)
    for button in step.buttons[:1]:
        row = box.row()
        row.scale_y = 1.4
        _draw_button(row, button)
    if len(step.buttons) > 1:
        row = box.row(align=True)
        for button in step.buttons[1:]:
            _draw_button(row, button)


def _draw_button(layout: bpy.types.UILayout, button: Button) -> None:
    name, options = button
    identifier = name if "." in name else f"retime_people.{name}"
    drawn = layout.operator(identifier, icon=ICONS.get(name, "NONE"), **TEXTS.get(name, {}))
    for key, value in options.items():
        setattr(drawn, key, value)


def _draw_preset(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    scene = sequencer_scene(context)
    props, strip = scene.retime_people, chosen_strip(scene)
    layout.row().prop(props.settings, "preset", expand=True)
    row = layout.row()
    row.active = False
    row.label(text=told_estimate(estimated(props, strip)), icon="TIME", translate=False)
    if not bpy.data.filepath and not props.out:
        paragraph(layout, context, "Save this file first, and the layers are kept beside it.", "FILE_TICK")
        layout.operator("wm.save_mainfile", text="Save File")


def estimated(props: RetimePeopleScene, strip: bpy.types.Strip) -> Estimate | None:
    """How long a strip should take with what is chosen, from what earlier ones took here."""
    settings = props.settings
    frames = visible_frames(strip)
    first, last = max(settings.first_frame, 1), settings.last_frame or frames
    render = props.id_data.render
    element = strip.elements[0] if strip.elements else None
    # Blender may not have looked into the file yet.
    width = (element.orig_width if element else 0) or render.resolution_x
    height = (element.orig_height if element else 0) or render.resolution_y
    persons = max(1, sum(not person.from_layers for person in props.people))
    work = max(1, min(last, frames) - first + 1) * width * height * persons
    return estimate(read_timings(timings_file()), settings.preset, work)


def told_estimate(found: Estimate | None) -> str:
    """An estimate with what it is known from, or that there is none."""
    if found is None:
        return "Not timed here yet; Draft is the quickest"
    jobs = "1 job" if found.known_from == 1 else f"{found.known_from} jobs"
    return f"About {in_words(found.seconds)}, going by {jobs} here"


def draw_progress(layout: bpy.types.UILayout, entry: RetimePeopleJob) -> None:
    """Stage, bar, time left, the newest picture, and the way out."""
    known = entry.fraction >= 0
    # The backend tells no stage before it has loaded what it computes with.
    words = [entry.stage or ("Waiting for Another Job" if entry.state == JobState.QUEUED else "Starting")]
    words += [f"{entry.fraction:.0%}"] if known else []
    layout.progress(factor=entry.fraction if known else 0.0, text=" ".join(words))
    icon = icon_of(entry.out)
    if icon:
        layout.template_icon(icon_value=icon, scale=PICTURE_HEIGHT)
    row = layout.row()
    row.label(text=time_left(entry.seconds_left, silence_of(session().tickets.get(entry.out))))
    row.operator("retime_people.cancel", icon="CANCEL")


def draw_install(layout: bpy.types.UILayout, installer: Installer) -> None:
    """How far the installation is, and the way out."""
    layout.progress(factor=installer.fraction, text=installer.stage)
    layout.operator("retime_people.cancel_install", icon="CANCEL")


def draw_bake(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """How far the bake under way is and the way out; else why the last one failed, if it did."""
    run = under_way()
    if run is not None:
        layout.progress(factor=run.fraction, text=f"{run.stage} {run.fraction:.0%}")
        layout.operator("retime_people.cancel_bake", icon="CANCEL")
    elif last_problem():
        paragraph(layout, context, last_problem(), "ERROR", True)


def draw_people(layout: bpy.types.UILayout, props: RetimePeopleScene) -> None:
    """The list, and what changes it."""
    row = layout.row()
    row.template_list("RETIME_PEOPLE_UL_people", "", props, "people", props, "people_index", rows=4)
    column = row.column(align=True)
    column.operator("retime_people.add_masks_folder", text="", icon="NEWFOLDER")
    column.operator("retime_people.add_mask", text="", icon="ADD")
    column.operator("retime_people.remove_person", text="", icon="REMOVE")
    column.separator()
    person = chosen_person(props)
    move = "retime_people.move_found" if person is not None and person.found else "retime_people.move_person"
    column.operator(move, text="", icon="TRIA_UP").direction = "FRONT"
    column.operator(move, text="", icon="TRIA_DOWN").direction = "BACK"
