"""Pictures in between for a person in slow motion, made once and shown instead of repeated frames."""

from __future__ import annotations

import bpy
from bpy.props import FloatProperty

from ..bake import baked_strips, strips_to_bake, take_off
from ..bake_run import start, under_way
from ..baked_pictures import BakeProblem
from ..compat import sequencer_scene
from ..poll_reasons import allowed, why_no_layers
from ..strips import active_person, people
from .person import person_property


class _Baking:
    """What these operators share: who is meant."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where layers are loaded, and one bake at a time."""
        busy = "Another person is being baked; wait, or cancel that" if under_way() else ""
        return allowed(cls, why_no_layers(context) or busy)

    def chosen(self, context: bpy.types.Context) -> str:
        """The person's name; empty, with a report, when there is no such person."""
        scene = sequencer_scene(context)
        name = self.person or active_person(scene)
        if strips_to_bake(scene, name):
            return name
        who = f'There is no person "{name}" here' if name else "Click a person's strip, or give a name"
        self.report({"ERROR"}, f"{who}; people here: {', '.join(people(scene))}.")
        return ""


class RETIME_PEOPLE_OT_bake(_Baking, bpy.types.Operator):
    """Make the pictures in between that a person's time asks for, and show them; the retiming keys stay as they are"""

    bl_idname = "retime_people.bake"
    bl_label = "Bake Person"
    bl_options = {"REGISTER"}  # noqa: RUF012  (no UNDO: the exchange that comes later has an undo step of its own)

    person: person_property()
    shutter: FloatProperty(
        name="Shutter",
        description="Motion blur where it goes by faster than filmed, in degrees; 0 is none, 180 a usual camera",
        default=0.0,
        min=0.0,
        max=360.0,
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin; without a window stay until the strips are exchanged."""
        person = self.chosen(context)
        if not person:
            return {"CANCELLED"}
        try:
            run = start(sequencer_scene(context).name, person, self.shutter)
        except BakeProblem as problem:
            self.report({"ERROR"}, f"{problem}.")
            return {"CANCELLED"}
        if run.done:
            self.report({"ERROR" if run.failed else "INFO"}, run.message)
        return {"CANCELLED" if run.failed else "FINISHED"}


class RETIME_PEOPLE_OT_unbake(_Baking, bpy.types.Operator):
    """Show a person's own frames again, with the retiming keys as they were; the pictures that were made are kept"""

    bl_idname = "retime_people.unbake"
    bl_label = "Unbake Person"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    person: person_property()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Exchange the strips back."""
        person, scene = self.chosen(context), sequencer_scene(context)
        if not person:
            return {"CANCELLED"}
        if not baked_strips(scene, person):
            self.report({"INFO"}, f"{person} is not baked.")
            return {"CANCELLED"}
        take_off(scene, strips_to_bake(scene, person))
        return {"FINISHED"}


class RETIME_PEOPLE_OT_cancel_bake(bpy.types.Operator):
    """Stop making pictures in between; the strips stay as they are"""

    bl_idname = "retime_people.cancel_bake"
    bl_label = "Cancel Bake"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while something is being baked."""
        return allowed(cls, "" if under_way() else "Nothing is being baked")

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Cancel."""
        run = under_way()
        if run is not None:
            run.cancel()
        return {"FINISHED"}


classes = (RETIME_PEOPLE_OT_bake, RETIME_PEOPLE_OT_unbake, RETIME_PEOPLE_OT_cancel_bake)
