"""Rough masks that the artist has drawn on a few frames."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from backend.core.color import Floats
from backend.errors import MaskError
from backend.media.files import by_name, reading
from backend.media.masks import check_names, read_mask
from backend.media.plates import PlateInfo


def read_hints(folder: Path, plate: PlateInfo, size: tuple[int, int]) -> dict[str, dict[int, Floats]]:
    """The hints in a folder by person and frame (0-based within the used frames), shrunk to ``size`` (w, h).

    ``folder/anna/0012.png`` is Anna on frame 12 of the plate.

    Raises:
        MaskError: naming the file or the person that is wrong.
    """
    with reading(folder, MaskError):
        if not folder.is_dir():
            raise MaskError(f"{folder} is not a folder of hints", _FORM)
        people = [path for path in by_name(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
        if not people:
            raise MaskError(f"{folder} has no people", _FORM)
        check_names(people)
        return {person.name: _hints_of(person, plate, size) for person in people}


_FORM = "Put a mask such as NAME/0012.png into it, for the person NAME on frame 12"


def drawn_files(folder: Path, plate: PlateInfo) -> dict[str, dict[int, Path]]:
    """The files of the hints in a folder by person and frame (0-based within the used frames); raises MaskError."""
    people = [path for path in by_name(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    return {person.name: _files_of(person, plate) for person in people}


def _files_of(person: Path, plate: PlateInfo) -> dict[int, Path]:
    files: dict[int, Path] = {}
    for path in by_name(person.glob("[!.]*.png")):
        match = re.search(r"(\d+)$", path.stem)
        number = int(match[1]) if match else 0
        if not plate.first_frame <= number <= plate.last_frame:
            raise MaskError(
                f"{path} belongs to no used frame", f"Name it by its frame, {plate.first_frame} to {plate.last_frame}"
            )
        files[number - plate.first_frame] = path
    return files


def _hints_of(person: Path, plate: PlateInfo, size: tuple[int, int]) -> dict[int, Floats]:
    hints = {index: _shrunk(path, plate, size) for index, path in _files_of(person, plate).items()}
    if not any(mask.max() > 0.5 for mask in hints.values()):
        raise MaskError(f"{person} shows nobody", _FORM)
    return hints


def _shrunk(path: Path, plate: PlateInfo, size: tuple[int, int]) -> Floats:
    mask = read_mask(path)
    if mask.shape != (plate.height, plate.width):
        raise MaskError(
            f"{path} is {mask.shape[1]}x{mask.shape[0]} pixels, but the plate is {plate.width}x{plate.height}"
        )
    small = cv2.resize(mask.astype(np.float32) / np.float32(255), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
