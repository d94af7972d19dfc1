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
from backend.media.files import to_disk, write_bytes, writing

_KINDS = {"uint8": 255.0, "float16": 1.0}


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
        store = cls(path, (count, *_three(first.shape)), _kind_of(first))
        with writing(path), path.open("wb") as file:
            for frame in itertools.chain([first], frames):
                if store.kind == "uint8" and _kind_of(frame) != "uint8":
                    store = store._refined(file)
                file.write(store._pack(frame))
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
            file.write(refined._pack(frame))
        file.seek(0, os.SEEK_END)
        return refined

    def _pack(self, frame: npt.ArrayLike) -> bytes:
        values = np.asarray(frame, np.float32).reshape(self.shape[1:])
        if self.kind == "uint8":
            values = np.round(np.clip(values, 0, 1) * 255)
        return values.astype(self._dtype).tobytes()

    def _unpack(self, data: npt.NDArray[np.generic]) -> Floats:
        return data.astype(np.float32) / np.float32(_KINDS[self.kind])


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    height, width, channels = shape
    return height, width, channels


def _kind_of(frame: Floats) -> str:
    steps = frame * 255
    return "uint8" if bool(np.all(np.abs(steps - np.round(steps)) < 1e-2)) else "float16"
