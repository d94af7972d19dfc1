"""Drop every second frame of a clip, decompose the rest, and render the dropped frames at their fractional times.

    python -m benchmarks.slow_motion SCENE_OR_CLIP_DIR ... --out DIR [--preset draft|standard|truth]

A scene's folder holds the rendered truth (see benchmarks.scenes), a clip's folder clip.mp4 and mask_0, mask_1 and so
on. The preset ``truth`` takes layers made from the scene's truth: seconds instead of minutes, and only the pictures in
between are measured. Layers of an earlier run are used again.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from backend.core.color import Floats
from backend.core.composite import composite, over
from backend.media.layer_set import BACKGROUND, LayerEntry, LayerReader, LayerSetInfo, LayerSetWriter, open_layers
from backend.media.pictures import write_images
from backend.media.plates import open_plate
from backend.media.sheets import Row, contact_sheet, write_sheet
from backend.media.slow_motion import LayerInTime
from benchmarks import report
from benchmarks.decomposition import decompose
from benchmarks.scenes import Scene, stage_inputs

RECORD = Path(__file__).with_name("slow_motion.json")
TRUTH = "truth"
_REGION = 8 / 255
"""A dropped frame is measured where it differs by more from the background, as in the scorer."""
_SEEN = 0.03
_SHOWN = 6

Maker = Callable[[LayerReader, str, int], Floats]
"""From a set, a layer's name and the frame before the dropped one to the layer (H, W, 4) in between."""


def crossfade(reader: LayerReader, name: str, before: int) -> Floats:
    """What an editor does: both neighbours, half each."""
    return np.asarray((reader.layer(name, before) + reader.layer(name, before + 1)) / 2, np.float32)


def dense_flow(reader: LayerReader, name: str, before: int) -> Floats:
    """OpenCV's dense inverse search between the neighbours over grey, both warped half the way."""
    near, far = reader.layer(name, before), reader.layer(name, before + 1)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    pictures = [_bytes_over_grey(layer) for layer in (near, far)]
    start = np.zeros((*near.shape[:2], 2), np.float32)
    there, back = flow.calc(*pictures, start.copy()), flow.calc(*pictures[::-1], start.copy())
    return np.asarray((_warped(near, -there / 2) + _warped(far, -back / 2)) / 2, np.float32)


