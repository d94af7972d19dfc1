"""How one person looks in a list."""

from __future__ import annotations

import bpy

from .properties import RetimePeoplePerson


class RETIME_PEOPLE_UL_people(bpy.types.UIList):
    """People with color, name and where their masks come from"""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: object,
        item: RetimePeoplePerson,
        icon: int,
        active_data: object,
        active_property: str,
        index: int,
    ) -> None:
        """Draw one row."""
        split = layout.split(factor=0.15)
        split.prop(item, "color", text="")
        row = split.row(align=True)
        row.prop(item, "name", text="", emboss=False)
        has_masks = bool(item.folder) if item.source == "FOLDER" else item.mask is not None
        kind = "FILE_FOLDER" if item.source == "FOLDER" else "MOD_MASK"
        row.label(text="", icon=kind if has_masks else "ERROR")


classes = (RETIME_PEOPLE_UL_people,)
