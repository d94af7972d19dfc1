"""Preparing a shot in another Blender, which has no window, so that the artist's goes on without a stop."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

import bpy

from .gentle_process import start_gently
from .mask_render import PersonMasks
from .plate_render import Source, plate_scene
from .preparation import ShotPlan, Step, prepare
from .protocol import DecomposeSettings
from .scratch import ShotError, remove_scratch

FILE, PLAN, LOG = "scene.blend", "plan.json", "render.log"
MARK = "RETIME_PEOPLE "
"""What a line begins with that is meant for us; Blender writes lines of its own."""
CHILD = Path(__file__).with_name("render_child.py")


def is_possible() -> bool:
    """True in a Blender that can start another one: the program itself, and not the Python module."""
    return bool(bpy.app.binary_path) and not bpy.app.background


def prepare_elsewhere(plan: ShotPlan, program: tuple[str, ...] = ()) -> Iterator[Step | None]:
    """Write the frames and masks of a shot; None means that nothing new is to be told yet.

    Args:
        plan: what to write.
        program: what to start, up to the script; empty for this Blender.

    Raises:
        ShotError: when a picture can't be made or written.
    """
    process = None
    try:
        _write_file(plan)
        with (plan.input / LOG).open("wb") as log:
            process = start_gently(
                [*(program or _this_blender()), str(CHILD), "--", str(plan.input)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        yield from _listen(process, plan)
    except OSError as error:
        raise ShotError(f"{plan.out} can't be written: {error.strerror}; choose another layers folder.") from error
    finally:
        if process is not None:
            process.kill()
            process.wait()
        for name in (FILE, PLAN):
            (plan.input / name).unlink(missing_ok=True)


def prepare_here(folder: Path) -> Iterator[Step]:
    """What the other Blender does with the plan that lies in a folder; raises ShotError."""
    with bpy.data.libraries.load(str(folder / FILE)) as (there, here):
        here.scenes, here.masks = there.scenes, there.masks
    data = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    yield from prepare(_plan_from_json(data))


def _this_blender() -> tuple[str, ...]:
    return (bpy.app.binary_path, "--background", "--factory-startup", "--python-exit-code", "3", "--python")


def _write_file(plan: ShotPlan) -> None:
    """The strip in a scene of its own, the drawn masks, and the plan."""
    plan.input.mkdir(parents=True, exist_ok=True)
    try:
        scene = plate_scene(plan.source)
        masks = {bpy.data.masks[person.mask] for person in plan.people if person.mask in bpy.data.masks}
        bpy.data.libraries.write(str(plan.input / FILE), {scene, *masks}, path_remap="ABSOLUTE")
        moved = replace(plan, source=replace(plan.source, scene=scene.name))
    finally:
        remove_scratch()
    (plan.input / PLAN).write_text(json.dumps(asdict(moved), default=str), encoding="utf-8")


def _plan_from_json(data: dict[str, Any]) -> ShotPlan:
    people = tuple(
        PersonMasks(
            **{
                **person,
                "folder": Path(person["folder"]) if person["folder"] else None,
                "frames": tuple(person["frames"]),
            }
        )
        for person in data["people"]
    )
    return ShotPlan(
        **{
            **data,
            "source": Source(**data["source"]),
            "source_frames": tuple(data["source_frames"]),
            "people": people,
            "out": Path(data["out"]),
            "found": Path(data["found"]) if data["found"] else None,
            "settings": DecomposeSettings(**data["settings"]),
        }
    )


def _listen(process: subprocess.Popen[bytes], plan: ShotPlan) -> Iterator[Step | None]:
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process.stdout, lines), name="retime-people-render", daemon=True).start()
    while True:
        try:
            line = lines.get_nowait()
        except queue.Empty:
            yield None
            continue
        if line is None:
            break
        if line.startswith(MARK.encode()):
            yield _told(json.loads(line[len(MARK) :]))
    if process.wait() != 0:
        raise ShotError(f"The Blender that rendered the frames ended early; see {plan.input / LOG}, then try again.")


def _read(output: IO[bytes] | None, lines: queue.SimpleQueue[bytes | None]) -> None:
    for line in output or ():
        lines.put(line)
    lines.put(None)


def _told(data: dict[str, Any]) -> Step:
    if "problem" in data:
        raise ShotError(data["problem"])
    return Step(data["stage"], data["fraction"])


def tell(data: dict[str, Any]) -> None:
    """Say something to the Blender that waits; used by the other one."""
    sys.stdout.write(f"{MARK}{json.dumps(data)}\n")
    sys.stdout.flush()
