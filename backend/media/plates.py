"""The original picture of a shot, from a video file or a folder of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from backend.core.color import Floats
from backend.core.side_by_side import over
from backend.errors import PlateError
from backend.media.files import reading
from backend.media.image_folder import IMAGE_KINDS, list_images, read_image
from backend.media.video import decode_video, scan_video

_FOLDER_FPS = Fraction(24)
_LEAST_FRAMES = 2
# Bytes for reading an image, if it is large.
_MEMORY = 256 << 20
_LEAST_SIDE = 16
"""Pixels; in less, nobody can be told from anybody's shadow."""


@dataclass(frozen=True)
class PlateInfo:
    """What is used of a plate: ``frames`` frames from number ``first_frame`` (counted from 1) on.

    ``total_frames`` is how many the whole plate has; 0 means the same as ``frames``.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    first_frame: int
    frames: int
    total_frames: int = 0

    @property
    def last_frame(self) -> int:
        """Number of the last used frame, inclusive."""
        return self.first_frame + self.frames - 1


class Plate:
    """The used frames in order, each (H, W, 3) float32 display values; every iteration decodes anew.

    Values are 0..1, but for floating-point images, whose highlights may go beyond 1.
    """

    def __init__(self, info: PlateInfo, frames: Callable[[], Iterator[Floats]]) -> None:
        self.info = info
        self._frames = frames

    def __iter__(self) -> Iterator[Floats]:
        return self._frames()


def open_plate(path: Path, first: int = 0, last: int = 0) -> Plate:
    """Look through a plate once, so that what is wrong with it comes out before any work is done.

    Args:
        path: a video file or a folder of images.
        first: number of the first used frame, counted from 1; 0 means the beginning.
        last: number of the last used frame, inclusive; 0 means the end.

    Raises:
        PlateError: missing, unreadable, fewer than two frames, several sizes, or frames outside the plate.
    """
    with reading(path, PlateError):
        if not path.exists():
            raise PlateError(f"{path} doesn't exist")
        if path.is_dir():
            return _open_folder(path, first, last)
        if not path.is_file():
            raise PlateError(f"{path} is neither a file nor a folder")
        return _open_video(path, first, last)


def _open_video(path: Path, first: int, last: int) -> Plate:
    if path.suffix.lower() in IMAGE_KINDS:
        raise PlateError(f"{path} is a single image, and at least two frames are needed", "Give the folder it is in")
    facts = scan_video(path)
    _check_size(path, facts.height, facts.width)
    if facts.broken and not 0 < last <= facts.frames:
        raise PlateError(
            f"{path} is damaged after frame {facts.frames}", f"Use --frames 1-{facts.frames}, or convert the clip again"
        )
    first, last = _range(path, facts.frames, first, last)
    info = PlateInfo(path, facts.width, facts.height, facts.fps, first, last - first + 1, facts.frames)
    return Plate(info, lambda: decode_video(path, first, last))


def _open_folder(path: Path, first: int, last: int) -> Plate:
    files = list_images(path)
    first, last = _range(path, len(files), first, last)
    used = files[first - 1 : last]
    height, width = _one_size(used)
    _check_size(path, height, width)
    info = PlateInfo(path, width, height, _FOLDER_FPS, first, len(used), len(files))
    return Plate(info, lambda: _read_all(used))


def _check_size(path: Path, height: int, width: int) -> None:
    if min(height, width) < _LEAST_SIDE:
        raise PlateError(
            f"{path} is {width}x{height} pixels, and each side needs at least {_LEAST_SIDE}", "Give a larger clip"
        )


def _range(path: Path, total: int, first: int, last: int) -> tuple[int, int]:
    """The inclusive range meant, checked against the number of frames there are."""
    if total < _LEAST_FRAMES:
        raise PlateError(f"{path} has one frame only, and at least two are needed", "Give a longer clip")
    begin, end = first or 1, last or total
    if not 1 <= begin <= end <= total:
        wanted = f"{begin}-{last or 'end'}"
        raise PlateError(f"Frames {wanted} are not in {path}, which has frames 1-{total}", "Choose frames within it")
    if end - begin + 1 < _LEAST_FRAMES:
        raise PlateError(f"Frames {begin}-{end} are one frame only, and at least two are needed", "Choose more frames")
    return begin, end


def _read_all(files: list[Path]) -> Iterator[Floats]:
    return over(read_image, files, _MEMORY)


def _one_size(files: list[Path]) -> tuple[int, int]:
    """Height and width of the images, all of which are read."""
    height, width = read_image(files[0]).shape[:2]
    for file, image in zip(files[1:], _read_all(files[1:]), strict=True):
        found = image.shape[:2]
        if found != (height, width):
            raise PlateError(
                f"{file} is {found[1]}x{found[0]} pixels, but {files[0].name} is {width}x{height}",
                "Give images of one size",
            )
    return height, width
