"""Contact sheets: pictures side by side with a label on each row and column, for people to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.core.color import Floats
from backend.core.composite import over
from backend.media.files import write_bytes

GAP = 6
"""Pixels between pictures."""
LABEL_WIDTH = 108
LABEL_HEIGHT = 24
PAPER = 0.13
INK = 0.92
SQUARE = 16
"""Side of a checkerboard's square, in pixels."""
LIGHT, DARK = 0.62, 0.45


@dataclass(frozen=True)
class Row:
    """One line of a sheet: its label and one (H, W, 3) display-space picture per column."""

    label: str
    pictures: list[Floats]


def on_checkerboard(premultiplied: Floats) -> Floats:
    """Lay a layer over grey squares, so that transparency is seen.

    Args:
        premultiplied: (H, W, 4) display-space colour times alpha, and alpha, 0..1.

    Returns:
        (H, W, 3) display-space colour.
    """
    height, width = premultiplied.shape[:2]
    y, x = np.indices((height, width)) // SQUARE
    board = np.where((x + y) % 2 == 0, LIGHT, DARK).astype(np.float32)[..., None]
    return over(premultiplied, np.repeat(board, 3, axis=2))


def contact_sheet(columns: list[str], rows: list[Row], width: int = 320) -> NDArray[np.uint8]:
    """Set the rows under the columns' labels, every picture scaled to one width.

    Returns:
        (H, W, 3) RGB, 8 bits.
    """
    scaled = [[_fit(picture, width) for picture in row.pictures] for row in rows]
    heights = [max(picture.shape[0] for picture in line) for line in scaled]
    sheet = np.full(
        (LABEL_HEIGHT + sum(heights) + GAP * len(rows), LABEL_WIDTH + (width + GAP) * len(columns), 3),
        PAPER,
        np.float32,
    )
    for index, label in enumerate(columns):
        _write(sheet, label, LABEL_WIDTH + index * (width + GAP), LABEL_HEIGHT - 7)
    top = LABEL_HEIGHT
    for row, line, height in zip(rows, scaled, heights, strict=True):
        _write(sheet, row.label, GAP, top + height // 2)
        for index, picture in enumerate(line):
            left = LABEL_WIDTH + index * (width + GAP)
            sheet[top : top + picture.shape[0], left : left + width] = picture
        top += height + GAP
    return (np.clip(sheet, 0, 1) * 255).round().astype(np.uint8)


def write_sheet(path: Path, sheet: NDArray[np.uint8]) -> None:
    """Write an (H, W, 3) RGB sheet as PNG or JPEG, as the file's name says.

    Raises:
        OutputError: the folder can't be written. NoSpace: the disk is full.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, 82, cv2.IMWRITE_PNG_COMPRESSION, 9]
    _, data = cv2.imencode(path.suffix, sheet[..., ::-1], options)
    write_bytes(path, data.tobytes())


def _fit(picture: Floats, width: int) -> Floats:
    height = round(picture.shape[0] * width / picture.shape[1])
    if width == picture.shape[1]:
        return picture
    method = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.float32)


def _write(sheet: Floats, text: str, left: int, baseline: int) -> None:
    cv2.putText(sheet, text, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (INK, INK, INK), 1, cv2.LINE_AA)
