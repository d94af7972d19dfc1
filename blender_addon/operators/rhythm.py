"""Changes of how a person moves through time: slower by and by, backwards, again and again."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty

from ..compat import sequencer_scene
from ..strip_keys import ramp
from ..strip_time import loop, reverse
from ..strips import seen_frames
from .person import PersonOperator, frame_properties, person_property


class RETIME_PEOPLE_OT_ramp(PersonOperator, bpy.types.Operator):
    """Let a person become slower or faster bit by bit; what follows goes on at its own speed and moves along"""

    bl_idname = "retime_people.ramp"
    bl_label = "Ramp Speed of Person"

    person: person_property()
    start_percent: FloatProperty(
        name="Speed at Start", description="Speed in percent", default=100.0, min=0.0, max=1000.0, subtype="PERCENTAGE"
    )
    end_percent: FloatProperty(
        name="Speed at End", description="Speed in percent", default=25.0, min=0.0, max=1000.0, subtype="PERCENTAGE"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ramp all of the person."""
        speeds = (self.start_percent, self.end_percent)
        if sum(speeds) < 1:
            return self.refuse("Without any speed the end would never come; use Freeze, or a speed above 0")
        first, last = self.part(context)
        return self.change_each(context, lambda c, scene, strip: ramp(c, scene, strip, speeds, first, last))


class RETIME_PEOPLE_OT_reverse(PersonOperator, bpy.types.Operator):
    """Let a person move backwards, all the time or for a while"""

    bl_idname = "retime_people.reverse"
    bl_label = "Reverse Person"

    person: person_property()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start from the preview range, where there is one."""
        self.take_preview_range(context)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Turn all of the person round."""
        first, last = self.given("from"), self.given("to")
        return self.change_each(context, lambda c, scene, strip: reverse(c, scene, strip, first, last))


class RETIME_PEOPLE_OT_loop(PersonOperator, bpy.types.Operator):
    """Let a person do something again and again, then go on as before"""

    bl_idname = "retime_people.loop"
    bl_label = "Loop Person"

    person: person_property()
    times: IntProperty(
        name="Repeats", description="How often more; 0 means until the strip ends", default=0, min=0, soft_max=20
    )
    ping_pong: BoolProperty(name="Back and Forth", description="Go backwards every other time")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Loop all of the person."""
        part = self.part(context)
        pieces = self.pieces(sequencer_scene(context))
        # Before they are edited, since strips are seen from end to end meanwhile.
        end = max((seen_frames(piece).stop for piece in pieces), default=0)
        return self.change_each(
            context, lambda c, scene, strip: loop(c, scene, strip, part, self.times, self.ping_pong, end)
        )


frame_properties(RETIME_PEOPLE_OT_ramp, "the playhead, or the first of the preview range,", "a second later")
frame_properties(RETIME_PEOPLE_OT_reverse, "the first of all", "the last of all")
frame_properties(RETIME_PEOPLE_OT_loop, "the playhead, or the first of the preview range,", "a second later")

classes = (RETIME_PEOPLE_OT_ramp, RETIME_PEOPLE_OT_reverse, RETIME_PEOPLE_OT_loop)
