"""Kill a Blender with a window at every stage of the artist's way; the next one must lead on to a freeze frame.

    python tools/screenshots/kills.py path/to/blender [STAGE ...]

The backend is one that only acts its part, so that each stage lasts long enough to be killed in.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "addon"))

from fake_backend import FakeBackend, progress, result, state
from pictures import write_layer_set

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("setup", "finding", "preparing", "decomposing", "loading", "retimed")
FRAMES, PEOPLE = 40, ("anna", "bruno")
RUNTIME = Path("extensions", ".user", "dev", "retime_people", "backend")
SCRIPT = ROOT / "tools" / "screenshots" / "killed_window.py"
HELD = 6
"""So many questions a job takes before it is done."""


def main(blender: str, stages: list[str]) -> int:
    """How many stages did not lead on."""
    return sum(not leads_on(blender, stage) for stage in stages)


def leads_on(blender: str, stage: str) -> bool:
    """Kill one, open the next, and see what comes of it."""
    folder = Path(tempfile.mkdtemp(prefix=f"kills-{stage}-", dir=os.environ.get("KILLS_FOLDER")))
    layers = write_layer_set(folder / "layers", PEOPLE, FRAMES).parent
    with FakeBackend(folder / "user" / RUNTIME, lambda request: play(request, layers)):
        died = start(blender, stage, folder).returncode
        again = start(blender, "go_on", folder)
    said = [line for line in again.stdout.splitlines() if line.startswith(("WENT ON", "  SAID"))]
    good = again.returncode == 0 and bool(said)
    end = "leads on" if good else f"STUCK, see {folder}"
    report = "\n".join(said) if good else again.stdout[-2000:] + again.stderr[-2000:]
    sys.stdout.write(f"{stage} (ended with {died}): {end}\n{report}\n")
    sys.stdout.flush()
    return good


def start(blender: str, what: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one Blender to its end."""
    command = [blender, "--factory-startup", "--app-template", "Video_Editing", "--window-geometry", "0", "0", "1600"]
    command += ["900", "--python", str(SCRIPT), "--", what, str(folder)]
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder / "user")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)


def play(request: dict[str, Any], layers: Path) -> list[dict[str, Any]]:
    """The events of a job, which writes what it is asked for at once and tells of it late."""
    out = Path(request["out"])
    steps = [state("running"), *(progress("Training", i / HELD, HELD - i) for i in range(1, HELD))]
    if request["task"] != "people":
        return [*steps, result(shutil.copytree(layers, out, dirs_exist_ok=True) / "layers.json"), state("finished")]
    shutil.copytree(ROOT / "examples" / "plaza" / "masks", out, dirs_exist_ok=True)
    found = {"format": "retime-people/people-1", "people": [{"name": name} for name in PEOPLE]}
    (out / "people.json").write_text(json.dumps(found), encoding="utf-8")
    return [*steps, {"kind": "result", "data": {"people": str(out / "people.json")}}, state("finished")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:] or list(STAGES)))
