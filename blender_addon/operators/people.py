"""The artist's hand: drawings that are carried through the shot, and who is who put right."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..compat import left_handle, sequencer_scene
from ..drawing_window import begin_drawing, frame_drawn_on, keep_shape
from ..drawn_people import add_drawn, drawn_people, found_folder, frame_in_strip, plate_name
from ..mask_outlines import forget_outlines
from ..people_edit import EditProblem, edit_people
from ..people_file import FILE, PeopleProblem, read_people
from ..people_list import take_people
from ..plate_render import why_not_source
from ..poll_reasons import (
    allowed,
    chosen_strip,
    why_no_drawing,
    why_no_found,
    why_no_person,
    why_not_decompose,
    why_nothing_drawn,
)
from ..preferences import user_folder
from ..preparation import ShotPlan, plan_search
from ..properties import RetimePeopleScene, chosen_person, settings_of
from ..pump import session
from ..scratch import ShotError
from .person import direction_property
from .shot import Search


class RETIME_PEOPLE_OT_draw_mask(bpy.types.Operator):
    """Open a window in which the active person is drawn on the frame under the playhead"""

    bl_idname = "retime_people.draw_mask"
    bl_label = "Draw on This Frame"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    person: StringProperty(
        name="Person", description="Who is drawn; empty for the active person", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for a chosen person, in a strip that can be decomposed."""
        scene = sequencer_scene(context)
        return allowed(cls, why_no_person(context) or why_not_source(chosen_strip(scene)).rstrip("."))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make the mask and open the window."""
        scene = sequencer_scene(context)
        strip, props = chosen_strip(scene), scene.retime_people
        if self.person in props.people:
            props.people_index = props.people.find(self.person)
        try:
            frame_in_strip(strip, scene.frame_current)
            begin_drawing(scene, strip, chosen_person(props))
        except (ShotError, OSError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RETIME_PEOPLE_OT_take_drawn(bpy.types.Operator):
    """Use the mask of the active person on the frame that it was drawn on, else on the one under the playhead"""

    bl_idname = "retime_people.take_drawn"
    bl_label = "Use on This Frame"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    clear: BoolProperty(name="Clear", description="Forget all frames that were taken", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for a chosen person who was drawn."""
        return allowed(cls, why_no_drawing(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Note the frame, or forget all."""
        scene = sequencer_scene(context)
        person = chosen_person(scene.retime_people)
        if self.clear:
            person.drawn = ""
            return {"FINISHED"}
        strip = chosen_strip(scene)
        try:
            add_drawn(person, frame_in_strip(strip, frame_drawn_on(scene, person.mask)))
            keep_shape(scene, person.mask)
        except ShotError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RETIME_PEOPLE_OT_carry_masks(Search, bpy.types.Operator):
    """Carry what was drawn on some frames through the whole shot; who was found and not drawn stays as found"""

    bl_idname = "retime_people.carry_masks"
    bl_label = "Carry Through Shot"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a strip, and with something drawn."""
        return allowed(cls, why_not_decompose(context) or why_nothing_drawn(context))

    def search(self, scene: bpy.types.Scene, strip: bpy.types.Strip, folder: Path) -> ShotPlan:
        """For those who were drawn, among those who were found."""
        props = scene.retime_people
        drawn, found = drawn_people(props, strip), found_folder(props)
        return plan_search(scene, strip, folder, settings_of(props.settings), drawn, found)


class _Correction:
    """What corrections share: they change the folder of those who were found, then the list."""

    bl_options = {"REGISTER"}  # noqa: RUF012  (no UNDO: files are changed)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for somebody who was found."""
        return allowed(cls, why_no_found(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Have the backend do it, then read the list anew."""
        scene = sequencer_scene(context)
        try:
            correct(scene.retime_people, self.change, self.words(scene))
        except (EditProblem, PeopleProblem, ShotError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class _WithOther(_Correction):
    """Corrections between the active person and another one, who is asked for."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the other person."""
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        """The people to choose from."""
        self.layout.prop_search(self, "other", sequencer_scene(context).retime_people, "people")


class RETIME_PEOPLE_OT_merge_people(_WithOther, bpy.types.Operator):
    """Put another person's masks into the active person's: the two are one"""

    bl_idname = "retime_people.merge_people"
    bl_label = "Merge With"
    change = "merge"

    other: StringProperty(name="Person", description="Who is the same person")

    def words(self, scene: bpy.types.Scene) -> list[str]:
        """The active person and the other one."""
        props = scene.retime_people
        return [plate_name(chosen_person(props)), _folder_name(props, self.other)]


class RETIME_PEOPLE_OT_swap_people(_WithOther, bpy.types.Operator):
    """Exchange the masks of the active person and another from the frame under the playhead on"""

    bl_idname = "retime_people.swap_people"
    bl_label = "Swap From Here With"
    change = "swap"

    other: StringProperty(name="Person", description="With whom to change places")

    def words(self, scene: bpy.types.Scene) -> list[str]:
        """Both people and the frame."""
        props = scene.retime_people
        frame = frame_in_strip(chosen_strip(scene), scene.frame_current)
        return [plate_name(chosen_person(props)), _folder_name(props, self.other), str(frame)]


class RETIME_PEOPLE_OT_split_person(_Correction, bpy.types.Operator):
    """Make somebody else of the active person from the frame under the playhead on"""

    bl_idname = "retime_people.split_person"
    bl_label = "Split Here"
    change = "split"

    def words(self, scene: bpy.types.Scene) -> list[str]:
        """The person and the frame."""
        frame = frame_in_strip(chosen_strip(scene), scene.frame_current)
        return [plate_name(chosen_person(scene.retime_people)), str(frame)]


class RETIME_PEOPLE_OT_delete_person(_Correction, bpy.types.Operator):
    """Delete the masks of the active person: that is nobody"""

    bl_idname = "retime_people.delete_person"
    bl_label = "Delete Masks"
    change = "delete"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask, since files are deleted."""
        return context.window_manager.invoke_confirm(self, event)

    def words(self, scene: bpy.types.Scene) -> list[str]:
        """The person."""
        return [plate_name(chosen_person(scene.retime_people))]


class RETIME_PEOPLE_OT_move_found(_Correction, bpy.types.Operator):
    """Put the active person one place further to the front, or to the back, as long as the present order holds"""

    bl_idname = "retime_people.move_found"
    bl_label = "Move Found Person in Depth"

    direction: direction_property()

    @property
    def change(self) -> str:
        """The backend's word for it."""
        return "forward" if self.direction == "FRONT" else "backward"

    def words(self, scene: bpy.types.Scene) -> list[str]:
        """The person and the frame."""
        frame = frame_in_strip(chosen_strip(scene), scene.frame_current)
        return [plate_name(chosen_person(scene.retime_people)), str(frame)]


class RETIME_PEOPLE_OT_go_to_seen(bpy.types.Operator):
    """Go to the first or last frame in which the active person is to be seen"""

    bl_idname = "retime_people.go_to_seen"
    bl_label = "Go to Where Seen"
    bl_options = {"REGISTER"}  # noqa: RUF012

    last: BoolProperty(name="Last", description="Go to the last frame instead of the first", options={"SKIP_SAVE"})
    frame: IntProperty(name="Frame", description="Frame of the strip to go to; 0 for the first or last", min=0)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for somebody who was found."""
        return allowed(cls, why_no_found(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the playhead."""
        scene = sequencer_scene(context)
        person, strip = chosen_person(scene.retime_people), chosen_strip(scene)
        frame = self.frame or (person.last if self.last else person.first)
        if strip is not None and frame:
            scene.frame_set(left_handle(strip) + frame - 1)
        return {"FINISHED"}


def correct(props: RetimePeopleScene, change: str, words: list[str]) -> None:
    """Have a correction done in the folder of those who were found, and the list filled from it again.

    Raises:
        EditProblem, PeopleProblem: with the sentence to show.
    """
    folder = found_folder(props)
    if folder is None:
        raise EditProblem("Nobody in the list was found; press Find People first.")
    chosen = props.people_index
    edit_people(session().backend.launch, Path(user_folder("backend")), folder, change, words)
    take_people(props, read_people(folder / FILE))
    forget_outlines()
    props.people_chosen = max(0, min(chosen, len(props.people) - 1))


def _folder_name(props: RetimePeopleScene, name: str) -> str:
    person = props.people.get(name)
    if person is None or not person.found:
        raise EditProblem(f"{name or 'Nobody'} was not found in this shot; choose somebody from the list.")
    return plate_name(person)


classes = (
    RETIME_PEOPLE_OT_draw_mask,
    RETIME_PEOPLE_OT_take_drawn,
    RETIME_PEOPLE_OT_carry_masks,
    RETIME_PEOPLE_OT_merge_people,
    RETIME_PEOPLE_OT_swap_people,
    RETIME_PEOPLE_OT_split_person,
    RETIME_PEOPLE_OT_delete_person,
    RETIME_PEOPLE_OT_move_found,
    RETIME_PEOPLE_OT_go_to_seen,
)
