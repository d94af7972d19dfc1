"""What all operators on a person have in common: who is meant, which frames, and that all of a person changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..bake import take_off
from ..channels import NoFreeChannel
from ..compat import Scene, Strip, sequencer_scene
from ..people_list import refresh
from ..strip_keys import RetimingProblem, edited
from ..strips import SUBJECT, active_person, layer_strips, people, pieces_of, shown_pieces

PART_FRAMES = 24
"""How many frames from the playhead on are meant where neither frames nor a preview range are given."""

Change = Callable[[bpy.types.Context, Scene, Strip], None]


def person_property() -> StringProperty:
    """The keyword by which a person is named."""
    return StringProperty(
        name="Person", description="Name of the person's layer; empty means the person whose strip is active"
    )


def direction_property() -> EnumProperty:
    """The keyword that says which way a person moves in the depth order."""
    return EnumProperty(
        name="Direction",
        description="Where to",
        items=(
            ("FRONT", "To the Front", "In front of the next person"),
            ("BACK", "To the Back", "Behind the next one"),
        ),
    )


def frame_properties(operator: type[bpy.types.Operator], first: str, last: str) -> type[bpy.types.Operator]:
    """Give an operator the keywords ``from`` and ``to``, with what they are when not set in words."""
    # The first is a keyword of Python and can't be declared like others; in calls it is written **{"from": 8}.
    operator.__annotations__["from"] = IntProperty(
        name="From", description=f"First frame of the timeline that is changed; {first} unless set"
    )
    operator.__annotations__["to"] = IntProperty(
        name="To", description=f"Last frame of the timeline that is changed; {last} unless set"
    )
    return operator


class PersonOperator:
    """What all changes of a person have in common."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where layers of people are loaded."""
        scene = sequencer_scene(context)
        if layer_strips(scene, role="subject"):
            return True
        cls.poll_message_set("Load the layers of a shot first")
        return False

    def given(self, name: str) -> Any:
        """The value of a property that was set; None for one that was not."""
        return getattr(self, name) if self.properties.is_property_set(name) else None

    def take_preview_range(self, context: bpy.types.Context) -> None:
        """Where no frames were given, mean those of the preview range, if the artist has set one."""
        scene = sequencer_scene(context)
        if scene.use_preview_range and self.given("from") is None and self.given("to") is None:
            setattr(self, "from", scene.frame_preview_start)
            self.to = scene.frame_preview_end

    def part(self, context: bpy.types.Context) -> tuple[int, int]:
        """First and last frame: as given, else of the preview range, else from the playhead on."""
        self.take_preview_range(context)
        first, last = self.given("from"), self.given("to")
        first = sequencer_scene(context).frame_current if first is None else first
        return first, first + PART_FRAMES - 1 if last is None else last

    def pieces(self, scene: Scene) -> list[Strip]:
        """All strips of the person that is meant; empty, with a report, when there is no such person.

        What is baked shows the time that was, so it is taken off. Its pictures are kept: to bake again makes only
        what is new.
        """
        found = self._strips(scene)
        take_off(scene, found)
        return found

    def shown(self, scene: Scene) -> list[Strip]:
        """The strips that the person is seen by, baked or not; empty, with a report, when there is no such person."""
        found = self._strips(scene)
        return shown_pieces(scene, found[0][SUBJECT]) if found else []

    def _strips(self, scene: Scene) -> list[Strip]:
        name = self.person or active_person(scene)
        found = pieces_of(scene, name)
        if not found:
            who = f'There is no person "{name}" here' if name else "Click a person's strip, or give a name"
            self.report({"ERROR"}, f"{who}; people here: {', '.join(people(scene))}.")
        return found

    def change_each(self, context: bpy.types.Context, change: Change) -> set[str]:
        """Do the same to every strip of the person, so that the person stays one."""
        scene = sequencer_scene(context)
        pieces = self.pieces(scene)
        try:
            for piece in pieces:
                with edited(context, scene, piece):
                    change(context, scene, piece)
        except (RetimingProblem, NoFreeChannel) as problem:
            return self.refuse(problem)
        refresh(scene)
        return {"FINISHED"} if pieces else {"CANCELLED"}

    def refuse(self, problem: Exception | str) -> set[str]:
        """Say why nothing was done."""
        self.report({"ERROR"}, f"{problem}.")
        return {"CANCELLED"}
