"""A real mouse over the window: what lies under it is asked of Blender, so that a button is found by what it does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import bpy
from steps import MODULE, Steps, over, scene, timeline, window, window_with

Spot = tuple[int, int]
COLUMNS = (0.3, 0.75, 0.93, 0.86, 0.1)
"""Where in the width of the sidebar buttons are looked for."""
ROW = 15
"""Pixels between two tries, less than a button is high."""
SETTLE = 0.1
"""Seconds that Blender gets to see that the mouse has moved."""
SCREENS = 3
"""How often the sidebar is scrolled down until it begins again at its top."""
ROUNDS = 2
"""How often all of it is looked through: a busy computer may miss a move of the mouse."""
TWICE = 60
"""Milliseconds between the two clicks of a double click, which a busy computer would draw out."""


def do(*command: object) -> None:
    """Move or press as a hand does, by the program xdotool."""
    subprocess.run(["xdotool", *map(str, command)], check=True, timeout=30, capture_output=True)


def under_mouse(area: bpy.types.Area, region: bpy.types.Region) -> str:
    """The Python command of the button, or the path of the property, that the mouse is over; empty over nothing."""
    with over(area, region.type):
        found = getattr(bpy.context, "property", None)
        if found:
            return str(found[1])
        try:
            bpy.ops.ui.copy_python_command_button()
        except RuntimeError:
            return ""
    return bpy.context.window_manager.clipboard


def find(wanted: str, kind: str = "UI", among: str = "SEQUENCE_EDITOR") -> Generator[float, None, Spot]:
    """The middle of the first button whose command or path has this text; scrolls down where it is not to be seen.

    Args:
        wanted: a part of the command or path.
        kind: of the region to look in.
        among: the kind of editor; of several the timeline, the one that a file is chosen in, or the newest.
    """
    for screen in range(ROUNDS * SCREENS):
        area = EDITORS[among]()
        region = next(region for region in area.regions if region.type == kind)
        for column in COLUMNS:
            for below in range(8, region.height, ROW):
                spot = on_screen(area, region, round(column * region.width), region.height - below)
                do("mousemove", *spot)
                yield SETTLE
                if wanted in under_mouse(area, region):
                    return spot
        do("mousemove", *on_screen(area, region, region.width // 2, region.height // 2))
        back = screen % SCREENS == SCREENS - 1
        do("click", "--repeat", 6 * SCREENS if back else 6, 4 if back else 5)
        yield 0.5
    raise RuntimeError(f"No button for {wanted} is to be seen")


def on_screen(area: bpy.types.Area, region: bpy.types.Region, x: int, y: int) -> Spot:
    """A place in a region, counted from its lower left corner, from the upper left corner of the first window."""
    around = window_with(area)
    return around.x + region.x + x, window().height - (around.y + region.y + y)


def click(wanted: str, times: int = 1, among: str = "SEQUENCE_EDITOR") -> Steps:
    """Press the button with this command or path as a hand does."""
    x, y = yield from find(wanted, among=among)
    yield from press_at(x, y, times)


def press_at(x: int, y: int, times: int = 1) -> Steps:
    """Press the left button of the mouse at a place counted from the top left corner of the window."""
    do("mousemove", x - 1, y)
    yield 0.2
    do("mousemove", x, y)
    yield 0.3
    if times > 1:
        do("click", "--repeat", times, "--delay", TWICE, 1)
    else:
        do("mousedown", 1)
        yield 0.08
        do("mouseup", 1)
    yield 0.5
    rest()


def press_person(name: str, times: int = 1) -> Steps:
    """Press the row of a person in the list of people."""
    x, y = yield from find("people_index")
    props, height = scene().retime_people, round(20 * bpy.context.preferences.system.ui_scale)
    row = sys.modules[f"{MODULE}.ui_lists"].rows_of(props)[props.people.find(name)]
    yield from press_at(x, y + row * height, times)


def press_strip(name: str) -> Steps:
    """Press a strip on the timeline."""
    strip = scene().sequence_editor.strips_all[name]
    yield from press_at(*_on_timeline(strip.frame_final_start + strip.frame_final_duration * 0.4, strip.channel + 0.7))


def press_frame(frame: int) -> Steps:
    """Press the ruler, so that the playhead goes there."""
    region = next(region for region in timeline().regions if region.type == "WINDOW")
    x, _ = _on_timeline(frame, 1)
    yield from press_at(x, window().height - (region.y + region.height) + 10)


def type_text(text: str) -> Steps:
    """Type into the field that is open, in place of what is there, and confirm."""
    do("key", "ctrl+a")
    do("type", text)
    yield 0.2
    do("key", "Return")
    yield 0.5


def file_browser() -> bpy.types.Area:
    """The editor in which a file is being chosen."""
    areas = (area for area in window().screen.areas if area.type == "FILE_BROWSER")
    return next(area for area in areas if area.spaces.active.active_operator is not None)


def picture_editor() -> bpy.types.Area:
    """The editor of pictures in the newest window."""
    areas = bpy.context.window_manager.windows[-1].screen.areas
    return next(area for area in areas if area.type == "IMAGE_EDITOR")


def click_around(points: tuple[tuple[float, float], ...]) -> Steps:
    """Press places in the picture that is drawn on, with Ctrl held; in shares of its width and height, from below."""
    area = picture_editor()
    region = next(region for region in area.regions if region.type == "WINDOW")
    do("keydown", "ctrl")
    for point in points:
        do("mousemove", *on_screen(area, region, *region.view2d.view_to_region(*point, clip=False)))
        yield 0.3
        do("click", 1)
        yield 0.3
    do("keyup", "ctrl")
    yield 0.3


def drag(begin: Spot, end: Spot) -> Steps:
    """Drag with the left button of the mouse."""
    do("mousemove", *begin)
    yield 0.4
    do("mousedown", 1)
    yield 0.2
    for share in (0.3, 0.7, 1.0):
        do("mousemove", *(round(a + (b - a) * share) for a, b in zip(begin, end, strict=True)))
        yield 0.2
    do("mouseup", 1)
    yield 0.5


def is_choosing() -> bool:
    """True while Blender asks for a file."""
    areas = (area for area in window().screen.areas if area.type == "FILE_BROWSER")
    return any(area.spaces.active.active_operator is not None for area in areas)


def choose_file(path: Path) -> Steps:
    """Type the folder and the name of a file where Blender asks for one, and confirm."""
    yield from _type_folder(path.parent)
    # No path leads to this field, which is the only one at the bottom.
    yield from press_at(*_in_browser("EXECUTE", 0.3, 0.5))
    yield from type_text(path.name)
    yield from _confirm_choice()


def choose_folder(path: Path) -> Steps:
    """Type a folder where Blender asks for one, and confirm."""
    yield from _type_folder(path)
    yield from _confirm_choice()


def _type_folder(folder: Path) -> Steps:
    yield 1.0
    yield from press_at(*(yield from find("params.directory", "UI", "FILE_BROWSER")))
    yield from type_text(f"{folder}/")
    # The field stays open until something else is pressed.
    yield from press_at(*_in_browser("WINDOW", 0.5, 0.95))


def _confirm_choice() -> Steps:
    if is_choosing():
        do("mousemove", *_in_browser("WINDOW", 0.5, 0.95))
        yield 0.3
        do("key", "Return")
    yield 1.0


def _in_browser(kind: str, across: float, down: float) -> Spot:
    """A place in a region of the file browser, in shares of its width and height from its upper left corner."""
    region = next(region for region in file_browser().regions if region.type == kind)
    top = window().height - region.y - region.height
    return region.x + round(across * region.width), top + round(down * region.height)


EDITORS = {"SEQUENCE_EDITOR": timeline, "FILE_BROWSER": file_browser, "IMAGE_EDITOR": picture_editor}
"""Of several editors of a kind the one that is meant."""


def press_key(keys: str) -> Steps:
    """Press keys while the mouse is over the timeline."""
    region = next(region for region in timeline().regions if region.type == "WINDOW")
    do("mousemove", region.x + region.width // 2, window().height - region.y - region.height // 2)
    yield 0.3
    do("key", keys)
    yield 0.7


def rest() -> None:
    """Take the mouse into the lower left corner, where it shows no tooltip and lights up nothing."""
    do("mousemove", 3, window().height - 3)


def _on_timeline(frame: float, channel: float) -> Spot:
    region = next(region for region in timeline().regions if region.type == "WINDOW")
    x, y = region.view2d.view_to_region(frame, channel, clip=False)
    return region.x + x, window().height - (region.y + y)
