"""Body charts given by the artist: which part of a person a pixel shows, and where on it (DensePose's IUV)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backend.errors import MaskError
from backend.media.files import reading
from backend.media.masks import MaskFolder, read_png, subject_folders, used_files
from backend.media.plates import PlateInfo

PARTS = 24
_FORM = "Give 8-bit colour pictures: the part (0 to 24) in red, U in green, V in blue"

Charts = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ChartFolder:
    """The charts of all subjects, sorted by name; ``files`` holds for each subject one file per used frame."""

    names: tuple[str, ...]
    files: tuple[tuple[Path, ...], ...]

    def frame(self, index: int) -> Charts:
        """The charts of one used frame (index from 0), (N, H, W, 3): part 0..24, U and V 0..255."""
        return np.stack([read_charts(files[index]) for files in self.files])

    def masks(self) -> MaskFolder:
        """Masks that are white wherever a chart shows a part of the body."""
        return MaskFolder(self.names, self.files, read_chart_mask)


def open_charts(folder: Path, plate: PlateInfo, names: tuple[str, ...] = ()) -> ChartFolder:
    """Find the charts of the subjects (all, or those of these ``names`` in this order), and read all of them once.

    Raises:
        MaskError: naming the subject, the file or the frame that is wrong.
    """
    with reading(folder, MaskError):
        found = {subject.name: subject for subject in subject_folders(folder)}
        lacking = [name for name in names if name not in found]
        if lacking:
            raise MaskError(f"{folder} has no charts of {lacking[0]}", "Give charts for everybody who has masks")
        chosen = names or tuple(found)
        files = tuple(tuple(used_files(found[name], plate)) for name in chosen)
    for name, charts in zip(chosen, files, strict=True):
        _check(name, charts, plate)
    return ChartFolder(chosen, files)


def _check(name: str, files: tuple[Path, ...], plate: PlateInfo) -> None:
    empty = True
    for path in files:
        charts = read_charts(path)
        if charts.shape[:2] != (plate.height, plate.width):
            size = f"{charts.shape[1]}x{charts.shape[0]}"
            raise MaskError(f"{path} is {size} pixels, but the plate is {plate.width}x{plate.height}")
        empty = empty and not charts[..., 0].any()
    if empty:
        raise MaskError(f"All charts of {name} are empty", "Take the folder away")


def read_charts(path: Path) -> Charts:
    """One picture as (H, W, 3): part, U, V.

    Raises:
        MaskError: it can't be read, is no colour picture, or has a part beyond 24.
    """
    pixels = read_png(path)
    if pixels.ndim != 3 or pixels.dtype != np.uint8:
        raise MaskError(f"{path} holds no charts of the body", _FORM)
    charts = np.ascontiguousarray(pixels[..., 2::-1], np.uint8)
    if charts[..., 0].max() > PARTS:
        raise MaskError(f"{path} has the part {charts[..., 0].max()}; parts go from 1 to {PARTS}", _FORM)
    return charts


def read_chart_mask(path: Path) -> npt.NDArray[np.uint8]:
    """Where charts show a body, as (H, W) of 0 or 255."""
    return np.where(read_charts(path)[..., 0] > 0, 255, 0).astype(np.uint8)
