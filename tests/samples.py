"""Small clips, masks and layer sets, made afresh wherever a test needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from backend.core.color import decode_layer, encode_layer
from backend.core.composite import composite
from backend.media.layer_set import CameraEntry, LayerEntry, LayerSetInfo, LayerSetWriter

BT709, BT601 = 1, 5
LIMITED, FULL = 1, 2


def blocks(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Frames (H, W, 3) of 8 bits with saturated blocks, each frame a little brighter than the one before."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[:, : width // 3] = (190, 40, 30)
    frame[:, width // 3 : 2 * width // 3] = (30, 170, 60)
    frame[:, 2 * width // 3 :] = (40, 50, 200)
    return [frame + np.uint8(4 * index) for index in range(count)]


def write_clip(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    pixels: str = "yuv420p",
    matrix: int = BT709,
    span: int = LIMITED,
    fps: Fraction = Fraction(25),
) -> Path:
    """An H.264 video of 8-bit frames, tagged with its matrix and range."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "1", "preset": "veryfast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, span
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, "rgb24")
            picture = picture.reformat(format=pixels, dst_colorspace=matrix, dst_color_range=span)
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def write_image(path: Path, pixels: np.ndarray) -> Path:
    """An image with channels in the order R, G, B (A), of any depth that the suffix allows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = pixels if pixels.ndim == 2 else np.concatenate([pixels[..., 2::-1], pixels[..., 3:]], axis=2)
    _, data = cv2.imencode(path.suffix, stored)
    path.write_bytes(data.tobytes())
    return path


def write_images(folder: Path, frames: Iterable[np.ndarray], suffix: str = ".png") -> Path:
    """A folder of images numbered from 0001."""
    for number, frame in enumerate(frames, 1):
        write_image(folder / f"{number:04d}{suffix}", frame)
    return folder


def write_masks(folder: Path, name: str, count: int, height: int = 48, width: int = 64) -> Path:
    """One subject's masks: a white box that moves to the right."""
    for index in range(count):
        mask = np.zeros((height, width), np.uint8)
        mask[10:30, 5 + index : 25 + index] = 255
        write_image(folder / name / f"{index:04d}.png", mask)
    return folder


SET_FRAMES, SET_HEIGHT, SET_WIDTH = 6, 24, 32


def set_layer(name: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour (H, W, 3) and alpha (H, W) of a subject: a soft-edged box that moves by two pixels a frame."""
    color = np.full((SET_HEIGHT, SET_WIDTH, 3), (0.8, 0.2, 0.1) if name == "anna" else (0.1, 0.3, 0.9), np.float32)
    alpha = np.zeros((SET_HEIGHT, SET_WIDTH), np.float32)
    left = 4 + 2 * index if name == "anna" else 20 - 2 * index
    alpha[6:18, left : left + 6] = 0.5
    alpha[8:16, left + 1 : left + 5] = 1.0
    return color, alpha


def set_background(index: int) -> np.ndarray:
    """The background (H, W, 3) of one frame."""
    ramp = np.linspace(0.1, 0.9, SET_WIDTH, dtype=np.float32)
    return np.repeat(np.broadcast_to(ramp[None, :, None], (SET_HEIGHT, SET_WIDTH, 1)), 3, axis=2) * (1 - 0.02 * index)


def set_plate(index: int) -> np.ndarray:
    """What the layers and the residual of the set add up to."""
    seen = [decode_layer(encode_layer(*set_layer(name, index))) for name in set_order(index)]
    noise = np.random.default_rng(index).uniform(-0.02, 0.02, (SET_HEIGHT, SET_WIDTH, 3)).astype(np.float32)
    return composite(set_background(index), seen) + noise


def set_order(index: int) -> tuple[str, ...]:
    """Who is behind whom: they change places in the middle."""
    return ("anna", "ben") if index < SET_FRAMES // 2 else ("ben", "anna")


def write_layer_set(
    folder: Path, *, first_frame: int = 1, residual: bool = True, camera: CameraEntry | None = None
) -> LayerSetInfo:
    """A finished layer set of two people who cross."""
    writer = LayerSetWriter(folder)
    for index in range(SET_FRAMES):
        number = first_frame + index
        writer.write_background(number, set_background(index))
        for name in ("anna", "ben"):
            writer.write_layer(name, number, *set_layer(name, index))
        if residual:
            seen = [decode_layer(encode_layer(*set_layer(name, index))) for name in set_order(index)]
            back = decode_layer(encode_layer(set_background(index), np.ones((SET_HEIGHT, SET_WIDTH))))[..., :3]
            writer.write_residual(number, set_plate(index) - composite(back, seen))
    layers = [LayerEntry.of("background", "background"), LayerEntry.of("anna"), LayerEntry.of("ben")]
    info = LayerSetInfo(
        plate="clip.mp4",
        width=SET_WIDTH,
        height=SET_HEIGHT,
        fps=Fraction(25),
        first_frame=first_frame,
        frames=SET_FRAMES,
        layers=tuple(layers + ([LayerEntry.of("residual", "residual")] if residual else [])),
        order=tuple(("background", *set_order(index)) for index in range(SET_FRAMES)),
        camera=camera or CameraEntry(),
    )
    writer.finish(info)
    return info


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of pictures whose peak is 1."""
    return float(-10 * np.log10(max(1e-12, np.mean((a.astype(np.float64) - b) ** 2))))
