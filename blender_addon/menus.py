"""Where artists look first: a submenu of Strip, and an entry of Add, both of which Blender's search finds."""

from __future__ import annotations

import bpy

from .compat import sequencer_scene
from .panels import PERSON_BUTTONS, TIME_BUTTONS
from .strips import people


class RETIME_PEOPLE_MT_person(bpy.types.Menu):
    """What can be done with the time of a person"""

    bl_label = "Retime Person"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the buttons of the tab, one below the other."""
        for buttons in (TIME_BUTTONS, PERSON_BUTTONS):
            for operator, text, icon in buttons:
                self.layout.operator(f"retime_people.{operator}", text=text, icon=icon)
            self.layout.separator()
        self.layout.operator("retime_people.mark_moment", icon="MARKER_HLT")
        self.layout.operator("retime_people.match", icon="CON_TRACKTO")
        self.layout.operator("retime_people.auto_sync", icon="UV_SYNC_SELECT")


def _draw_in_strip(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    scene = sequencer_scene(context)
    if scene is not None and people(scene):
        self.layout.separator()
        self.layout.menu("RETIME_PEOPLE_MT_person", icon="TIME")


def _draw_in_add(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.operator_context = "INVOKE_REGION_WIN"
    self.layout.operator("retime_people.load_layers", text="Layers of People", icon="COMMUNITY")


ENTRIES = (("SEQUENCER_MT_strip", _draw_in_strip), ("SEQUENCER_MT_add", _draw_in_add))
"""Blender's menus, and what is added at their end."""

classes = (RETIME_PEOPLE_MT_person,)


def register() -> None:
    """Add to Blender's menus."""
    for menu, draw in ENTRIES:
        getattr(bpy.types, menu).append(draw)


def unregister() -> None:
    """Take it from there."""
    for menu, draw in ENTRIES:
        getattr(bpy.types, menu).remove(draw)
