"""Tiny pictures for tests, written and read with Blender itself, so that no other library is needed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import bpy
import numpy as np

WIDTH, HEIGHT = 24, 16


def write_png(path: Path, pixels: np.ndarray) -> Path:
    """pixels: (H, W, 3) 0..255, top row first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pixels.shape[:2]
    image = bpy.data.images.new("test picture", width, height, alpha=False)
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = pixels[::-1] / 255.0
    image.pixels.foreach_set(rgba.ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def read_png(path: Path) -> np.ndarray:
    """(H, W, 3) 0..255 as whole numbers, top row first; linear for an EXR, times 255."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    data = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(data)
    bpy.data.images.remove(image)
    pixels = data.reshape(height, width, 4)[::-1, :, :3] * 255
    return np.rint(pixels).astype(int) if path.suffix == ".png" else pixels


def numbered_picture(number: int) -> np.ndarray:
    """A gradient whose left half tells a frame number as its grey value, and which no flip leaves as it is."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    picture = np.stack([x * 10, y * 15, (x + y) * 6], axis=-1).astype(float)
    picture[4:12, 2:10] = number * 5
    return picture


def number_of(picture: np.ndarray) -> int:
    return round(float(picture[6:10, 4:8].mean()) / 5)


def write_clip(folder: Path, frames: int) -> Path:
    for number in range(frames):
        write_png(folder / f"{number + 1:04d}.png", numbered_picture(number))
    return folder


def add_clip(scene: bpy.types.Scene, folder: Path, name: str = "Clip", channel: int = 1, start: int = 1):
    """An image strip of all pictures of a folder."""
    files = sorted(folder.iterdir())
    strips = scene.sequence_editor_create().strips
    strip = strips.new_image(name=name, filepath=str(files[0]), channel=channel, frame_start=start)
    for file in files[1:]:
        strip.elements.append(file.name)
    scene.sequence_editor.active_strip = strip
    return strip


def write_masks(folder: Path, names: tuple[str, ...], frames: int) -> Path:
    for index, name in enumerate(names):
        for number in range(frames):
            mask = np.zeros((HEIGHT, WIDTH, 3))
            mask[2:14, 2 + number % 4 + 10 * index : 8 + number % 4 + 10 * index] = 255
            write_png(folder / name / f"{number + 1:04d}.png", mask)
    return folder


def write_exr(path: Path, rgba: tuple[float, float, float, float]) -> Path:
    """A small EXR of one premultiplied, linear color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("test layer", WIDTH, HEIGHT, alpha=True, float_buffer=True)
    image.colorspace_settings.name = "Linear Rec.709"
    image.pixels.foreach_set(np.tile(np.float32(rgba), WIDTH * HEIGHT))
    image.filepath_raw, image.file_format = str(path), "OPEN_EXR"
    image.save()
    bpy.data.images.remove(image)
    return path


def write_layer_set(folder: Path, people: tuple[str, ...], frames: int) -> Path:
    """A finished layer set of plain colors; returns its layers.json."""
    layers = []
    for name, role in (("background", "background"), *((person, "subject") for person in people)):
        first = write_exr(folder / name / "0001.exr", (0.2, 0.2, 0.2, 1.0) if role == "background" else (0, 0, 0, 0))
        for number in range(2, frames + 1):
            shutil.copyfile(first, first.with_name(f"{number:04d}.exr"))
        layers.append({"name": name, "role": role, "files": f"{name}/%04d.exr"})
    description = {
        "format": "retime-people/1",
        "plate": str(folder / ".input" / "plate"),
        "width": WIDTH,
        "height": HEIGHT,
        "fps": [24, 1],
        "first_frame": 1,
        "frames": frames,
        "layers": layers,
        "order": [["background", *people]] * frames,
        "camera": {"kind": "static", "to_canvas": []},
        "settings": {},
        "metrics": {},
        "version": "0.1.0",
    }
    file = folder / "layers.json"
    file.write_text(json.dumps(description), encoding="utf-8")
    return file
