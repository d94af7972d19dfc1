"""Who the people are: where their masks come from, what was drawn, and corrections of who is who."""

from __future__ import annotations

import bpy

from .compat import sequencer_scene
from .mask_outlines import has_outlines
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
        """Only for people who have masks and no layers yet."""
        scene = sequencer_scene(context)
        return scene is not None and any(not person.from_layers for person in scene.retime_people.people)

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
    box.prop(person, "mask", text="")
    row = box.row(align=True)
    text = f"True on {', '.join(person.drawn.split())}" if person.drawn else "Take This Frame"
    row.operator("retime_people.take_drawn", text=text, icon="KEYFRAME_HLT", translate=False)
    if person.drawn:
        row.operator("retime_people.take_drawn", text="", icon="X").clear = True
    box.operator("retime_people.carry_masks", icon="TRACKING_FORWARDS")


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
