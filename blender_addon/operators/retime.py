"""Giving each person a time of their own, on top of Blender's retiming keys."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty

from ..channels import NoFreeChannel
from ..compat import Scene, Strip, content_end, content_start, sequencer_scene, set_handles
from ..hold import hold_until
from ..people_list import refresh
from ..person_copies import duplicate
from ..poll_reasons import why_not_at
from ..strip_keys import freeze, move_content, reset, set_speed
from ..strips import SHOT, active_person, background_of, seen_frames
from .person import PersonOperator, frame_properties, person_property


class RETIME_PEOPLE_OT_freeze(PersonOperator, bpy.types.Operator):
    """Hold a person still for a while, then let the person go on as before"""

    bl_idname = "retime_people.freeze"
    bl_label = "Freeze Person"

    person: person_property()
    frame: IntProperty(name="Frame", description="Frame of the timeline to hold; the current one unless set")
    duration: IntProperty(
        name="Duration", description="For how many frames more it is held", default=12, min=1, soft_max=250
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start from the playhead, which may stand where nothing would come of it."""
        if not self.properties.is_property_set("frame"):
            self.frame = sequencer_scene(context).frame_current
        scene = sequencer_scene(context)
        elsewhere = why_not_at(scene, self.person or active_person(scene), self.frame)
        return self.refuse(elsewhere) if elsewhere else self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Freeze all of the person."""
        chosen = self.properties.is_property_set("frame")
        frame = self.frame if chosen else sequencer_scene(context).frame_current
        return self.change_each(context, lambda c, scene, strip: freeze(c, scene, strip, frame, self.duration))


class RETIME_PEOPLE_OT_offset(PersonOperator, bpy.types.Operator):
    """Let everything a person does happen later, or earlier"""

    bl_idname = "retime_people.offset"
    bl_label = "Offset Person"

    person: person_property()
    frames: IntProperty(name="Frames", description="By how many frames later; below zero means earlier", default=12)
    hold: BoolProperty(
        name="Hold Ends",
        description="Hold the first or last picture, so that the person is never missing",
        default=True,
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move all of the person in time."""
        result = self.change_each(context, lambda _context, _scene, strip: move_content(strip, self.frames))
        if result == {"FINISHED"} and not self.hold:
            for strip in self.pieces(sequencer_scene(context)):
                _hide_held_ends(strip)
        return result


class RETIME_PEOPLE_OT_set_speed(PersonOperator, bpy.types.Operator):
    """Let a person move slower or faster for a while; what follows keeps its speed and moves along"""

    bl_idname = "retime_people.set_speed"
    bl_label = "Set Speed of Person"

    person: person_property()
    percent: FloatProperty(
        name="Speed", description="Speed in percent", default=50.0, min=1.0, max=10000.0, subtype="PERCENTAGE"
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start from the preview range, where there is one."""
        self.take_preview_range(context)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Change the speed of all of the person."""
        first, last = self.given("from"), self.given("to")
        return self.change_each(context, lambda c, scene, strip: set_speed(c, scene, strip, self.percent, first, last))


class RETIME_PEOPLE_OT_reset(PersonOperator, bpy.types.Operator):
    """Give a person the original time back"""

    bl_idname = "retime_people.reset"
    bl_label = "Reset Person"

    person: person_property()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Reset all of the person."""
        return self.change_each(context, _reset)


class RETIME_PEOPLE_OT_hold_end(PersonOperator, bpy.types.Operator):
    """Show a person for longer: the strips are prolonged, and after the last picture that picture is held"""

    bl_idname = "retime_people.hold_end"
    bl_label = "Hold Person at End"

    person: person_property()
    until: IntProperty(name="Until", description="Last frame to show the person on; the last of the scene unless set")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Prolong the last strips of the person, and the background with them."""
        scene = sequencer_scene(context)
        pieces = self.pieces(scene)
        if not pieces:
            return {"CANCELLED"}
        until = self.given("until")
        try:
            hold_until(scene, pieces, (scene.frame_end if until is None else until) + 1)
        except NoFreeChannel as problem:
            return self.refuse(problem)
        refresh(scene)
        return {"FINISHED"}


class RETIME_PEOPLE_OT_remove(PersonOperator, bpy.types.Operator):
    """Hide a person with shadow and reflection, leaving the background"""

    bl_idname = "retime_people.remove"
    bl_label = "Remove Person"

    person: person_property()
    bring_back: BoolProperty(name="Bring Back", description="Show a removed person again")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Mute all of the person."""
        scene = sequencer_scene(context)
        pieces = self.shown(scene)
        for piece in pieces:
            piece.mute = not self.bring_back
        refresh(scene)
        return {"FINISHED"} if pieces else {"CANCELLED"}


class RETIME_PEOPLE_OT_duplicate(PersonOperator, bpy.types.Operator):
    """Add a second copy of a person, with a time of its own, in front of the first"""

    bl_idname = "retime_people.duplicate"
    bl_label = "Duplicate Person"

    person: person_property()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy all of the person to free channels."""
        scene = sequencer_scene(context)
        pieces = self.pieces(scene)
        if not pieces:
            return {"CANCELLED"}
        try:
            name = duplicate(context, scene, pieces)
        except NoFreeChannel as problem:
            return self.refuse(problem)
        refresh(scene)
        self.report({"INFO"}, f"The copy is called {name}.")
        return {"FINISHED"}


def _reset(context: bpy.types.Context, scene: Scene, strip: Strip) -> None:
    background = background_of(scene, strip[SHOT])
    reset(context, scene, strip, content_start(background or strip))


def _hide_held_ends(strip: Strip) -> None:
    seen = seen_frames(strip)
    left, right = max(seen.start, content_start(strip)), min(seen.stop, content_end(strip))
    if left < right:
        set_handles(strip, left, right)


frame_properties(RETIME_PEOPLE_OT_set_speed, "the first of all", "the last of all")

classes = (
    RETIME_PEOPLE_OT_freeze,
    RETIME_PEOPLE_OT_offset,
    RETIME_PEOPLE_OT_set_speed,
    RETIME_PEOPLE_OT_hold_end,
    RETIME_PEOPLE_OT_reset,
    RETIME_PEOPLE_OT_remove,
    RETIME_PEOPLE_OT_duplicate,
)
