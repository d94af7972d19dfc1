"""The Retime tab of the sequencer's sidebar: what there is, and the one next step."""

from __future__ import annotations

import textwrap

import bpy

from .backend_process import BackendState
from .compat import sequencer_scene
from .layer_loading import color_space_problem
from .plate_render import visible_frames, why_not_source
from .poll_reasons import chosen_strip, is_under_way, shown_job
from .properties import RetimePeopleJob, RetimePeopleScene
from .protocol import JobState
from .pump import session
from .strips import active_person, people

CHARACTER_WIDTH = 6.5
"""Pixels that a character of the interface takes on average, at a scale of 1."""
MINUTE = 60

CHOOSE_PYTHON = "Layers are computed by a program of its own. Choose the Python that retime-people is installed in."

RETIME_BUTTONS = (
    ("freeze", "Freeze", "FREEZE"),
    ("offset", "Offset", "TIME"),
    ("set_speed", "Speed", "PLAY"),
    ("reset", "Reset", "LOOP_BACK"),
    ("duplicate", "Duplicate", "DUPLICATE"),
    ("remove", "Hide", "HIDE_ON"),
)
"""Operator, text and icon of each change of a person."""

BACKEND_ICONS = {
    BackendState.NOT_CONFIGURED: "PREFERENCES",
    BackendState.STOPPED: "PAUSE",
    BackendState.STARTING: "TIME",
    BackendState.RUNNING: "CHECKMARK",
    BackendState.MISMATCH: "ERROR",
    BackendState.FAILED: "ERROR",
}


class _RetimeTab:
    """Where all our panels are."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Retime"


class RETIME_PEOPLE_PT_main(_RetimeTab, bpy.types.Panel):
    """From a strip to its layers"""

    bl_label = "Decompose"
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the way from top to bottom: backend, strip, people, the button, the job."""
        layout, scene = self.layout, sequencer_scene(context)
        if scene is None:
            paragraph(layout, context, "No scene is shown here; choose one in the header.", "INFO")
            return
        props = scene.retime_people
        if session().backend.status.state is not BackendState.RUNNING:
            _draw_backend(layout.box(), context)
        entry = shown_job(context)
        if _draw_strip(layout, context, scene):
            _draw_people(layout, props)
            if entry is None or not is_under_way(entry):
                _draw_start(layout, props)
        if entry is not None:
            _draw_job(layout.box(), context, entry)


