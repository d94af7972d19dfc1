"""What a graphics card makes of long clips: ``python -m benchmarks.card SCENES_DIR --scene jumpers --out DIR``.

A scene's plate is played forth and back until it has so many frames, at its own size and enlarged, and decomposed on
the card; then single steps of training are timed, recorded and launched one kernel at a time.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path

import cv2
import torch

from backend.decompose import decompose
from backend.libraries import settle_libraries
from backend.protocol import DecomposeRequest, DecomposeSettings
from backend.train import loop, recorded
from backend.train.settings import PRESETS
from backend.train.shot_data import ShotData
from backend.train.team import Team
from benchmarks import report
from benchmarks.scenes import Scene, find_scenes

_STEPS = 150


def forth_and_back(count: int, frames: int) -> list[int]:
    """The numbers (from 0) of a clip of ``count`` frames played so that ``frames`` come out without a jump."""
    period = [*range(count), *range(count - 2, 0, -1)]
    return [period[index % len(period)] for index in range(frames)]


def lengthened(scene: Scene, out: Path, size: tuple[int, int], frames: int) -> tuple[Path, Path]:
    """The plate and the masks of a scene at (w, h), so many frames long; returns their folders."""
    sources = {"full": out / "plate", **{f"mask_{i}": out / "masks" / name for i, name in enumerate(scene.people)}}
    for passed, folder in sources.items():
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted((scene.folder / passed).glob("*.png"))
        for number, index in enumerate(forth_and_back(len(files), frames), 1):
            picture = cv2.imread(str(files[index]), cv2.IMREAD_UNCHANGED)
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / f"{number:04d}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return out / "plate", out / "masks"


def measured(plate: Path, masks: Path, out: Path, preset: str) -> report.Record:
    """One decomposition on the card; the first one of a process pays for its start."""
    torch.cuda.reset_peak_memory_stats()
    settings, began = DecomposeSettings(preset=preset, device="cuda", residual=False), time.monotonic()
    path = decompose(
        DecomposeRequest(str(plate), str(out), str(masks), settings=settings), lambda _: None, lambda: False
    )
    seconds, metrics = time.monotonic() - began, json.loads(path.read_text())["metrics"]
    return {
        "seconds": round(seconds, 1),
        "stages": metrics["stage_seconds"],
        "tflop": round(metrics["flops"] / 1e12, 1),
        "memory": metrics["peak_memory_bytes"],
        "card_memory": torch.cuda.max_memory_reserved(),
    }


def step_milliseconds(warm_up: int) -> float:
    """Time of a step on random pictures; ``warm_up`` come before the recording, see ``train.recorded``."""
    recorded._WARM_UP = warm_up
    settings = PRESETS["standard"]
    frames, people, height, width = 100, 3, 160, 272

    def random(*shape: int) -> torch.Tensor:
        return torch.rand(frames, *shape, height, width, device="cuda")

    masks = random(people)
    data = ShotData(
        plate=random(3),
        masks=masks,
        seen=1 - masks.amax(1, keepdim=True),
        distance=random(people, 1),
        background=random(3),
        unusual=random(people, 1),
        sway=torch.zeros(frames, people, device="cuda"),
        casts=random(people, 3),
    )
    state, team = loop.new_state(data, settings, 0), Team()
    gradients = loop.gradients_of(state, data, settings, team)
    for step in range(_STEPS + 10):
        if step == 10:
            torch.cuda.synchronize()
            began = time.monotonic()
        loop.take_step(state, data, settings, team, gradients)
    torch.cuda.synchronize()
    return round((time.monotonic() - began) / _STEPS * 1e3, 2)


def main() -> None:
    """Measure, print, and keep the figures under the card's name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", type=Path)
    parser.add_argument("--scene", default="jumpers")
    parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist; deleted at the end")
    parser.add_argument("--size", action="append", help="such as 1920x1080; may be given several times")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--preset", default="standard")
    options = parser.parse_args()
    settle_libraries()
    options.out.mkdir(parents=True)
    try:
        (scene,) = find_scenes(options.scenes, options.out / "unpacked", [options.scene], print)
        found: report.Record = {**report.occasion(), "scene": options.scene, "frames": options.frames, "clips": {}}
        for size in options.size or ["448x256", "1920x1080"]:
            width, height = map(int, size.split("x"))
            plate, masks = lengthened(scene, options.out / size, (width, height), options.frames)
            found["clips"][f"{size}, {options.preset}"] = measured(
                plate, masks, options.out / size / "layers", options.preset
            )
            print(size, found["clips"], flush=True)
        found["steps"] = {
            "recorded": step_milliseconds(3),
            "launched one by one": step_milliseconds(_STEPS + 10),
        }
        print(found["steps"])
        record = report.load()
        record.setdefault("cards", {})[torch.cuda.get_device_name()] = found
        report.save(record)
    finally:
        shutil.rmtree(options.out, ignore_errors=True)


if __name__ == "__main__":
    main()
