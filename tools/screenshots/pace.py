"""Whether the window stands still while a job runs: every stage of one, against the same window without a job.

    blender --factory-startup --app-template Video_Editing --window-geometry 0 0 1600 900 --python THIS_FILE

Writes what was measured as JSON to the file in the environment variable GUI_PACE. Needs the program xdotool.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mouse import press_strip
from opening import EXAMPLE, FINDER, add_clip, attach_backend, open_tab
from steps import Steps, over, run, scene, timeline, window
from stopwatch import Stopwatch

RESULT = Path(os.environ.get("GUI_PACE", "pace.json"))
PRESET = os.environ.get("GUI_PRESET", "standard")
SECONDS = float(os.environ.get("GUI_PACE_SECONDS", "60"))
"""How long is trained, and how long is watched without a job."""
DRAWN_EVERY = 0.5
"""Seconds between two news of a job."""
PATIENCE = 900
NICENESS = 10
"""That of the backend."""


def pace() -> Steps:
    """First without a job, on a free and on a busy processor; then people are looked for, layers made and loaded."""
    yield from open_tab()
    add_clip()
    yield 1.0
    yield from press_strip("clip")
    attach_backend()
    yield 3.0
    watch, hand = Stopwatch(), restless_hand()
    watch.begin()
    watch.phase = "no job, processor free"
    yield from drawn_often(SECONDS / 2)
    watch.phase = "no job, processor busy"
    others = [busy_process() for _ in range(os.cpu_count() or 1)]
    yield from drawn_often(SECONDS / 2)
    for process in others:
        process.kill()
    watch.phase = "between"
    yield 1.0
    if FINDER:
        yield from watched_job(watch, bpy.ops.retime_people.find_people)
    else:
        with over(timeline(), "UI"):
            bpy.ops.retime_people.add_masks_folder("EXEC_DEFAULT", directory=str(EXAMPLE / "masks"))
    scene().retime_people.settings.preset = PRESET
    scene().retime_people.settings.max_seconds = SECONDS
    yield from watched_job(watch, bpy.ops.retime_people.decompose)
    watch.phase = "layers there"
    yield SECONDS / 4
    watch.running = False
    hand.kill()
    write(watch)


def drawn_often(seconds: float) -> Steps:
    """Let the sidebar be drawn as often as a job that tells much has it drawn."""
    for _ in range(round(seconds / DRAWN_EVERY)):
        next(region for region in timeline().regions if region.type == "UI").tag_redraw()
        yield DRAWN_EVERY


def watched_job(watch: Stopwatch, operator: bpy.ops) -> Steps:
    """Start a job as its button does and name each of its stages until it is over."""
    watch.phase = f"{operator.idname_py()}: the button"
    with over(timeline(), "UI"):
        operator("INVOKE_DEFAULT")
    for _ in range(PATIENCE * 20):
        yield 0.05
        job = scene().retime_people.jobs[-1]
        watch.phase = f"{job.task}: {job.stage or job.state}"
        if job.loaded:
            watch.phase = f"{job.task}: loaded"
            yield 1.0
            return
        if job.state in ("failed", "cancelled"):
            raise RuntimeError(f"The job did not end well: {job.message}")
    raise RuntimeError("The job took too long")


def restless_hand() -> subprocess.Popen[bytes]:
    """Somebody who moves the mouse over the sidebar all the time, so that it lights up and is drawn again."""
    region = next(region for region in timeline().regions if region.type == "UI")
    x, top = region.x + region.width // 2, window().height - (region.y + region.height)
    moves = " ".join(f"mousemove {x} {top + 20 + 12 * step} sleep 0.2" for step in range(25))
    return subprocess.Popen(["sh", "-c", f"while xdotool {moves}; do :; done"], stdout=subprocess.DEVNULL)


def busy_process() -> subprocess.Popen[bytes]:
    """What takes all of a processor at the priority of the backend, and has nothing to do with the add-on."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    return process


def write(watch: Stopwatch) -> None:
    """Keep every call, and every beat that came late."""
    calls = {name: [asdict(span) for span in spans] for name, spans in watch.calls.items()}
    told = {"blender": bpy.app.version_string, "beats": [asdict(span) for span in watch.beats], "calls": calls}
    RESULT.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    run(pace)
