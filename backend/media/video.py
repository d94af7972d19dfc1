"""Frames of a video file, decoded with the colour tags it carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from backend.core.color import Floats
from backend.errors import PlateError

_DEFAULT_FPS = Fraction(24)
# FFmpeg draws any text file as a film of letters, and follows the paths that a playlist names.
_NOT_VIDEO = frozenset({"tty", "concat", "hls", "dash", "imf", "webm_dash_manifest"})


@dataclass(frozen=True)
class VideoFacts:
    """What one whole pass over a video tells. ``broken`` is True when it can't be decoded to its end."""

    width: int
    height: int
    fps: Fraction
    frames: int
    broken: bool


def scan_video(path: Path) -> VideoFacts:
    """Decode a video once and count what comes out; what the container says of itself is not believed.

    Raises:
        PlateError: not a video, nothing in it can be decoded, or its size changes on the way.
    """
    frames, size, fps, broken = 0, (0, 0), _DEFAULT_FPS, False
    with _open(path) as container:
        stream = _video_stream(container, path)
        fps = Fraction(stream.guessed_rate or stream.average_rate or _DEFAULT_FPS)
        try:
            for frame in container.decode(stream):
                found = _upright_size(frame)
                if frames and found != size:
                    raise PlateError(f"{path} changes its size from {size} to {found} at frame {frames + 1}")
                size, frames = found, frames + 1
        except av.FFmpegError:
            broken = True
    if not frames:
        raise PlateError(f"{path} is not a video that can be read")
    return VideoFacts(*size, fps, frames, broken)


def decode_video(path: Path, first: int, last: int) -> Iterator[Floats]:
    """Decode frames ``first`` to ``last`` (from 1, inclusive) as (H, W, 3) display values 0..1, upright."""
    with _open(path) as container:
        stream = _video_stream(container, path)
        try:
            for frame in islice(container.decode(stream), first - 1, last):
                yield _to_rgb(frame)
        except av.FFmpegError as error:
            raise PlateError(f"{path} can't be decoded any more: {error.strerror}") from error


def _open(path: Path) -> av.container.InputContainer:
    try:
        # An absolute path, so that no name is taken for a protocol; "file" alone, so that nothing else is opened.
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise PlateError(f"{path} is not a video that can be read") from error
    if _NOT_VIDEO.intersection(container.format.name.split(",")):
        container.close()
        raise PlateError(f"{path} is not a video that can be read")
    return container


def _video_stream(container: av.container.InputContainer, path: Path) -> VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            stream.thread_type = "AUTO"
            return stream
    raise PlateError(f"{path} has no pictures in it, only sound or data")


def _upright_size(frame: VideoFrame) -> tuple[int, int]:
    sideways = frame.rotation % 180 == 90
    return (frame.height, frame.width) if sideways else (frame.width, frame.height)


def _to_rgb(frame: VideoFrame) -> Floats:
    # The matrix and the range are taken from the frame's own tags by the conversion.
    deep = any(component.bits > 8 for component in frame.format.components)
    pixels = frame.to_ndarray(format="rgb48le" if deep else "rgb24")
    upright = np.rot90(pixels, round(frame.rotation / 90))
    return np.ascontiguousarray(upright, np.float32) / np.float32(65535 if deep else 255)
