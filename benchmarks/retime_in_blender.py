"""Retime layers in Blender with our own operators, render there, and compare with the scene rendered that way.

    python -m benchmarks.retime_in_blender SCENE_DIR LAYERS_DIR OUT

LAYERS_DIR is a layer set, or a folder as the scorer takes it: background/ and person_0/, person_1/ … without a
description. For each retimed variant of the scene two figures are given: what Blender rendered, and the same layers
put together without Blender, both against the truth. They should agree.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from backend.core.color import Floats
from backend.core.composite import composite
from backend.media.exr import read_exr, write_exr
from backend.media.layer_info import LayerEntry
from backend.media.layer_set import BACKGROUND, INFO_NAME, LayerReader, LayerSetInfo, LayerSetWriter, open_layers


def main() -> None:
    """Both figures for each variant."""
    options = _options()
    scene = json.loads((options.scene / "scene.json").read_text())
    with tempfile.TemporaryDirectory(prefix="retime-people-") as folder:
        os.environ.setdefault("BLENDER_USER_RESOURCES", str(Path(folder) / "blender"))
        layers = open_layers(_layer_set(scene, options.layers.resolve(), Path(folder) / "layers"))
        for variant in scene["retimes"]:
            stills = options.out.resolve() / variant["name"]
            render_variant(layers, variant, stills)
            truth = list(_pictures(options.scene / variant["folder"]))
            blender, plain = psnr(_pictures(stills), truth), psnr(without_blender(layers, variant), truth)
            print(f"{scene['name']} {variant['name']}: Blender {blender:.3f} dB, without {plain:.3f} dB")


def render_variant(layers: LayerReader, variant: dict[str, Any], stills: Path) -> None:
    """Load the layers, make the variant with the operators an artist uses, render 16-bit pictures."""
    import bpy

    from examples.in_blender import enable_addon, render_stills

    bpy.ops.wm.read_homefile(use_empty=True)
    if not hasattr(bpy.types, "RETIME_PEOPLE_OT_load_layers"):
        enable_addon(Path(os.environ["BLENDER_USER_RESOURCES"]))
    scene = bpy.context.scene
    info = layers.info
    scene.render.resolution_x, scene.render.resolution_y = info.width, info.height
    scene.frame_start, scene.frame_end = 1, info.frames
    scene.view_settings.view_transform, scene.render.dither_intensity = "Standard", 0.0
    bpy.ops.retime_people.load_layers(filepath=str(layers.folder / INFO_NAME))
    person, shown = info.subjects[variant["person"]], variant["frame_map"]
    if variant["type"] == "freeze":
        bpy.ops.retime_people.freeze(person=person, frame=shown[0] + 1, duration=len(shown))
        bpy.ops.retime_people.offset(person=person, frames=-shown[0])
    else:
        bpy.ops.retime_people.offset(person=person, frames=len(shown) - 1 - shown[-1])
    render_stills(scene, stills)


def without_blender(layers: LayerReader, variant: dict[str, Any]) -> Iterator[Floats]:
    """The same variant put together by ourselves."""
    first = layers.info.first_frame
    retimed = layers.info.subjects[variant["person"]]
    for frame, source in enumerate(variant["frame_map"]):
        names = [layers.info.subjects[i] for i in variant["order"][frame]]
        numbers = [first + (source if name == retimed else frame) for name in names]
        stack = [layers.layer(name, number) for name, number in zip(names, numbers, strict=True)]
        yield np.clip(composite(layers.background(first + frame), stack), 0, 1)


def psnr(pictures: Iterable[Floats], truth: Iterable[Floats]) -> float:
    """Pooled over the clip, peak 1."""
    errors = [float(np.mean((a - b) ** 2)) for a, b in zip(pictures, truth, strict=True)]
    return float(-10 * np.log10(max(np.mean(errors), 1e-10)))


def _pictures(folder: Path) -> Iterator[Floats]:
    for path in sorted(folder.glob("*.png")):
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        yield pixels[..., 2::-1].astype(np.float32) / (65535 if pixels.dtype == np.uint16 else 255)


def _layer_set(scene: dict[str, Any], folder: Path, staged: Path) -> Path:
    """A layer set as it is, or one made of undescribed layers; one background stands for every frame."""
    if (folder / INFO_NAME).is_file():
        return folder
    names = [BACKGROUND, *(f"person_{person['index']}" for person in scene["people"])]
    for name in names:
        (staged / name).mkdir(parents=True)
        files = sorted((folder / name).glob("*.exr"))
        for i in range(scene["frames"]):
            _stage(files[i % len(files)], staged / name / f"{i + 1:04d}.exr")
    order = tuple(tuple(f"person_{i}" for i in frame) for frame in scene["order_back_to_front"])
    entries = tuple(
        LayerEntry(name, BACKGROUND if name == BACKGROUND else "subject", f"{name}/%04d.exr") for name in names
    )
    size = {"width": scene["width"], "height": scene["height"]}
    LayerSetWriter(staged).finish(
        LayerSetInfo(
            "", fps=Fraction(scene["fps"]), first_frame=1, frames=scene["frames"], layers=entries, order=order, **size
        )
    )
    return staged


def _stage(source: Path, target: Path) -> None:
    pixels = read_exr(source)
    if pixels.shape[2] == 4:
        target.symlink_to(source)
    else:
        write_exr(target, np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("scene", "layers", "out"):
        parser.add_argument(name, type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
