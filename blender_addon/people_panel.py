"""Who the people are: where their masks come from, what was drawn, and corrections of who is who."""

from __future__ import annotations

import bpy

from .compat import sequencer_scene
from .drawing_window import TAB, is_for_drawing
from .mask_outlines import has_outlines
from .panel_parts import paragraph
from .plate_render import why_not_source
from .poll_reasons import chosen_strip
from .properties import RetimePeoplePerson, chosen_person


class RETIME_PEOPLE_PT_masks(bpy.types.Panel):
    """The masks of the people in the list"""

    bl_label = "Masks"
    bl_parent_id = "RETIME_PEOPLE_PT_main"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Retime"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for people in a clip, not over their layers."""
        scene = sequencer_scene(context)
        if scene is None or why_not_source(chosen_strip(scene)):
            return False
        return any(not person.from_layers for person in scene.retime_people.people)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what belongs to the chosen person, then what belongs to all."""
        layout, props = self.layout, sequencer_scene(context).retime_people
        row = layout.row()
        row.enabled = has_outlines(props)
        row.prop(props, "show_masks", icon="OVERLAY", toggle=True)
        person = chosen_person(props)
        if person is None or person.from_layers:
            return
        _draw_drawing(layout.box(), person)
        if person.found:
            _draw_corrections(layout.box(), person)


def _draw_drawing(box: bpy.types.UILayout, person: RetimePeoplePerson) -> None:
    """The drawing of a person, the frames on which it is true, and the button that carries it on."""
    box.label(text=f"Draw {person.name}", icon="GREASEPENCIL", translate=False)
    box.operator("retime_people.draw_mask", icon="WINDOW")
    box.prop(person, "mask", text="")
    _draw_frames(box, person)
    box.operator("retime_people.carry_masks", icon="TRACKING_FORWARDS")


def _draw_frames(layout: bpy.types.UILayout, person: RetimePeoplePerson) -> None:
    """The button that takes a frame, and the frames that were taken."""
    layout.operator("retime_people.take_drawn", icon="KEYFRAME_HLT")
    if person.drawn:
        row = layout.row(align=True)
        row.label(text=f"Drawn on frame {', '.join(person.drawn.split())}", translate=False)
        row.operator("retime_people.take_drawn", text="", icon="X").clear = True


def _draw_corrections(box: bpy.types.UILayout, person: RetimePeoplePerson) -> None:
    """Who is who."""
    row = box.row(align=True)
    row.label(text=f"Seen {person.first} to {person.last}", icon="HIDE_OFF", translate=False)
    row.operator("retime_people.go_to_seen", text="", icon="REW")
    row.operator("retime_people.go_to_seen", text="", icon="FF").last = True
    grid = box.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    grid.operator("retime_people.merge_people", text="Merge With …")
    grid.operator("retime_people.swap_people", text="Swap From Here …")
    grid.operator("retime_people.split_person")
    grid.operator("retime_people.delete_person", text="Delete")


class RETIME_PEOPLE_PT_drawing(bpy.types.Panel):
    """How a person is drawn, in the window that was opened for it"""

    bl_label = "Draw a Person"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = TAB

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only over a picture of ours."""
        scene = sequencer_scene(context)
        return scene is not None and is_for_drawing(context.space_data)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what to do, one after the other."""
        layout, props = self.layout, sequencer_scene(context).retime_people
        person = chosen_person(props)
        if person is None or person.mask != context.space_data.mask:
            paragraph(layout, context, "Choose in the list of people whose mask this is.", "INFO")
            return
        paragraph(
            layout, context, f"Hold Ctrl and click around {person.name}. Drag points where they are wrong.", "INFO"
        )
        _draw_frames(layout, person)
        if person.drawn:
            paragraph(
                layout, context, "Close this window, then press Carry Through Shot, or draw one more frame.", "INFO"
            )
            layout.operator("wm.window_close", text="Close Window", icon="X")
