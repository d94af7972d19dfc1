"""Small layer sets with known content, and pictures of what Blender makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import bpy
import cv2
import numpy as np

from backend.core.color import Floats
from backend.core.composite import composite
from backend.media.layer_info import LayerEntry
from backend.media.layer_set import BACKGROUND, RESIDUAL, LayerReader, LayerSetInfo, LayerSetWriter, open_layers

WIDTH, HEIGHT, FRAMES = 64, 32, 12
STEP = 1 / 64
"""Coded layers show their frame's number, from 0, as a grey of so much per frame, one step up from black."""
LEFT, MIDDLE, RIGHT = 8, 32, 56
"""Columns in which only anna, both, and only bruno are seen."""


def coded_set(folder: Path, order: Sequence[Sequence[str]] = (), frames: int = FRAMES, first: int = 1) -> Path:
    """Anna left and bruno right, overlapping in the middle, each as bright as the frame's number tells.

    Bruno is brighter than anna by half the scale, so that it is seen who is in front.
    """
    writer = LayerSetWriter(folder)
    alphas = {"anna": np.zeros((HEIGHT, WIDTH), np.float32), "bruno": np.zeros((HEIGHT, WIDTH), np.float32)}
    alphas["anna"][:, 4:40] = 1
    alphas["bruno"][:, 24:60] = 1
    for i in range(frames):
        writer.write_background(first + i, np.full((HEIGHT, WIDTH, 3), 0.25, np.float32))
        for name, lift in (("anna", 0.0), ("bruno", 0.5)):
            grey = np.full((HEIGHT, WIDTH, 3), lift + (i + 1) * STEP, np.float32)
            writer.write_layer(name, first + i, grey, alphas[name])
    writer.finish(_info(order or [["anna", "bruno"]] * frames, ("anna", "bruno"), frames, first, residual=False))
    return folder / "layers.json"


def noisy_set(folder: Path, plate: Sequence[Floats], order: Sequence[Sequence[str]] = (), blur: float = 0) -> Path:
    """Soft-edged layers with shadows and saturated colours, and the residual that makes them up to the plate.

    Noise in the background and the people; with blur (a radius in pixels) as smooth as most of what is filmed.
    """
    writer = LayerSetWriter(folder)
    random = np.random.default_rng(7)
    frames, (height, width) = len(plate), plate[0].shape[:2]
    info = _info(order or [["anna", "bruno"]] * frames, ("anna", "bruno"), frames, 1, True, (width, height))
    reader = LayerReader(folder, info)
    for i, picture in enumerate(plate, 1):
        writer.write_background(i, blurred(random.random((height, width, 3), np.float32), blur))
        for k, name in enumerate(info.subjects):
            color, alpha = _soft_person(random, width, height, i + 9 * k)
            writer.write_layer(name, i, blurred(color, blur), alpha)
        writer.write_residual(i, picture - flat(reader, i))
    writer.finish(info)
    return folder / "layers.json"


def flat(reader: LayerReader, frame: int) -> Floats:
    """The layers of one frame put together without Blender, no residual."""
    layers = [reader.layer(name, frame) for name in reader.info.back_to_front(frame)]
    return composite(reader.background(frame), layers)


def flat_pictures(json_path: Path) -> list[Floats]:
    """flat() of every frame."""
    reader = open_layers(json_path)
    return [flat(reader, n) for n in range(reader.info.first_frame, reader.info.last_frame + 1)]


