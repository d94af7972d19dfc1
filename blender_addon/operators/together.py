"""What concerns two people: moments that meet, motion in step, and who is in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..bake import take_off
from ..channels import NoFreeChannel
from ..compat import Scene, Strip, content_end, content_start, sequencer_scene
from ..depth_pieces import put_in_front
from ..motion import LEAST_OVERLAP, TEMPOS, Alignment, best_alignment
from ..motion_pictures import motion_of
from ..people_list import refresh
from ..poll_reasons import allowed, why_no_mark
from ..strip_keys import RetimingProblem, edited, move_content, set_speed
from ..strips import SUBJECT, active_person, layer_strips, people, pieces_of, seen_frames
from .person import PersonOperator, direction_property, frame_properties, person_property

LEAST_FIT = 0.3
"""People whose motion goes together less well than this have nothing in common to be aligned by."""


def _other_property() -> StringProperty:
    return StringProperty(
        name="Other Person",
        description="Name of the other person; empty means the only other one there is",
        search=_others,
    )


def _others(operator: bpy.types.OperatorProperties, context: bpy.types.Context, typed: str) -> list[str]:
    """What is offered while a name is typed."""
    return [name for name in people(sequencer_scene(context)) if name != operator.person]


class _TwoPeople(PersonOperator):
    """What changes that concern two people have in common."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask who the other one is where there are several."""
        scene = sequencer_scene(context)
        if len(people(scene)) > 2 and not self.other:
            self.person = self.person or active_person(scene)
            return context.window_manager.invoke_props_dialog(self)
        return self.execute(context)

    def both(self, scene: Scene) -> tuple[list[Strip], list[Strip]]:
        """The strips of the person and of the other one; empty, with a report, where either is not known."""
        own = self.pieces(scene)
        name = self.person or active_person(scene)
        others = [person for person in people(scene) if person != name]
        other = self.other or (others[0] if len(others) == 1 else "")
        if own and other not in others:
            who = f'There is no other person "{other}" here' if other else "Say which other person is meant"
            self.report({"ERROR"}, f"{who}; others here: {', '.join(others) or 'nobody'}.")
        theirs = pieces_of(scene, other) if own and other in others else []
        take_off(scene, theirs)
        return own, theirs


class RETIME_PEOPLE_OT_mark_moment(PersonOperator, bpy.types.Operator):
    """Remember what this person does at the playhead, for another person to be matched with"""

    bl_idname = "retime_people.mark_moment"
    bl_label = "Mark Moment"

    person: person_property()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Keep the person and the frame with the scene."""
        scene = sequencer_scene(context)
        if not self.shown(scene):
            return {"CANCELLED"}
        props = scene.retime_people
        props.mark_person, props.mark_frame = self.person or active_person(scene), scene.frame_current
        return {"FINISHED"}


class RETIME_PEOPLE_OT_match(PersonOperator, bpy.types.Operator):
    """Let what this person does at the playhead happen at the marked moment of another person"""

    bl_idname = "retime_people.match"
    bl_label = "Match Moments"

    person: person_property()
    frame: IntProperty(name="Frame", description="Frame of this person's moment; the playhead unless set")
    other_frame: IntProperty(name="Other Frame", description="Frame it is to happen on; the marked one unless set")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move all of the person in time."""
        scene = sequencer_scene(context)
        frame, target = self.given("frame"), self.given("other_frame")
        if target is None and not scene.retime_people.mark_person:
            return self.refuse("No moment is marked yet; go to the other person's moment and press Mark Moment")
        frame = scene.frame_current if frame is None else frame
        target = scene.retime_people.mark_frame if target is None else target
        return self.change_each(context, lambda _context, _scene, strip: move_content(strip, target - frame))


class RETIME_PEOPLE_OT_clear_mark(bpy.types.Operator):
    """Forget the marked moment"""

    bl_idname = "retime_people.clear_mark"
    bl_label = "Clear Mark"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a mark."""
        return allowed(cls, why_no_mark(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Clear it."""
        sequencer_scene(context).retime_people.mark_person = ""
        return {"FINISHED"}


