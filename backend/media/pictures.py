"""Composited frames out: a video file, or a folder of 16-bit images."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from backend.core.color import Floats
from backend.errors import InputError, OutputError
from backend.media.files import whole_file, write_bytes, writing

MOVIE_SUFFIX = ".mp4"
_OTHER_FILES = frozenset({".avi", ".mkv", ".mov", ".webm", ".m4v", ".gif", ".png", ".jpg", ".exr", ".tif"})
# Visually lossless: the film is looked at, or measured, not streamed.
_QUALITY = {"crf": "12", "preset": "medium"}
_BT709 = 1


def check_new_file(path: Path) -> None:
    """Make sure that a file can be made without overwriting anything; raises InputError or OutputError."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder", "Choose the name of a new file")
    if path.exists():
        raise InputError(f"{path} exists already", "Choose another name or delete it")


def check_new_folder(path: Path) -> None:
    """Make sure that a folder is new or empty; raises InputError or OutputError."""
    if path.suffix.lower() in _OTHER_FILES:
        raise InputError(f"{path} is not a name for a folder", f"Give a folder, or a file ending in {MOVIE_SUFFIX}")
    if path.is_dir() and any(path.iterdir()):
        raise InputError(f"{path} is not empty", "Choose a new folder or an empty one")
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file", "Choose a new folder or an empty one")


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Make an empty folder to fill; when the block fails, what was put into it is taken away again.

    Raises:
        OutputError: the folder can't be made.
    """
    made = not path.exists()
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    except BaseException:
        for file in path.iterdir():
            if file.stem.isdigit():
                file.unlink()
        if made:
            path.rmdir()
        raise


def write_images(folder: Path, frames: Iterable[Floats]) -> None:
    """Write frames (H, W, 3) display values as 16-bit PNG files, numbered from 0001, into a new folder.

    Raises:
        OutputError: the folder can't be written. NoSpace: the disk is full.
    """
    with new_folder(folder):
        for number, frame in enumerate(frames, 1):
            pixels = np.round(np.clip(frame, 0, 1) * np.float32(65535)).astype(np.uint16)
            _, data = cv2.imencode(".png", pixels[..., ::-1])
            write_bytes(folder / f"{number:04d}.png", data.tobytes())


def write_movie(path: Path, frames: Iterable[Floats], fps: Fraction) -> None:
    """Write frames (H, W, 3) display values as H.264 in 4:2:0, tagged Rec.709, the file whole or absent.

    A picture with an odd side gets its last row or column twice, since 4:2:0 knows no odd sizes.

    Raises:
        OutputError: the file can't be written. NoSpace: the disk is full.
    """
    with whole_file(path) as temporary, av.open(str(temporary), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options=_QUALITY)
        for number, frame in enumerate(frames):
            pixels = _bytes(frame)
            if number == 0:
                _set_up(stream, pixels.shape[1], pixels.shape[0])
            picture = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def _set_up(stream: VideoStream, width: int, height: int) -> None:
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries, context.color_trc = _BT709, _BT709


def _bytes(frame: Floats) -> npt.NDArray[np.uint8]:
    """The picture in 8 bits, with even sides."""
    height, width = frame.shape[:2]
    pixels = np.round(np.clip(frame, 0, 1) * np.float32(255)).astype(np.uint8)
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