def _warped(layer: Floats, flow: Any) -> Floats:
    h, w = flow.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    ends = (x + flow[..., 0], y + flow[..., 1])
    # Edges carried on, so that a background that moves isn't torn.
    return np.asarray(cv2.remap(layer, *ends, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


class Ours:
    """The product's pictures, and the time they take."""

    def __init__(self) -> None:
        self._layers: dict[str, LayerInTime] = {}
        self.seconds: list[float] = []

    def __call__(self, reader: LayerReader, name: str, before: int) -> Floats:
        layer = self._layers.setdefault(name, LayerInTime(reader, name))
        begun = time.process_time()
        picture = layer.display(before + 0.5)
        self.seconds.append(time.process_time() - begun)
        return picture


@dataclass(frozen=True)
class Dropped:
    """One dropped frame: what there should be, what is made of it by each method, where it is measured."""

    truth: Floats
    made: dict[str, Floats]
    region: Any


def measure(folder: Path, out: Path, preset: str, last: int | None = None) -> dict[str, Any]:
    """Decompose every second frame, up to the last one wanted, and measure the others; PSNR in dB, per method."""
    scene = Scene(folder) if (folder / "scene.json").is_file() else None
    layers = _layers(folder, scene, out, preset, last)
    ours = Ours()
    makers: dict[str, Maker] = {"crossfade": crossfade, "flow": dense_flow, "ours": ours}
    frames = _of_scene(scene, layers, makers) if scene else _of_clip(folder, layers, makers)
    errors: dict[str, list[Floats]] = {name: [] for name in makers}
    shown: list[Dropped] = []
    for frame in frames:
        shown.append(frame)
        for name, picture in frame.made.items():
            errors[name].append(((np.clip(picture, 0, 1) - frame.truth) ** 2).mean(-1)[frame.region])
    _draw(shown, out / f"{folder.name}-{preset}.png")
    figures = {name: round(-10 * math.log10(float(np.concatenate(found).mean())), 2) for name, found in errors.items()}
    return {**report.occasion(), **figures, "seconds": round(float(np.mean(ours.seconds)), 2)}


def _of_scene(scene: Scene, layers: LayerReader, makers: dict[str, Maker]) -> Iterator[Dropped]:
    """Each person alone over the true background against the person rendered alone."""
    for index, person in enumerate(scene.people):
        for before in range(1, layers.info.frames):
            frame = 2 * before - 1
            background, truth = scene.picture("background", frame), scene.picture(f"solo_{index}", frame)
            made = {name: over(maker(layers, person, before), background) for name, maker in makers.items()}
            yield Dropped(truth, made, np.abs(truth - background).max(-1) > _REGION)


def _of_clip(folder: Path, layers: LayerReader, makers: dict[str, Maker]) -> Iterator[Dropped]:
    """All layers over the background against the plate, where anybody is."""
    info = layers.info
    plate = list(open_plate(folder / "clip.mp4"))
    for before in range(1, info.frames):
        names = info.back_to_front(before)
        made, seen = {}, np.zeros((info.height, info.width), np.bool_)
        for method, maker in makers.items():
            stack = [maker(layers, name, before) for name in names]
            made[method] = composite(maker(layers, BACKGROUND, before)[..., :3], stack)
            seen |= np.any([layer[..., 3] > _SEEN for layer in stack], axis=0)
        yield Dropped(plate[2 * before - 1], made, seen)


def _layers(folder: Path, scene: Scene | None, out: Path, preset: str, last: int | None) -> LayerReader:
    target = out / f"{folder.name}-{preset}" / "layers"
    if not (target / "layers.json").is_file():
        shutil.rmtree(target.parent, ignore_errors=True)
        if preset == TRUTH and scene:
            _write_truth(scene, target)
        else:
            plate, masks = _halved(folder, scene, target.parent / "inputs", last)
            decompose(plate, masks, target, preset)
    return open_layers(target)


def _halved(folder: Path, scene: Scene | None, inputs: Path, last: int | None) -> tuple[Path, Path]:
    """Every second frame of the plate and of the masks."""
    if scene:
        plate, masks = stage_inputs(scene, inputs / "whole")
        _link_half(plate, inputs / "plate", last)
    else:
        write_images(inputs / "plate", list(open_plate(folder / "clip.mp4"))[:last:2])
        masks = inputs / "whole"
        for found in sorted(folder.glob("mask_*")):
            masks.mkdir(parents=True, exist_ok=True)
            (masks / found.name.replace("mask", "person")).symlink_to(found.resolve(), target_is_directory=True)
    for person in sorted(masks.iterdir()):
        _link_half(person, inputs / "masks" / person.name, last)
    return inputs / "plate", inputs / "masks"


def _link_half(source: Path, target: Path, last: int | None) -> None:
    target.mkdir(parents=True)
    for file in sorted(source.glob("*.png"))[:last:2]:
        (target / file.name).symlink_to(file.resolve())


def _write_truth(scene: Scene, target: Path) -> None:
    """Layers with the least alpha that turns the background into the person rendered alone."""
    writer = LayerSetWriter(target)
    kept = range(0, scene.frames, 2)
    for number, frame in enumerate(kept, 1):
        background = scene.picture("background", frame)
        writer.write_background(number, background)
        for index, person in enumerate(scene.people):
            alone, body = scene.picture(f"solo_{index}", frame), scene.matte(f"amodal_{index}", frame)
            change = alone - background
            room = np.where(change < 0, np.maximum(background, 1e-3), np.maximum(1 - background, 1e-3))
            needed = np.where(np.abs(change).max(-1) < 2.5 / 255, 0, (np.abs(change) / room).max(-1))
            alpha = np.clip(np.maximum(body, needed), 0, 1)[..., None]
            color = np.clip((alone - (1 - alpha) * background) / np.maximum(alpha, 1e-4), 0, 1)
            writer.write_layer(person, number, color, alpha[..., 0])
    entries = (LayerEntry.of(BACKGROUND, BACKGROUND), *(LayerEntry.of(person) for person in scene.people))
    order = tuple((BACKGROUND, *(scene.people[i] for i in scene.order(frame))) for frame in kept)
    height, width = background.shape[:2]
    writer.finish(LayerSetInfo("truth", width, height, Fraction(12), 1, len(kept), entries, order))


def _bytes_over_grey(layer: Floats) -> Any:
    picture = layer[..., :3] + (1 - layer[..., 3:]) * 0.5
    return cv2.cvtColor((np.clip(picture, 0, 1) * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)


def _draw(frames: list[Dropped], path: Path) -> None:
    """Some dropped frames and what each method made of them; outside the repository, as clips aren't ours to show."""
    picked = [frames[i] for i in np.linspace(0, len(frames) - 1, _SHOWN).astype(int)]
    rows = [Row("truth", [frame.truth for frame in picked])]
    rows += [Row(name, [frame.made[name] for frame in picked]) for name in picked[0].made]
    write_sheet(path, contact_sheet([""] * len(picked), rows, 448))


def main() -> None:
    """Measure what was asked for; what was measured before stays in the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--last", type=int, help="use only so many frames of each")
    parser.add_argument("--no-record", dest="record", action="store_false")
    options = parser.parse_args()
    record = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
    for folder in options.folders:
        figures = measure(folder, options.out, options.preset, options.last)
        print(folder.name, options.preset, figures, flush=True)
        record.setdefault(folder.name, {})[options.preset] = figures
        if options.record:
            RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
