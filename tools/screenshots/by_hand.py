"""Two people drawn by hand, each on one frame, carried through the example clip, corrected, and one of them frozen.

    blender --factory-startup --app-template Video_Editing --window-geometry 0 0 1600 900 --python THIS_FILE

By a real mouse, as in tour.py. One picture is for the guide; those of all other steps are made only for a folder in the
environment variable GUI_PICTURES.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mouse import click, click_around, drag, press_frame, press_person, press_strip, rest, type_text
from opening import LONG_ENOUGH, add_clip, attach_backend, open_tab, view_all
from steps import Steps, run, scene, shot
from tour import FRAMES, PICTURES, TOP, top_of_timeline, wait_for_job

NAMES = ("Anna", "Bruno")
DRAWN = 5
ANNA = ((0.32, 0.77), (0.35, 0.73), (0.353, 0.5), (0.368, 0.24), (0.275, 0.25), (0.30, 0.42), (0.272, 0.56))
BRUNO = (
    *((0.645, 0.81), (0.685, 0.78), (0.70, 0.6), (0.70, 0.35), (0.757, 0.22), (0.72, 0.17), (0.66, 0.28)),
    *((0.645, 0.18), (0.59, 0.18), (0.62, 0.35), (0.605, 0.47)),
)
"""Rough outlines on that frame."""
CORRECTED, LOOKED_AT = 30, 14
ANNA_LATER = (
    *((0.578, 0.77), (0.615, 0.72), (0.625, 0.48), (0.60, 0.35), (0.62, 0.24), (0.55, 0.25), (0.576, 0.39)),
    (0.535, 0.57),
)
LOWER_TOP = 560
"""Where the sequencer begins while the preview is to be large."""


def by_hand() -> Steps:
    """Every step of an artist who draws, with a picture after it."""
    yield from open_tab()
    yield from drag((800, top_of_timeline()), (800, TOP))
    add_clip()
    scene().frame_end = FRAMES
    view_all()
    attach_backend()
    yield from press_strip("clip")
    yield LONG_ENOUGH
    look("hand_1_begin.png")
    for name, outline in zip(NAMES, (ANNA, BRUNO), strict=True):
        yield from click("retime_people.add_mask(")
        yield from press_person(scene().retime_people.people[-1].name, times=2)
        yield from type_text(name)
        look(f"hand_2_{name}_added.png")
        yield from draw(outline, DRAWN, f"hand_3_{name}_drawn.png")
        look(f"hand_4_{name}_next.png")
    yield from carry()
    yield from picture_of_outlines()
    yield from correct()
    yield from carry()
    look("hand_7_corrected.png")
    yield from click("preset")
    yield from click("decompose")
    yield from wait_for_job("", lambda _: False)
    yield LONG_ENOUGH
    look("hand_8_layers.png")
    yield from press_strip(NAMES[0])
    yield from press_frame(12)
    yield from click("retime_people.freeze")
    yield from press_frame(20)
    yield 2 * LONG_ENOUGH
    look("hand_9_frozen.png")


def look(picture: str) -> None:
    """A picture of a step, for whoever wants to see them all."""
    if "GUI_PICTURES" in os.environ:
        shot(PICTURES / picture)


def draw(outline: tuple[tuple[float, float], ...], frame: int, picture: str) -> Steps:
    """Go to a frame, open the window, click around somebody, and close the window again."""
    yield from press_frame(frame)
    yield from click("draw_mask")
    yield 2 * LONG_ENOUGH
    yield from click_around(outline)
    yield from click("take_drawn", among="IMAGE_EDITOR")
    yield LONG_ENOUGH
    look(picture)
    yield from click("window_close", among="IMAGE_EDITOR")
    rest()
    yield LONG_ENOUGH


def carry() -> Steps:
    """Have what was drawn carried through, then look at it on another frame."""
    yield from click("carry_masks")
    yield from wait_for_job("", lambda _: False)
    yield from press_frame(LOOKED_AT)
    rest()
    yield 2 * LONG_ENOUGH


def picture_of_outlines() -> Steps:
    """The preview is large meanwhile."""
    yield from drag((800, TOP), (800, LOWER_TOP))
    view_all()
    rest()
    yield 2 * LONG_ENOUGH
    shot(PICTURES / "14_carried.png")
    yield from drag((800, LOWER_TOP), (800, TOP))
    view_all()
    yield LONG_ENOUGH


def correct() -> Steps:
    """Draw somebody once more, on a later frame."""
    yield from press_person(NAMES[0])
    # As by the cross in the field, since all of the old outline would have to be moved.
    scene().retime_people.people[NAMES[0]].mask = None
    yield from draw(ANNA_LATER, CORRECTED, "hand_6_corrected.png")


if __name__ == "__main__":
    run(by_hand)
