"""The Retime tab of the sequencer's sidebar: the one next step, the people, and what can be done with them."""

from __future__ import annotations

import bpy

from .backend_install import InstallState
from .backend_process import BackendState
from .compat import sequencer_scene
from .next_step import next_step
from .panel_parts import draw_bake, draw_install, draw_next_step, draw_people, draw_progress, paragraph
from .people_panel import RETIME_PEOPLE_PT_drawing, RETIME_PEOPLE_PT_masks
from .plate_render import visible_frames, why_not_source
from .poll_reasons import chosen_strip, shown_job
from .properties import RetimePeoplePerson, chosen_person
from .pump import session
from .strips import active_person, people

# Operator, text and icon of each change of a person, in rows.
TIME_BUTTONS = (
    ("freeze", "Freeze", "FREEZE"),
    ("offset", "Offset", "NEXT_KEYFRAME"),
    ("set_speed", "Speed", "MOD_TIME"),
    ("ramp", "Ramp", "IPO_EASE_OUT"),
    ("reverse", "Reverse", "PLAY_REVERSE"),
    ("loop", "Loop", "FILE_REFRESH"),
    ("hold_end", "Hold at End", "FRAME_NEXT"),
    ("reset", "Reset", "LOOP_BACK"),
)
PERSON_BUTTONS = (
    ("bake", "Bake", "RENDER_ANIMATION"),
    ("unbake", "Unbake", "LOOP_BACK"),
    ("duplicate", "Duplicate", "DUPLICATE"),
    ("remove", "Hide", "HIDE_ON"),
)

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
    """The next step, and the people"""

    bl_label = "Retime People"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what to do next, how far it is, and who there is."""
        layout, step = self.layout, next_step(context)
        draw_next_step(layout, context, step)
        entry = shown_job(context)
        if "progress" in step.fields and entry is not None:
            draw_progress(layout.box(), entry)
        if "install" in step.fields:
            draw_install(layout.box(), session().installer)
        draw_bake(layout, context)
        scene = sequencer_scene(context)
        if scene is not None and len(scene.retime_people.people):
            draw_people(layout, scene.retime_people)


class RETIME_PEOPLE_PT_time(_RetimeTab, bpy.types.Panel):
    """What can be done with the time of a person whose layers are loaded"""

    bl_label = "Time"
    bl_parent_id = "RETIME_PEOPLE_PT_main"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only when layers are loaded."""
        scene = sequencer_scene(context)
        return scene is not None and bool(people(scene))

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the changes of one person, then those of two."""
        layout, scene = self.layout, sequencer_scene(context)
        person, props = active_person(scene), scene.retime_people
        if not person:
            paragraph(layout, context, "Click a person first, in the list or on the timeline.", "INFO")
        own = layout.column()
        own.enabled = bool(person)
        _draw_grid(own, TIME_BUTTONS)
        if len(people(scene)) > 1:
            own.label(text="With Another Person")
            row = own.row(align=True)
            row.operator("retime_people.mark_moment", text="Mark Moment", icon="MARKER_HLT")
            if props.mark_person and props.mark_person != person:
                text = f"Match to {props.mark_person}, Frame {props.mark_frame}"
                row.operator("retime_people.clear_mark", text="", icon="X")
                own.operator("retime_people.match", text=text, icon="CON_TRACKTO", translate=False)
            own.operator("retime_people.auto_sync", text="Sync", icon="UV_SYNC_SELECT")
            row = own.row(align=True)
            row.operator("retime_people.set_order", text="In Front", icon="TRIA_UP").behind = False
            row.operator("retime_people.set_order", text="Behind", icon="TRIA_DOWN").behind = True
        own.separator()
        _draw_grid(own, PERSON_BUTTONS)
        layout.operator("retime_people.build_proxies", icon="RENDER_RESULT")
        layout.operator("retime_people.build_compositor", icon="NODETREE")


class RETIME_PEOPLE_PT_decompose(_RetimeTab, bpy.types.Panel):
    """The strip that is decomposed, where the masks are, and how much effort is made"""

    bl_label = "Decompose"
    bl_parent_id = "RETIME_PEOPLE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a scene."""
        return sequencer_scene(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draw everything about a decomposition that has a good value by default."""
        layout, scene = self.layout, sequencer_scene(context)
        props, strip = scene.retime_people, chosen_strip(scene)
        if not why_not_source(strip):
            split = layout.split(factor=0.65)
            split.label(text=strip.name, icon="FILE_MOVIE" if strip.type == "MOVIE" else "FILE_IMAGE", translate=False)
            row = split.row()
            row.alignment = "RIGHT"
            row.label(text=f"{visible_frames(strip)} frames")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        person = chosen_person(props)
        if person is not None and not person.from_layers:
            _draw_masks(column, person)
        for name in type(props.settings).__annotations__:
            column.prop(props.settings, name)
        column.prop(props, "out")
        layout.operator("retime_people.find_people", icon="VIEWZOOM")
        layout.operator("retime_people.decompose", icon="RENDERLAYERS")
        layout.operator("retime_people.load_layers", text="Load Finished Layers", icon="IMPORT")


class RETIME_PEOPLE_PT_backend(_RetimeTab, bpy.types.Panel):
    """The program that computes the layers"""

    bl_label = "Backend"
    bl_parent_id = "RETIME_PEOPLE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: bpy.types.Context) -> None:
        """Draw its state and what can be done about it."""
        layout, status, installer = self.layout, session().backend.status, session().installer
        broken = status.state in (BackendState.FAILED, BackendState.MISMATCH)
        paragraph(layout, context, status.sentence, BACKEND_ICONS[status.state], broken)
        if status.state in (BackendState.STOPPED, BackendState.FAILED):
            layout.operator("retime_people.start_backend", icon="PLAY")
        elif status.state is not BackendState.NOT_CONFIGURED:
            layout.operator("retime_people.stop_backend", icon="X")
        if installer.message:
            paragraph(layout, context, installer.message, "INFO")
        row = layout.row(align=True)
        absent = installer.state in (InstallState.ABSENT, InstallState.CANCELLED)
        row.operator("retime_people.install_backend", text="Install Backend" if absent else "Repair", icon="IMPORT")
        row.operator("retime_people.remove_backend", text="Remove", icon="TRASH")
        layout.operator("retime_people.attach_backend", icon="FILEBROWSER")
        layout.operator("retime_people.copy_diagnostics", icon="COPYDOWN")


def _draw_masks(column: bpy.types.UILayout, person: RetimePeoplePerson) -> None:
    column.prop(person, "source", text=f"Masks of {person.name}", translate=False)
    if person.source == "STRIP":
        column.prop_search(person, "matte", person.id_data.sequence_editor, "strips", text="")
    else:
        column.prop(person, "folder" if person.source == "FOLDER" else "mask", text="")
    column.separator()


def _draw_grid(layout: bpy.types.UILayout, buttons: tuple[tuple[str, str, str], ...]) -> None:
    grid = layout.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    for operator, text, icon in buttons:
        grid.operator(f"retime_people.{operator}", text=text, icon=icon)


classes = (
    RETIME_PEOPLE_PT_main,
    RETIME_PEOPLE_PT_time,
    RETIME_PEOPLE_PT_masks,
    RETIME_PEOPLE_PT_decompose,
    RETIME_PEOPLE_PT_backend,
    RETIME_PEOPLE_PT_drawing,
)