class RETIME_PEOPLE_OT_auto_sync(_TwoPeople, bpy.types.Operator):
    """Move a person in time so that steps, jumps or strokes fall together with another person's"""

    bl_idname = "retime_people.auto_sync"
    bl_label = "Sync With Person"

    person: person_property()
    other: _other_property()
    tempo: BoolProperty(name="Match Tempo", description="Also let the person move as fast as the other one does")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Find the shift that fits best, and move all of the person."""
        scene = sequencer_scene(context)
        own, other = self.both(scene)
        if not own or not other:
            return {"CANCELLED"}
        try:
            found = self._align(context, scene, own, other)
        except (RetimingProblem, NoFreeChannel) as problem:
            return self.refuse(problem)
        result = self.change_each(context, lambda _context, _scene, strip: move_content(strip, found.shift))
        self.report({"INFO"}, _told(found))
        return result

    def _align(
        self, context: bpy.types.Context, scene: Scene, own: Sequence[Strip], other: Sequence[Strip]
    ) -> Alignment:
        found = _alignment(own, other, TEMPOS if self.tempo else (1.0,))
        if found.fit < LEAST_FIT:
            raise RetimingProblem("These two do not move alike; match a moment of each by hand instead")
        if found.tempo == 1.0:
            return found
        for piece in own:
            with edited(context, scene, piece):
                set_speed(context, scene, piece, found.tempo * 100, None, None)
        again = _alignment(own, other, (1.0,))
        return Alignment(again.shift, found.tempo, again.fit)


class RETIME_PEOPLE_OT_set_order(_TwoPeople, bpy.types.Operator):
    """Put a person in front of another one, or behind, for a stretch of the timeline"""

    bl_idname = "retime_people.set_order"
    bl_label = "Set Who Is in Front"

    person: person_property()
    other: _other_property()
    behind: BoolProperty(name="Behind", description="Put the person behind the other one instead")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Cut the strip of who is to be in front, and let the part lie above."""
        scene = sequencer_scene(context)
        own, other = self.both(scene)
        if not own or not other:
            return {"CANCELLED"}
        names = [pieces[0][SUBJECT] for pieces in (own, other)]
        front, back = reversed(names) if self.behind else names
        first, last = self.part(context)
        try:
            moved = put_in_front(context, scene, front, back, first, last + 1)
        except NoFreeChannel as problem:
            return self.refuse(problem)
        refresh(scene)
        if not moved:
            self.report({"INFO"}, f"{front} is in front of {back} there already.")
        return {"FINISHED"}


class RETIME_PEOPLE_OT_move_person(PersonOperator, bpy.types.Operator):
    """Put a person one place further to the front, or to the back, for as long as the strips last"""

    bl_idname = "retime_people.move_person"
    bl_label = "Move Person in Depth"

    person: person_property()
    direction: direction_property()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Let the two change places wherever they are seen together."""
        scene = sequencer_scene(context)
        own = self.pieces(scene)
        if not own:
            return {"CANCELLED"}
        # Strips of baked people wait on channels that tell nothing of who is in front.
        take_off(scene, layer_strips(scene, role="subject"))
        order, name = people(scene), own[0][SUBJECT]
        place = order.index(name) + (1 if self.direction == "FRONT" else -1)
        if not 0 <= place < len(order):
            return {"CANCELLED"}
        front, back = (name, order[place]) if self.direction == "FRONT" else (order[place], name)
        try:
            put_in_front(context, scene, front, back, _span(own).start, _span(own).stop)
        except NoFreeChannel as problem:
            return self.refuse(problem)
        refresh(scene)
        return {"FINISHED"}


def _span(pieces: Sequence[Strip]) -> range:
    seen = [seen_frames(piece) for piece in pieces]
    return range(min(frames.start for frames in seen), max(frames.stop for frames in seen))


def _alignment(own: Sequence[Strip], other: Sequence[Strip], tempos: tuple[float, ...]) -> Alignment:
    """How the person has to be shifted on the timeline to go with the other one."""
    moving, still = _moving_frames(own), _moving_frames(other)
    found = best_alignment(motion_of(own[0], moving), motion_of(other[0], still), tempos)
    return replace(found, shift=found.shift + still.start - moving.start)


def _moving_frames(pieces: Sequence[Strip]) -> range:
    """The timeline frames on which a person is seen, without the ends on which a picture is only held."""
    seen = _span(pieces)
    first, last = max(seen.start, content_start(pieces[0])), min(seen.stop, content_end(pieces[0]))
    if last - first < LEAST_OVERLAP:
        raise RetimingProblem(f"{pieces[0].name} is hardly seen in motion; reset the person, or match a moment by hand")
    return range(first, last)


def _told(found: Alignment) -> str:
    when = f"{abs(found.shift)} frames {'later' if found.shift > 0 else 'earlier'}" if found.shift else "as it was"
    tempo = f", at {found.tempo:.0%} speed" if found.tempo != 1.0 else ""
    return f"The person moves {when}{tempo}; the motions fit by {max(0.0, found.fit):.0%}."


frame_properties(RETIME_PEOPLE_OT_set_order, "the playhead, or the first of the preview range,", "a second later")

classes = (
    RETIME_PEOPLE_OT_mark_moment,
    RETIME_PEOPLE_OT_match,
    RETIME_PEOPLE_OT_clear_mark,
    RETIME_PEOPLE_OT_auto_sync,
    RETIME_PEOPLE_OT_set_order,
    RETIME_PEOPLE_OT_move_person,
)
