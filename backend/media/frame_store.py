"""Frames and masks of a shot on disk, so that memory does not grow with the number of frames."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from backend.core.side_by_side import over
from backend.media.files import to_disk, write_bytes, writing

_KINDS = ("uint8", "float16")
# Steps of 1/255 by which a value may miss a whole one.
_EXACT = 1e-2
# Bytes for packing a frame, if it is large.
_MEMORY = 256 << 20


class FrameStore:
    """A raw array (T, H, W, C) in one file: written once in order, read by frame or by band of rows.

    Values 0..1 that are multiples of 1/255 are kept in 8 bits, exactly; others as half floats. Plain reads
    instead of a memory map, so that what was read does not count as this process's memory.
    """

    def __init__(self, path: Path, shape: tuple[int, int, int, int], kind: str) -> None:
        self.path = path
        self.shape = shape
        self.kind = kind
        self._dtype = np.dtype(kind)

    @classmethod
    def create(cls, path: Path, frames: Iterator[Floats], count: int) -> FrameStore:
        """Write frames (H, W, C) to ``path``; the description beside it is written last and marks the store whole.

        Raises:
            OutputError: the disk is full or the folder can't be written.
        """
        first = np.asarray(next(frames), np.float32)
        store = cls(path, (count, *_three(first.shape)), _packed(first).dtype.name)
        with writing(path), path.open("wb") as file:
            for packed in over(_packed, itertools.chain([first], frames), _MEMORY):
                if store.kind == "uint8" and packed.dtype != np.uint8:
                    store = store._refined(file)
                file.write(store._written(packed))
        with writing(path):
            to_disk(path)
        write_bytes(path.with_suffix(".json"), json.dumps({"shape": store.shape, "kind": store.kind}).encode())
        return store

    @classmethod
    def open(cls, path: Path) -> FrameStore | None:
        """The store that was written to ``path``, or None when there is no whole one."""
        try:
            info = json.loads(path.with_suffix(".json").read_bytes())
            shape = (int(info["shape"][0]), int(info["shape"][1]), int(info["shape"][2]), int(info["shape"][3]))
            store = cls(path, shape, str(info["kind"]))
            whole = path.stat().st_size == int(np.prod(shape)) * store._dtype.itemsize
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return None
        return store if whole and store.kind in _KINDS else None

    def __len__(self) -> int:
        return self.shape[0]

    def frame(self, index: int) -> Floats:
        """Frame ``index`` (0-based), (H, W, C) float."""
        return self.rows(index, 0, self.shape[1])

    def rows(self, index: int, top: int, bottom: int) -> Floats:
        """Rows ``top`` to ``bottom`` (exclusive) of a frame, (bottom - top, W, C) float."""
        _, height, width, channels = self.shape
        row = width * channels
        # The folder may be deleted while it is worked in.
        with writing(self.path):
            data = np.fromfile(
                self.path,
                self._dtype,
                count=(bottom - top) * row,
                offset=(index * height + top) * row * self._dtype.itemsize,
            )
        return self._unpack(data).reshape(bottom - top, width, channels)

    def _refined(self, file: BinaryIO) -> FrameStore:
        """The frames written so far as halves, because a later one (after a fade from black, say) needs them."""
        refined = FrameStore(self.path, self.shape, "float16")
        size = int(np.prod(self.shape[1:]))
        # From the last to the first, so that none is overwritten before it is read.
        for index in reversed(range(file.tell() // size)):
            file.flush()
            frame = self.frame(index)
            file.seek(index * size * refined._dtype.itemsize)
            file.write(frame.astype(np.float16).tobytes())
        file.seek(0, os.SEEK_END)
        return refined

    def _written(self, packed: npt.NDArray[np.generic]) -> bytes:
        packed = packed.reshape(self.shape[1:])
        return (packed if packed.dtype == self._dtype else self._of_bytes(packed).astype(self._dtype)).tobytes()

    def _unpack(self, data: npt.NDArray[np.generic]) -> Floats:
        return self._of_bytes(data) if self.kind == "uint8" else data.astype(np.float32)

    @staticmethod
    def _of_bytes(data: npt.NDArray[np.generic]) -> Floats:
        return data.astype(np.float32) / np.float32(255)


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    height, width, channels = shape
    return height, width, channels


def _packed(frame: Floats) -> npt.NDArray[np.generic]:
    """A frame in 8 bits where these hold it exactly, or else in halves."""
    steps = np.asarray(frame, np.float32) * 255
    whole = np.rint(steps)
    steps -= whole
    if max(steps.max(), -steps.min()) < _EXACT:
        return np.asarray(np.clip(whole, 0, 255), np.uint8)
    return np.asarray(frame, np.float16)
