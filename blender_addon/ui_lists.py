"""How one person looks in a list, and in which order they stand there."""

from __future__ import annotations

import bpy

from .compat import color_icon, left_handle
from .found_depth import rank_at
from .poll_reasons import chosen_strip
from .preview_picture import thumbnail_icon
from .properties import RetimePeoplePerson, RetimePeopleScene, has_masks
from .strips import is_hidden, people

MASK_ICONS = {"FOLDER": "FILE_FOLDER", "MASK": "MOD_MASK", "STRIP": "FILE_MOVIE"}


class RETIME_PEOPLE_UL_people(bpy.types.UIList):
    """People with color, name, and where their masks come from or whether they are seen, the one in front first"""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: RetimePeopleScene,
        item: RetimePeoplePerson,
        icon: int,
        active_data: object,
        active_property: str,
        index: int,
    ) -> None:
        """Draw one row."""
        row = layout.row(align=True)
        scene = data.id_data
        picture = thumbnail_icon(item.thumbnail)
        if picture:
            row.label(text="", icon_value=picture)
        if item.name in people(scene):
            # The name is that of the strips; to rename it here would part the two.
            row.label(text=item.name, icon=color_icon(item.tag), translate=False)
            hidden = is_hidden(scene, item.name)
            eye = row.operator("retime_people.remove", text="", icon="HIDE_ON" if hidden else "HIDE_OFF", emboss=False)
            eye.person, eye.bring_back = item.name, hidden
            return
        name = row.row(align=True)
        name.active = item.use
        name.prop(item, "name", text="", emboss=False, icon=color_icon(item.tag))
        row.prop(item, "use", text="")
        row.label(text="", icon=MASK_ICONS[item.source] if has_masks(item) else "ERROR")

    def filter_items(
        self, context: bpy.types.Context, data: RetimePeopleScene, property: str
    ) -> tuple[list[int], list[int]]:
        """People who are loaded stand as their strips do, the one in front first; others below them, as found."""
        items = getattr(data, property)
        order = rows_of(data)
        shown = bpy.types.UI_UL_list.filter_items_by_name(self.filter_name, self.bitflag_filter_item, items, "name")
        return shown or [self.bitflag_filter_item] * len(items), order


def rows_of(props: RetimePeopleScene) -> list[int]:
    """In which row, from the top, each person of the list stands."""
    scene, items = props.id_data, props.people
    back_to_front, strip = people(scene), chosen_strip(scene)
    frame = scene.frame_current - left_handle(strip) + 1 if strip is not None else 1
    places = [(_rank(item.name, back_to_front), rank_at(item.depth, frame)) for item in items]
    ranked = sorted(range(len(items)), key=places.__getitem__, reverse=True)
    return [ranked.index(index) for index in range(len(items))]


def _rank(name: str, back_to_front: list[str]) -> int:
    return back_to_front.index(name) if name in back_to_front else -1


classes = (RETIME_PEOPLE_UL_people,)
