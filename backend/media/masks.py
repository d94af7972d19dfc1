"""Masks given by the artist: where each person is, one grey picture per frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from backend.errors import MaskError
from backend.media.depth_file import ORDER_NAME, Order, read_order
from backend.media.files import by_name, may_be_file, reading
from backend.media.people_info import PEOPLE_NAME, read_people
from backend.media.plates import PlateInfo

# Blender cuts the name of a strip after 63 bytes; a few are left for its ".001".
_LONGEST_NAME = 56
_TAKEN_NAMES = re.compile(
    r"background|residual|masks|coverage|layers\.json|log\.txt|(checkpoint|preview).*", re.IGNORECASE
)
_DEVICE_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|%]')


@dataclass(frozen=True)
class MaskFolder:
    """The masks of all subjects, sorted by name; ``files`` holds for each subject one file per used frame."""

    names: tuple[str, ...]
    files: tuple[tuple[Path, ...], ...]
    read: Callable[[Path], npt.NDArray[np.uint8]] | None = None
    """How a file becomes a mask (H, W) of 0..255, where it is no plain mask."""
    order: Order = ()
    """Who stands in front of whom, where it is written beside the masks."""

    def frame(self, index: int) -> Floats:
        """The masks of one used frame (index from 0), (N, H, W) 0..1; read from disk at every call."""
        read = self.read or read_mask
        return np.stack([read(files[index]).astype(np.float32) / np.float32(255) for files in self.files])


def open_masks(folder: Path, plate: PlateInfo) -> MaskFolder:
    """Find the subjects in a folder and read all of their masks once.

    A subject has one mask per frame of the whole plate, or one per used frame. Where a list of people lies beside
    the masks, those who are not to be used are left out.

    Raises:
        MaskError: naming the subject, the file or the frame that is wrong.
    """
    with reading(folder, MaskError):
        subjects, order = subject_folders(folder), _checked_order(folder)
        files = tuple(tuple(used_files(subject, plate)) for subject in subjects)
    for subject, masks in zip(subjects, files, strict=True):
        _check_content(subject, masks, plate)
    return MaskFolder(tuple(subject.name for subject in subjects), files, order=order)


def subject_folders(folder: Path) -> list[Path]:
    """The folders of the subjects that are to be used, sorted by name; raises MaskError."""
    if not folder.is_dir():
        raise MaskError(f"{folder} is not a folder of masks")
    subjects = [path for path in by_name(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    if not subjects:
        raise MaskError(f"{folder} has no subjects", "Put each person's masks into a folder of their own inside it")
    check_names(subjects)
    return _used(folder, subjects)


def _used(folder: Path, subjects: list[Path]) -> list[Path]:
    """The subjects without those whom the list of people leaves to the background."""
    if not (folder / PEOPLE_NAME).exists():
        return subjects
    unused = {person.name for person in read_people(folder).people if not person.use}
    used = [path for path in subjects if path.name not in unused]
    if not used:
        raise MaskError(f"Nobody in {folder} is to be used", f'Set "use" to true for somebody in {PEOPLE_NAME}')
    return used


def _checked_order(folder: Path) -> Order:
    """The depth order beside the masks, if there is one; raises MaskError when it names somebody who has no masks."""
    order = read_order(folder)
    for standing in order:
        for name in standing.names:
            if not (folder / name).is_dir():
                raise MaskError(f"{folder / ORDER_NAME} names {name!a}, who has no masks", "Mend it, or delete it")
    return order


def check_names(subjects: list[Path]) -> None:
    """Make sure that the names of folders can be those of layers; raises MaskError."""
    seen: dict[str, str] = {}
    for path in subjects:
        reason = why_bad_name(path.name)
        if reason:
            raise MaskError(f"The subject {path.name!a} {reason}", f"Rename the folder in {path.parent}")
        other = seen.setdefault(path.name.casefold(), path.name)
        if other != path.name:
            raise MaskError(f"The subjects {other} and {path.name} differ by case only", "Rename one of the folders")


def why_bad_name(name: str) -> str:
    """Why a name can't be that of a layer, a folder and a strip; empty when it can."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "has a name that is not valid Unicode"
    if length > _LONGEST_NAME:
        return f"has a name longer than {_LONGEST_NAME} bytes"
    if _UNSAFE.search(name) or name != name.strip(" ."):
        return "has a name with characters that are not safe in file names"
    if _TAKEN_NAMES.fullmatch(name) or _DEVICE_NAMES.fullmatch(name):
        return "has a name that is taken"
    return ""


def used_files(subject: Path, plate: PlateInfo) -> list[Path]:
    """One file of a subject per used frame; raises MaskError when there are too few or too many."""
    files = by_name(path for path in subject.glob("[!.]*") if path.suffix.lower() == ".png" and may_be_file(path))
    if not files:
        raise MaskError(f"{subject} holds no png files")
    total = plate.total_frames or plate.frames
    if len(files) == total:
        return files[plate.first_frame - 1 :][: plate.frames]
    if len(files) == plate.frames:
        return files
    frames = f"{total}" if total == plate.frames else f"{plate.frames} used of {total}"
    raise MaskError(f"{subject} has {len(files)} masks for {frames} frames{_missing(files)}")


def _missing(files: list[Path]) -> str:
    """Which mask is missing, where the numbers in the file names show it."""
    matches = [re.search(r"(\d+)$", file.stem) for file in files]
    numbers = [int(match[1]) for match in matches if match]
    if len(set(numbers)) != len(files):
        return ""
    gaps = sorted(set(range(min(numbers), max(numbers) + 1)).difference(numbers))
    if gaps:
        width = len(files[0].stem) - len(files[0].stem.rstrip("0123456789"))
        return f": number {gaps[0]:0{width}d} is missing"
    return f": they go from {files[0].name} to {files[-1].name}"


def _check_content(subject: Path, masks: tuple[Path, ...], plate: PlateInfo) -> None:
    size = (plate.height, plate.width)
    empty = True
    for path in masks:
        mask = read_mask(path)
        if mask.shape != size:
            raise MaskError(
                f"{path} is {mask.shape[1]}x{mask.shape[0]} pixels, but the plate is {plate.width}x{plate.height}"
            )
        empty = empty and not mask.any()
    if empty:
        raise MaskError(
            f"All masks of {subject.name} are empty ({subject})", "Paint the person white, or take the folder away"
        )


def read_png(path: Path) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """The pixels of a file as they are stored, (H, W) or (H, W, C); raises MaskError."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except (OSError, cv2.error) as error:
        raise MaskError(f"{path} can't be read") from error
    if pixels is None:
        raise MaskError(f"{path} can't be read as a png image")
    return pixels  # type: ignore[return-value]


def read_mask(path: Path) -> npt.NDArray[np.uint8]:
    """One mask as (H, W) of 0..255."""
    pixels = read_png(path)
    if pixels.ndim == 3:
        # Many programs write grey as three equal channels; that loses nothing.
        if (pixels[..., :3] != pixels[..., :1]).any():
            raise MaskError(f"{path} is a colour image, not a grey one")
        pixels = pixels[..., 0]
    deep = pixels.dtype == np.uint16
    return np.asarray(pixels // 257 if deep else pixels, np.uint8)