class RETIME_PEOPLE_PT_settings(_RetimeTab, bpy.types.Panel):
    """Everything about a decomposition that has a good value by default"""

    bl_label = "Settings"
    bl_parent_id = "RETIME_PEOPLE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a scene."""
        return sequencer_scene(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draw all settings but the preset, which has its place above."""
        props = sequencer_scene(context).retime_people
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name in type(props.settings).__annotations__:
            if name != "preset":
                column.prop(props.settings, name)
        column.prop(props, "out")


class RETIME_PEOPLE_PT_backend(_RetimeTab, bpy.types.Panel):
    """The program that computes the layers"""

    bl_label = "Backend"
    bl_parent_id = "RETIME_PEOPLE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: bpy.types.Context) -> None:
        """Draw its state and what can be done about it."""
        _draw_backend(self.layout, context)


class RETIME_PEOPLE_PT_retime(_RetimeTab, bpy.types.Panel):
    """What can be done with a person whose layers are loaded"""

    bl_label = "Retime"
    bl_order = 0

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only when layers are loaded."""
        scene = sequencer_scene(context)
        return scene is not None and bool(people(scene))

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the chosen person and the changes of time."""
        layout, scene = self.layout, sequencer_scene(context)
        problem = color_space_problem(scene)
        if problem:
            paragraph(layout, context, f"{problem}.", "ERROR", True)
            layout.operator("retime_people.use_srgb_sequencer")
        person = active_person(scene)
        if person:
            layout.label(text=person, icon="USER", translate=False)
        else:
            paragraph(layout, context, "Select the strip of a person to retime.", "INFO")
        grid = layout.grid_flow(columns=2, even_columns=True, align=True)
        grid.enabled = bool(person)
        for operator, text, icon in RETIME_BUTTONS:
            grid.operator(f"retime_people.{operator}", text=text, icon=icon)


def paragraph(
    layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE", alert: bool = False
) -> None:
    """Draw a text over as many lines as it takes, since labels do not wrap."""
    scale = context.preferences.system.ui_scale * CHARACTER_WIDTH
    characters = max(16, int((context.region.width - 70 * context.preferences.system.ui_scale) / scale))
    column = layout.column(align=True)
    column.alert = alert
    for number, line in enumerate(textwrap.wrap(text, characters) or [""]):
        column.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE", translate=False)


def time_left(seconds: float) -> str:
    """A measured time as one reads it: ``40 s left``, ``3 min left``; empty below zero, which means unknown."""
    if seconds < 0:
        return ""
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s left"
    minutes = round(seconds / MINUTE)
    return f"{minutes} min left" if minutes < MINUTE else f"{minutes // MINUTE} h {minutes % MINUTE} min left"


def _draw_backend(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    status = session().backend.status
    broken = status.state in (BackendState.FAILED, BackendState.MISMATCH)
    addon = context.preferences.addons.get(__package__)
    if status.state is BackendState.NOT_CONFIGURED and addon is not None and addon.preferences is not None:
        paragraph(layout, context, CHOOSE_PYTHON, BACKEND_ICONS[status.state])
        layout.prop(addon.preferences, "backend_python", text="Python")
        return
    paragraph(layout, context, status.sentence, BACKEND_ICONS[status.state], broken)
    row = layout.row(align=True)
    if status.state in (BackendState.STOPPED, BackendState.FAILED):
        row.operator("retime_people.start_backend", icon="PLAY")
    else:
        row.operator("retime_people.stop_backend", icon="X")


def _draw_strip(layout: bpy.types.UILayout, context: bpy.types.Context, scene: bpy.types.Scene) -> bool:
    """Draw what would be decomposed; False when something else must be chosen first."""
    strip = chosen_strip(scene)
    reason = why_not_source(strip)
    if reason:
        paragraph(layout, context, reason, "INFO")
        return False
    split = layout.split(factor=0.65)
    split.label(text=strip.name, icon="FILE_MOVIE" if strip.type == "MOVIE" else "FILE_IMAGE", translate=False)
    row = split.row()
    row.alignment = "RIGHT"
    row.label(text=f"{visible_frames(strip)} frames")
    return True


def _draw_people(layout: bpy.types.UILayout, props: RetimePeopleScene) -> None:
    layout.label(text="People", icon="COMMUNITY")
    row = layout.row()
    row.template_list(
        "RETIME_PEOPLE_UL_people", "", props, "people", props, "people_index", rows=3 if len(props.people) else 1
    )
    column = row.column(align=True)
    column.operator("retime_people.add_masks_folder", text="", icon="NEWFOLDER")
    column.operator("retime_people.add_mask", text="", icon="ADD")
    column.operator("retime_people.remove_person", text="", icon="REMOVE")
    if props.people_index >= len(props.people):
        layout.operator("retime_people.add_masks_folder", icon="NEWFOLDER")
        return
    person = props.people[props.people_index]
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(person, "source")
    if person.source == "FOLDER":
        column.prop(person, "folder")
    else:
        column.prop(person, "mask")


def _draw_start(layout: bpy.types.UILayout, props: RetimePeopleScene) -> None:
    layout.separator()
    layout.row().prop(props.settings, "preset", expand=True)
    row = layout.row()
    row.scale_y = 1.5
    row.enabled = len(props.people) > 0
    row.operator("retime_people.decompose", icon="RENDERLAYERS")
    layout.operator("retime_people.load_layers", text="Load Finished Layers", icon="IMPORT")


def _draw_job(layout: bpy.types.UILayout, context: bpy.types.Context, entry: RetimePeopleJob) -> None:
    if is_under_way(entry):
        _draw_progress(layout, entry)
    elif entry.state == JobState.FINISHED:
        _draw_finished(layout, context, entry)
    else:
        cancelled = entry.state == JobState.CANCELLED
        paragraph(layout, context, entry.message or f"{entry.strip}: {entry.state}.", "ERROR", not cancelled)
        row = layout.row(align=True)
        row.operator("retime_people.resume", icon="PLAY")
        row.operator("retime_people.dismiss", icon="X")


def _draw_progress(layout: bpy.types.UILayout, entry: RetimePeopleJob) -> None:
    layout.label(text=entry.strip, icon="RENDER_ANIMATION", translate=False)
    known = entry.fraction >= 0
    words = [entry.stage or ("Waiting" if entry.state == JobState.QUEUED else "Working")]
    words += [f"{entry.fraction:.0%}"] if known else []
    layout.progress(factor=entry.fraction if known else 0.0, text=" ".join(words))
    row = layout.row()
    row.label(text=time_left(entry.seconds_left))
    row.operator("retime_people.cancel", icon="CANCEL")


def _draw_finished(layout: bpy.types.UILayout, context: bpy.types.Context, entry: RetimePeopleJob) -> None:
    if entry.loaded:
        paragraph(layout, context, _done_text(entry), "CHECKMARK")
    else:
        paragraph(layout, context, entry.message or "The layers are done, but not loaded.", "ERROR", True)
        load = layout.operator("retime_people.load_layers", icon="IMPORT")
        load.filepath, load.source = entry.layers, entry.strip
    layout.operator("retime_people.dismiss", icon="X")


def _done_text(entry: RetimePeopleJob) -> str:
    text = f"The layers of {entry.strip} are loaded; select the strip of a person to retime."
    # Loading may have had something to say, such as a strip that is covered now.
    return f"{text} {entry.message}." if entry.message else text


classes = (RETIME_PEOPLE_PT_main, RETIME_PEOPLE_PT_retime, RETIME_PEOPLE_PT_settings, RETIME_PEOPLE_PT_backend)
