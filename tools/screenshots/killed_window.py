"""A Blender with a window that is killed at a stage of the artist's way, and the next one, which obeys its panel.

blender --factory-startup --app-template Video_Editing --python THIS_FILE -- STAGE FOLDER
blender --factory-startup --app-template Video_Editing --python THIS_FILE -- go_on FOLDER
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))

from opening import EXAMPLE, add_clip
from steps import MODULE, Steps, enable_addon, over, run, scene, timeline, window

WHAT, FOLDER = sys.argv[sys.argv.index("--") + 1], Path(sys.argv[sys.argv.index("--") + 2])
EDIT = FOLDER / "edit.blend"
PATIENCE = 240
"""Seconds until a stage must have come."""
PREPARING = ("Rendering Frames", "Preparing Masks")


def begin() -> Steps:
    """Go on until the stage has come, then die as by a power cut."""
    yield from open_window()
    add_clip()
    scene().sequence_editor.active_strip = scene().sequence_editor.strips["clip"]
    save()
    if WHAT == "finding":
        press("find_people")
        yield from until(lambda: newest().job_id and newest().fraction > 0)
    elif WHAT != "setup":
        press("add_masks_folder", directory=str(EXAMPLE / "masks"))
        yield from decompose_until()
    os.kill(os.getpid(), signal.SIGKILL)


def decompose_until() -> Steps:
    """Make layers until the stage has come."""
    module("layer_loading").FILES_AT_ONCE = 1
    press("decompose")
    if WHAT == "preparing":
        # Not saved since: only the journal knows of the job.
        yield from until(lambda: newest().stage.startswith(PREPARING) and newest().fraction > 0)
        return
    save()
    if WHAT == "decomposing":
        yield from until(lambda: newest().job_id and newest().fraction > 0)
    elif WHAT == "loading":
        yield from until(lambda: len(scene().sequence_editor.strips_all) > 1 and not newest().loaded)
    elif WHAT == "retimed":
        yield from until(lambda: newest().loaded)
        press("freeze", person="anna", frame=10)
        save()


def go_on() -> Steps:
    """Open the file and press the first button of the panel until somebody can be retimed."""
    yield from open_window()
    bpy.ops.wm.open_mainfile(filepath=str(EDIT))
    yield 1.0
    said: list[str] = []
    for _ in range(PATIENCE * 2):
        yield 0.5
        with over(timeline(), "UI"):
            step = module("next_step").next_step(bpy.context)
        if not said or said[-1] != step.text:
            said.append(step.text)
        if module("strips").people(scene()):
            break
        if (step.buttons and not step.fields) or step.fields == ("preset",):
            yield from press_first(step.buttons[0])
    yield 1.0
    tell(said)


def press_first(button: tuple[str, dict[str, Any]]) -> Steps:
    """Do what the panel proposes."""
    name, options = button
    press(name, **options)
    yield 1.0


def tell(said: list[str]) -> None:
    """Freeze somebody, unless that was done, and say how it all ended."""
    strips = scene().sequence_editor.strips_all
    if len(strips["anna"].retiming_keys) <= 2:
        press("freeze", person="anna", frame=10)
    names = sorted(strip.name for strip in strips)
    sys.stdout.write(f"WENT ON {WHAT} {names} anna has {len(strips['anna'].retiming_keys)} keys\n")
    sys.stdout.writelines(f"  SAID {text}\n" for text in said)


def open_window() -> Steps:
    """The extension, which finds its backend running."""
    enable_addon()
    yield 0.5
    scene().render.resolution_x, scene().render.resolution_y = 448, 256
    yield from until(lambda: module("pump").session().backend.status.state == "running")


def until(is_so: Any) -> Steps:
    """Let the window live until something is so."""
    for _ in range(PATIENCE * 50):
        yield 0.02
        if is_so():
            return
    raise RuntimeError(f"{WHAT} never came")


def newest() -> Any:
    """The job that was started last."""
    return scene().retime_people.jobs[-1]


def press(name: str, **options: object) -> None:
    """What a button of ours does."""
    with over(timeline()):
        getattr(bpy.ops.retime_people, name)("EXEC_DEFAULT", **options)


def save() -> None:
    """Save the file in its place."""
    with bpy.context.temp_override(window=window()):
        bpy.ops.wm.save_as_mainfile(filepath=str(EDIT))


def module(name: str) -> ModuleType:
    """A module of the extension."""
    return import_module(f"{MODULE}.{name}")


run(go_on if WHAT == "go_on" else begin)
