"""From the example clip to a retimed film, in three stages, each of which is what a user would start.

Leaves in out/demo: layers, retimed.blend, retimed.mp4 and contact_sheet.png.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.core.color import Floats
from backend.media.layer_set import open_layers
from backend.media.plates import open_plate
from backend.media.sheets import Row, contact_sheet, on_checkerboard, write_sheet

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "examples" / "plaza" / "clip.mp4"
MASKS = ROOT / "examples" / "plaza" / "masks"
OUT = ROOT / "out" / "demo"
LAYERS, BLEND, FILM, SHEET = (OUT / name for name in ("layers", "retimed.blend", "retimed.mp4", "contact_sheet.png"))

PERSON = "anna"
FREEZE_AT, FREEZE_FOR = 12, 12
TRAINING_LIMIT = 300
"""Seconds; only a machine that is slow or busy needs that long."""
SHOWN = (4, 12, 20, 28, 36)
"""The frames of the contact sheet: before the freeze, at its start, inside it, and after it."""


def main() -> None:
    """Make everything anew and say how long each stage took."""
    _start_afresh()
    started = time.monotonic()
    with stage("decompose"):
        _decompose()
    with stage("retime and render in Blender"):
        _retime_in_blender()
    with stage("contact sheet"):
        draw_sheet()
    print(f"\nAll stages: {time.monotonic() - started:.0f} s. Made:")
    for made in (LAYERS / "layers.json", BLEND, FILM, SHEET):
        print(f"  {made.relative_to(ROOT)}")


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Say what begins and, when it is done, how long it took."""
    print(f"== {name}", flush=True)
    started = time.monotonic()
    yield
    print(f"== {name}: {time.monotonic() - started:.1f} s", flush=True)


def draw_sheet() -> None:
    """Clip, every layer alone, and the film as Blender rendered it, frame below frame."""
    layers = open_layers(LAYERS)
    rows = [Row("clip", _frames(CLIP)), Row("background", [layers.background(number) for number in SHOWN])]
    for name in layers.info.subjects:
        rows.append(Row(name, [on_checkerboard(layers.layer(name, number)) for number in SHOWN]))
    rows.append(Row("retimed", _frames(FILM)))
    write_sheet(SHEET, contact_sheet([f"frame {number}" for number in SHOWN], rows))


def _decompose() -> None:
    limit = ["--max-seconds", TRAINING_LIMIT]
    _run("-m", "backend", "decompose", CLIP, "--masks", MASKS, "--out", LAYERS, "--preset", "standard", *limit)


def _retime_in_blender() -> None:
    with tempfile.TemporaryDirectory(prefix="retime-people-demo-") as resources:
        _run(
            ROOT / "examples" / "in_blender.py",
            *(CLIP, LAYERS, OUT, "--person", PERSON, "--frame", FREEZE_AT, "--duration", FREEZE_FOR),
            # Blender tells every frame on its standard output; what goes wrong comes by the other way.
            stdout=subprocess.DEVNULL,
            env={**os.environ, "BLENDER_USER_RESOURCES": resources},
        )


def _frames(video: Path) -> list[Floats]:
    return [picture for number, picture in enumerate(open_plate(video), 1) if number in SHOWN]


def _start_afresh() -> None:
    """Remove what an earlier run made, and nothing else that may lie there."""
    shutil.rmtree(LAYERS, ignore_errors=True)
    for made in (BLEND, BLEND.with_suffix(".blend1"), FILM, SHEET):
        made.unlink(missing_ok=True)
    OUT.mkdir(parents=True, exist_ok=True)


def _run(*arguments: object, stdout: int | None = None, env: dict[str, str] | None = None) -> None:
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=stdout, env=env)
    if done.returncode:
        raise SystemExit(f"demo: {Path(command[1]).name} ended with status {done.returncode}; the reason stands above")


if __name__ == "__main__":
    main()
