"""The list of people, and where the masks of each come from."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..compat import sequencer_scene
from ..mask_render import people_in_folder
from ..poll_reasons import allowed, why_no_person, why_no_scene
from ..properties import add_person
from ..scratch import ShotError
from .train import forget_failed_searches


class _WithScene:
    """What these operators share: they change the people of the sequencer's scene."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there is a sequencer."""
        return allowed(cls, why_no_scene(context))


class RETIME_PEOPLE_OT_add_masks_folder(_WithScene, bpy.types.Operator):
    """Add the people whose masks are in a folder: one person per folder in it, or one for the folder itself"""

    bl_idname = "retime_people.add_masks_folder"
    bl_label = "Add Masks Folder"

    directory: StringProperty(
        name="Masks Folder", description="Folder with masks, white where the person is", subtype="DIR_PATH"
    )
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Let the artist choose the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add them to the list."""
        try:
            found = people_in_folder(Path(bpy.path.abspath(self.directory)).absolute())
        except (ShotError, OSError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        props = sequencer_scene(context).retime_people
        forget_failed_searches(props)
        for person in found:
            entry = add_person(props, person.name)
            entry.source, entry.folder = "FOLDER", str(person.folder)
        return {"FINISHED"}


class RETIME_PEOPLE_OT_add_mask(_WithScene, bpy.types.Operator):
    """Add a person to the list, who is drawn on one frame or more, or has an animated mask or a matte already"""

    bl_idname = "retime_people.add_mask"
    bl_label = "Add Person"

    mask: StringProperty(name="Mask", description="Name of the mask; empty to choose it later in the list")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the person to the list, named as the mask."""
        mask = bpy.data.masks.get(self.mask)
        if self.mask and mask is None:
            self.report({"ERROR"}, f"There is no mask named {self.mask}; draw one, or choose another")
            return {"CANCELLED"}
        props = sequencer_scene(context).retime_people
        forget_failed_searches(props)
        entry = add_person(props, mask.name if mask else f"Person {len(props.people) + 1}")
        entry.source, entry.mask = "MASK", mask
        return {"FINISHED"}


class RETIME_PEOPLE_OT_remove_person(_WithScene, bpy.types.Operator):
    """Take the active person off the list; the masks stay where they are"""

    bl_idname = "retime_people.remove_person"
    bl_label = "Remove From List"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only when a person is chosen."""
        return allowed(cls, why_no_person(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it."""
        props = sequencer_scene(context).retime_people
        props.people.remove(props.people_index)
        return {"FINISHED"}


classes = (
    RETIME_PEOPLE_OT_add_masks_folder,
    RETIME_PEOPLE_OT_add_mask,
    RETIME_PEOPLE_OT_remove_person,
)
