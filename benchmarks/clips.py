"""Decompose real clips, measure how well the layers explain them, and draw sheets outside the repository.

    python -m benchmarks.clips CLIP_DIR ... --out DIR [--preset standard] [--no-record]

A clip's folder holds clip.mp4 and one folder of masks per person, mask_0, mask_1 and so on.
"""

from __future__ import annotations

import argparse
import math
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from backend.core.color import Floats
from backend.core.composite import composite
from backend.media.layer_set import LayerReader, open_layers
from backend.media.plates import open_plate
from backend.media.sheets import Row, contact_sheet, write_sheet
from benchmarks import report
from benchmarks.decomposition import decompose
from benchmarks.pictures import layer_rows, spread

PICTURE_WIDTH = 320


def main() -> None:
    """Measure each clip; figures go to the results page, pictures never do: the clips aren't ours to show."""
    options = _options()
    record = report.load()
    for clip in options.clips:
        measured = measure(clip, options.out / f"{clip.name}-{options.preset}", options.preset)
        print(f"{clip.name}: layers {measured['layers_psnr']:.1f} dB, with residual {measured['residual_psnr']:.1f} dB")
        record["clips"].setdefault(clip.name, {})[options.preset] = measured
        if options.record:
            report.save(record)


def measure(clip: Path, out: Path, preset: str) -> dict[str, Any]:
    """Decompose one clip with its given masks, compare the composite with the plate, draw the sheet."""
    shutil.rmtree(out, ignore_errors=True)
    outcome = decompose(clip / "clip.mp4", _stage_masks(clip, out / "masks"), out / "layers", preset)
    layers = open_layers(outcome.folder)
    figures = explain(clip / "clip.mp4", layers)
    write_sheet(out / "sheet.png", _sheet(clip / "clip.mp4", layers))
    return {
        **report.occasion(),
        "seconds": outcome.seconds,
        "metrics": outcome.metrics,
        **figures,
    }


def explain(plate: Path, layers: LayerReader) -> dict[str, float]:
    """How near the composites come to the plate over the whole clip, in dB."""
    info = layers.info
    alone, whole = [], []
    for number, picture in enumerate(open_plate(plate, info.first_frame, info.last_frame), info.first_frame):
        stack = [layers.layer(name, number) for name in info.back_to_front(number)]
        composed = composite(layers.background(number), stack)
        alone.append(_squared_error(np.clip(composed, 0, 1), picture))
        if info.has_residual:
            whole.append(_squared_error(composed + layers.residual(number), picture))
    return {"layers_psnr": _psnr(alone), "residual_psnr": _psnr(whole or alone)}


def _stage_masks(clip: Path, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for masks in sorted(clip.glob("mask_*")):
        (folder / masks.name.replace("mask", "person")).symlink_to(masks.resolve(), target_is_directory=True)
    return folder


def _sheet(plate: Path, layers: LayerReader) -> Any:
    frames = spread(layers.info.frames)
    pictures = list(islice(open_plate(plate, layers.info.first_frame, layers.info.last_frame), frames[-1] + 1))
    rows = [Row("plate", [pictures[frame] for frame in frames]), *layer_rows(layers, frames)]
    return contact_sheet([f"frame {layers.info.first_frame + frame}" for frame in frames], rows, PICTURE_WIDTH)


def _squared_error(ours: Floats, plate: Floats) -> float:
    return float(np.mean((ours - plate) ** 2))


def _psnr(errors: list[float]) -> float:
    return -10 * math.log10(max(1e-10, sum(errors) / len(errors)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+", help="folders with clip.mp4 and mask_0, mask_1 …")
    parser.add_argument("--out", type=Path, required=True, help="where layers and sheets go, outside the repository")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--no-record", dest="record", action="store_false", help="leave the results page as it is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