def new_scene(frames: int = FRAMES, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bpy.types.Scene:
    """The scene of the file, set to render strips as 16-bit PNGs without a look of its own."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.frame_start, scene.frame_end = 1, frames
    scene.view_settings.view_transform = "Standard"
    scene.render.dither_intensity = 0.0
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    image.file_format, image.color_mode, image.color_depth = "PNG", "RGB", "16"
    scene.sequence_editor_create()
    return scene


def render(scene: bpy.types.Scene, folder: Path) -> list[Floats]:
    """All frames of the scene as Blender renders them, (H, W, 3) 0..1."""
    scene.render.filepath = str(folder / "####.png")
    bpy.ops.render.render(animation=True, scene=scene.name)
    return [_read(folder / f"{n:04d}.png") for n in range(scene.frame_start, scene.frame_end + 1)]


def seen(pictures: Sequence[Floats], column: int, lift: float = 0.0) -> list[int]:
    """The frame numbers, from 0, that coded layers show in a column."""
    return [round((float(p[HEIGHT // 2, column, 0]) - lift) / STEP) - 1 for p in pictures]


def psnr(a: Sequence[Floats], b: Sequence[Floats]) -> float:
    """Pooled over all pictures, peak 1."""
    error = float(np.mean([np.mean((x - y) ** 2) for x, y in zip(a, b, strict=True)]))
    return 10 * np.log10(1 / max(error, 1e-12))


def plate_strip(
    scene: bpy.types.Scene, folder: Path, plate: Sequence[Floats], start: int = 1, bits: int = 16
) -> bpy.types.Strip:
    """The plate as a strip of PNGs, made active."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, picture in enumerate(plate, 1):
        pixels = np.round(np.clip(picture[..., ::-1], 0, 1) * (2**bits - 1)).astype(
            np.uint16 if bits == 16 else np.uint8
        )
        cv2.imwrite(str(folder / f"{i:04d}.png"), pixels)
    strip = image_strip(scene, "plate", folder, len(plate), channel=1, start=start)
    scene.sequence_editor.active_strip = strip
    return strip


def image_strip(
    scene: bpy.types.Scene, name: str, folder: Path, frames: int, channel: int, start: int = 1
) -> bpy.types.Strip:
    strips = scene.sequence_editor.strips
    strip = strips.new_image(name, str(folder / "0001.png"), channel, start, fit_method="ORIGINAL")
    for i in range(2, frames + 1):
        strip.elements.append(f"{i:04d}.png")
    return strip


def color_strip(scene: bpy.types.Scene, name: str, channel: int, kind: str = "COLOR") -> bpy.types.Strip:
    """A strip that can't have retiming keys."""
    length = {"length": 100} if bpy.app.version >= (5, 0, 0) else {"frame_end": 101}
    strip = scene.sequence_editor.strips.new_effect(name=name, type=kind, channel=channel, frame_start=1, **length)
    strip.mute = kind == "COLOR"
    return strip


def random_plate(frames: int, size: tuple[int, int] = (WIDTH, HEIGHT), bits: int = 16) -> list[Floats]:
    """Noise, in the steps of a picture of so many bits."""
    random, top = np.random.default_rng(3), 2**bits - 1
    return [np.round(random.random((size[1], size[0], 3)) * top).astype(np.float32) / top for _ in range(frames)]


def blurred(picture: Floats, radius: float) -> Floats:
    return cv2.GaussianBlur(picture, (0, 0), radius) if radius else picture


def _soft_person(random: np.random.Generator, width: int, height: int, i: int) -> tuple[Floats, Floats]:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    body = np.clip(1.5 - np.hypot((x - 10 - 3 * i) / 9, (y - height / 2) / 12), 0, 1)
    shadow = 0.36 * np.clip(1.2 - np.hypot((x - 20 - 3 * i) / 14, (y - height + 6) / 5), 0, 1)
    color = random.random((height, width, 3), np.float32)
    color[: height // 3] = (1, 0, 0)
    return color, np.maximum(body, shadow).astype(np.float32)


def _read(path: Path) -> Floats:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., 2::-1].astype(np.float32) / 65535


def _info(
    order: Sequence[Sequence[str]],
    subjects: Sequence[str],
    frames: int,
    first: int,
    residual: bool,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> LayerSetInfo:
    entries = [LayerEntry(BACKGROUND, BACKGROUND, f"{BACKGROUND}/%04d.exr")]
    entries += [LayerEntry(name, "subject", f"{name}/%04d.exr") for name in subjects]
    entries += [LayerEntry(RESIDUAL, RESIDUAL, f"{RESIDUAL}/%04d.exr")] if residual else []
    return LayerSetInfo(
        plate="",
        width=size[0],
        height=size[1],
        fps=Fraction(24),
        first_frame=first,
        frames=frames,
        layers=tuple(entries),
        order=tuple(tuple(names) for names in order),
    )
