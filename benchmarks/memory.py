"""How much memory a long clip takes: ``python -m benchmarks.memory --frames 1000 --size 1920x1080 --out FOLDER``.

A box with a shadow walks over a patterned floor under a little grain, or several that pass before each other
(``--people``); the clip is made here, decomposed by the command line, and the peak that the run tells of itself is
printed. With ``--find`` only its masks are found, from the mask of one frame. Memory should hardly grow with the number
of frames.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


def ground(width: int, height: int) -> npt.NDArray[np.float32]:
    """(H, W, 3) 0..255, the same at every call."""
    rng = np.random.default_rng(1)
    small = rng.uniform(70, 200, (height // 24 + 1, width // 24 + 1, 3)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def frame(still: npt.NDArray[np.float32], moment: float, people: int) -> tuple[Picture, list[Picture]]:
    """The picture and everybody's mask at a moment 0..1 of the clip; the last is in front."""
    height, width = still.shape[:2]
    box_w, box_h = width // 16, height // 3
    picture, masks = still.copy(), list[Picture]()
    for person in range(people):
        way = 0.5 + 0.5 * np.sin((20 + 7 * person) * moment + 2 * person)
        left, top = int((width - 3 * box_w) * way), height // 3 + person * height // 20
        shadow = np.zeros((height, width), np.float32)
        cv2.ellipse(shadow, (left + box_w * 3 // 2, top + box_h), (box_w, box_h // 10), 0, 0, 360, 0.5, -1)
        picture *= 1 - cv2.blur(shadow, (15, 15))[..., None]
        body = slice(top, top + box_h), slice(left, left + box_w)
        for mask in masks:
            mask[body] = 0
        picture[body] = np.roll((60, 90, 200), person)
        masks.append(np.zeros((height, width), np.uint8))
        masks[-1][body] = 255
    grain = np.random.default_rng(int(moment * 1e6)).normal(0, 1.5, (height, width, 1))
    return np.clip(picture + grain, 0, 255).astype(np.uint8), masks


def write_clip(folder: Path, frames: int, width: int, height: int, people: int) -> tuple[Path, Path]:
    """A video and a folder of masks for everybody; returns the path of the video and that of all masks."""
    plate, masks = folder / "clip.mp4", folder / "masks"
    names = ["walker", *(f"walker_{number}" for number in range(2, people + 1))]
    for name in names:
        (masks / name).mkdir(parents=True)
    still = ground(width, height)
    with av.open(str(plate), "w") as container:
        stream = container.add_stream("libx264", Fraction(24), {"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            picture, bodies = frame(still, number / frames, people)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            for name, body in zip(names, bodies, strict=True):
                cv2.imwrite(str(masks / name / f"{number + 1:04d}.png"), body)
        container.mux(stream.encode(None))
    return plate, masks


def decompose(plate: Path, masks: Path, layers: Path, preset: str) -> str:
    """Decompose a clip; returns what it took."""
    _backend("decompose", plate, "--masks", masks, "--out", layers, "--preset", preset, "--no-residual")
    metrics = json.loads((layers / "layers.json").read_text())["metrics"]
    peak = metrics["peak_memory_bytes"] / 2**30
    return f"{preset}: peak {peak:.2f} GiB, {metrics['seconds']:.0f} s, layers alone {metrics['recon_psnr']} dB"


def find(plate: Path, masks: Path, hints: Path, found: Path) -> str:
    """Carry the mask of the first frame through a clip; returns what it took."""
    (hints / "walker").mkdir(parents=True)
    shutil.copy(masks / "walker" / "0001.png", hints / "walker")
    began = time.monotonic()
    _backend("people", plate, "--hints", hints, "--out", found)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return f"masks: peak {peak:.2f} GiB, {time.monotonic() - began:.0f} s"


def _backend(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "backend", *map(str, arguments)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def main() -> None:
    """Make the clip, decompose it or find who is in it, tell the peak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--preset", default="draft")
    parser.add_argument("--find", action="store_true", help="find the masks of the clip instead")
    parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist; deleted at the end")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    arguments.out.mkdir(parents=True)
    try:
        plate, masks = write_clip(arguments.out, arguments.frames, width, height, arguments.people)
        if arguments.find:
            told = find(plate, masks, arguments.out / "hints", arguments.out / "found")
        else:
            told = decompose(plate, masks, arguments.out / "layers", arguments.preset)
        print(f"{arguments.frames} frames of {width}x{height}, {arguments.people} in them, {told}")
    finally:
        shutil.rmtree(arguments.out)


if __name__ == "__main__":
    main()
