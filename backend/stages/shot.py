"""A shot while it is worked on: its frames and masks on disk, its camera and who stands in front of whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.core.borrowing import Borrowed
from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.occlusion import Flags
from backend.core.side_by_side import in_order
from backend.media.charts import ChartFolder
from backend.media.depth_file import Order
from backend.media.frame_store import FrameStore
from backend.media.masks import MaskFolder
from backend.media.plates import Plate, PlateInfo

WORK_FOLDER = ".work"


@dataclass(frozen=True)
class Footage:
    """The plate and its masks, at full size, frame by frame from disk; indices count from 0."""

    info: PlateInfo
    names: tuple[str, ...]
    plates: FrameStore
    mask_store: FrameStore
    charts: ChartFolder | None = None
    """Charts of the bodies, in the order of the names, where they are given."""
    depth: Order = ()
    """Who stands in front of whom, where it is given."""

    def __len__(self) -> int:
        return len(self.plates)

    @property
    def view(self) -> tuple[int, int]:
        """(w, h) of a frame."""
        return self.info.width, self.info.height

    def plate(self, index: int) -> Floats:
        """(H, W, 3) display values."""
        return self.plates.frame(index)

    def masks(self, index: int) -> Floats:
        """(N, H, W) visible bodies 0..1."""
        return self.mask_rows(index, 0, self.info.height)

    def mask_rows(self, index: int, first: int, last: int) -> Floats:
        """As ``masks``, but only the rows from ``first`` to ``last`` (exclusive)."""
        return np.ascontiguousarray(self.mask_store.rows(index, first, last).transpose(2, 0, 1))


@dataclass(frozen=True)
class Shot:
    """Footage with all that is known about it before anything is learned."""

    footage: Footage
    camera: Camera
    order: list[list[int]]
    """Back to front, per frame."""
    borrowed: list[list[Borrowed | None]]
    """Per frame and person, where a covered part comes from; shifts in pixels of the plate."""
    touching: list[list[list[bool]]]
    order_told: Flags
    """(N, N): of whom the order is given or can be told; of the others it is a guess."""
    gains: Floats
    """(T, 3): see ``core.exposure``."""

    def evened(self, index: int) -> Floats:
        """A frame of the plate as the camera's middle exposure would show it, (H, W, 3) 0..1."""
        return self.evened_rows(index, 0, self.footage.info.height)

    def evened_rows(self, index: int, first: int, last: int) -> Floats:
        """As ``evened``, but only the rows from ``first`` to ``last`` (exclusive)."""
        gain = self.gains[index]
        plate = self.footage.plates.rows(index, first, last)
        return plate if (gain == 1).all() else np.clip(plate / gain, 0, 1)


def read_footage(
    plate: Plate, masks: MaskFolder, work: Path, tell: Callable[[float], None], charts: ChartFolder | None = None
) -> Footage:
    """Copy plate and masks into ``work`` for random access; what a former run has copied is used again."""
    count = plate.info.frames
    plates = FrameStore.open(work / "plate.raw")
    if plates is None:
        plates = FrameStore.create(work / "plate.raw", _told(iter(plate), count, tell), count)
    store = FrameStore.open(work / "masks.raw")
    if store is None:
        frames = in_order(lambda t: np.ascontiguousarray(masks.frame(t).transpose(1, 2, 0)), count)
        store = FrameStore.create(work / "masks.raw", frames, count)
    return Footage(plate.info, masks.names, plates, store, charts, masks.order)


def _told(frames: Iterator[Floats], count: int, tell: Callable[[float], None]) -> Iterator[Floats]:
    for index, frame in enumerate(frames):
        tell(index / count)
        yield frame
