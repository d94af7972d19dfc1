"""A set of layers on disk: one folder of EXR pictures per layer, and a description that is written last."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats, Halves, decode_layer, decode_residual, encode_layer, encode_residual
from backend.errors import InputError, LayerSetError, OutputError
from backend.media.exr import UnreadableExr, read_exr, write_exr
from backend.media.files import reading, sweep, to_disk, write_bytes, writing
from backend.media.layer_info import (
    BACKGROUND,
    COVERAGE,
    RESIDUAL,
    CameraEntry,
    InvalidLayers,
    LayerEntry,
    LayerSetInfo,
)

__all__ = [
    "BACKGROUND",
    "INFO_NAME",
    "MASKS",
    "RESIDUAL",
    "CameraEntry",
    "LayerEntry",
    "LayerReader",
    "LayerSetInfo",
    "LayerSetWriter",
    "check_out_folder",
    "frame_path",
    "open_layers",
    "read_layer_set",
]

INFO_NAME = "layers.json"
MASKS = "masks"
# What an unfinished folder may hold beside the folders of its layers. Hidden files are never looked at.
_OWN_FILES = ("log.txt", MASKS)
_OWN_PREFIXES = ("checkpoint", "preview")


def frame_path(folder: Path, name: str, frame_number: int, suffix: str = ".exr") -> Path:
    """Where one frame of one layer lies; frames count from 1."""
    return folder / name / f"{frame_number:04d}{suffix}"


class LayerSetWriter:
    """Writes layers frame by frame; the set counts as finished once ``finish`` has returned.

    Every method raises OutputError (NoSpace when the disk is full) and leaves no torn file behind.
    """

    def __init__(self, out_dir: Path, given_masks: Path | None = None) -> None:
        """``given_masks``: where the masks come from; those that lie in the set already are left as they are."""
        self.folder = out_dir
        self._masks = out_dir / MASKS
        self._copies_masks = given_masks is None or given_masks.resolve() != self._masks.resolve()

    def write_layer(self, name: str, frame_number: int, color: npt.ArrayLike, alpha: npt.ArrayLike) -> Halves:
        """Write straight display colour (H, W, 3) 0..1 and alpha (H, W) 0..1; returns the file's pixels."""
        pixels = encode_layer(color, alpha)
        write_exr(frame_path(self.folder, name, frame_number), pixels)
        return pixels

    def write_background(self, frame_number: int, color: npt.ArrayLike) -> Halves:
        """Write the opaque display colour (H, W, 3) 0..1; returns the file's pixels."""
        values = np.asarray(color, np.float32)
        return self.write_layer(BACKGROUND, frame_number, values, np.ones(values.shape[:2], np.float32))

    def write_residual(self, frame_number: int, residual: npt.ArrayLike) -> None:
        """Write a signed display-space difference (H, W, 3)."""
        write_exr(frame_path(self.folder, RESIDUAL, frame_number), encode_residual(residual))

    def write_mask(self, name: str, frame_number: int, mask: npt.ArrayLike) -> None:
        """Write a subject's mask (H, W) 0..1 as 8-bit grey; a file that holds it already keeps its date."""
        if self._copies_masks:
            _write_grey(frame_path(self._masks, name, frame_number, ".png"), mask)

    def write_coverage(self, frame_number: int, observed: npt.ArrayLike) -> None:
        """Write where the background was seen in some frame (H, W): 1 seen, 0 made up."""
        _write_grey(frame_path(self.folder, COVERAGE, frame_number, ".png"), observed)

    def finish(self, info: LayerSetInfo) -> Path:
        """Write the description, after which the set is finished; returns its path.

        The disk has every frame by then, so that no power cut can leave a finished set with half a picture.

        Raises:
            OutputError: a frame that was written before is gone.
        """
        missing = _missing_frame(self.folder, info)
        if missing:
            raise OutputError(f"Layer {missing[0]!r} lost frame {missing[1]} while the others were written")
        with writing(self.folder):
            for layer in info.layers:
                for number in range(info.first_frame, info.last_frame + 1):
                    to_disk(frame_path(self.folder, layer.name, number))
            for folder in (self.folder, *_folders(self.folder), *_folders(self._masks)):
                sweep(folder)
        path = self.folder / INFO_NAME
        write_bytes(path, (json.dumps(info.to_json(), indent=1, allow_nan=False) + "\n").encode(), durable=True)
        return path


def _write_grey(path: Path, values: npt.ArrayLike) -> None:
    grey = np.round(np.clip(np.asarray(values, np.float32), 0, 1) * 255).astype(np.uint8)
    _, data = cv2.imencode(".png", grey)
    if not path.is_file() or path.read_bytes() != data.tobytes():
        write_bytes(path, data.tobytes())


def read_layer_set(path: Path) -> LayerSetInfo:
    """Read the description of a finished set from its folder or its ``layers.json``; every frame's file is there.

    Raises:
        LayerSetError: no such folder, an unfinished set, another format, or a missing frame, named.
    """
    with reading(path, LayerSetError):
        path = _info_path(path)
    try:
        info = LayerSetInfo.from_json(json.loads(path.read_bytes()))
    except (InvalidLayers, OSError) as error:
        raise LayerSetError(f"{path} can't be read: {error}", "Decompose the clip again") from error
    except (ValueError, RecursionError) as error:
        raise LayerSetError(f"{path} can't be read: it is not JSON", "Decompose the clip again") from error
    missing = _missing_frame(path.parent, info)
    if missing:
        file = frame_path(path.parent, *missing)
        raise LayerSetError(
            f"Layer {missing[0]!r} lacks frame {missing[1]} ({file})", "Put the file back or decompose again"
        )
    return info


def _info_path(path: Path) -> Path:
    folder = path.parent if path.name == INFO_NAME else path
    if not folder.is_dir():
        raise LayerSetError(f"{path} doesn't exist", "Give the folder that decompose has written")
    if not (folder / INFO_NAME).is_file():
        raise LayerSetError(
            f"{folder} holds no {INFO_NAME}, so it is no finished layer set",
            "Give the folder that decompose has written, or finish it with decompose --resume",
        )
    return folder / INFO_NAME


def _missing_frame(folder: Path, info: LayerSetInfo) -> tuple[str, int] | None:
    """The first layer and frame number without a file."""
    for layer in info.layers:
        names = {path.name for path in (folder / layer.name).glob("*.exr")}
        for number in range(info.first_frame, info.last_frame + 1):
            if frame_path(folder, layer.name, number).name not in names:
                return layer.name, number
    return None


class LayerReader:
    """Reads layers back as they are composited: in display space, premultiplied."""

    def __init__(self, folder: Path, info: LayerSetInfo) -> None:
        self.folder = folder
        self.info = info

    def layer(self, name: str, frame_number: int) -> Floats:
        """One frame of a layer, (H, W, 4): display colour times alpha, and alpha."""
        return decode_layer(self.pixels(name, frame_number))

    def background(self, frame_number: int) -> Floats:
        """One frame of the background, (H, W, 3) display colour."""
        return self.layer(BACKGROUND, frame_number)[..., :3]

    def residual(self, frame_number: int) -> Floats:
        """One frame of what no layer explains, (H, W, 3) signed difference in display space."""
        return decode_residual(self.pixels(RESIDUAL, frame_number))

    def pixels(self, name: str, frame_number: int) -> Floats:
        """One frame as its file holds it, (H, W, 4) scene-linear; raises LayerSetError when it can't be read."""
        path = frame_path(self.folder, name, frame_number)
        try:
            pixels = read_exr(path)
        except UnreadableExr as error:
            raise LayerSetError(f"{path} can't be read: {error}", "Decompose the clip again") from error
        if pixels.shape != (self.info.height, self.info.width, 4):
            raise LayerSetError(
                f"{path} is not a {self.info.width}x{self.info.height} RGBA picture", "Decompose the clip again"
            )
        return pixels


def open_layers(path: Path) -> LayerReader:
    """Open a finished set for reading; raises as ``read_layer_set``."""
    info = read_layer_set(path)
    return LayerReader(_info_path(path).parent, info)


def check_out_folder(out: Path, resume: bool) -> bool:
    """Make sure that writing a layer set to ``out`` overwrites nothing of value; nothing is written.

    Returns:
        True when the set is finished already and there is nothing to resume (only with ``resume``).

    Raises:
        InputError: the folder holds a layer set, unfinished work without ``resume``, foreign files, or links.
        OutputError: the path is a file, or nothing can be written there.
    """
    with writing(out):
        _check_writable(out)
        return out.exists() and _check_content(out, resume)


def _check_writable(out: Path) -> None:
    """Make sure that the folder, or the nearest one above it that exists, can be written to."""
    if "\0" in str(out):
        raise OutputError("The output folder has a name that can't be")
    nearest = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        raise OutputError(f"{nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"{nearest} can't be written to")


def _check_content(out: Path, resume: bool) -> bool:
    if (out / INFO_NAME).exists():
        if resume:
            return True
        raise InputError(f"{out} already holds a layer set", "Choose another folder or delete it")
    links = [path for path in (*out.iterdir(), *_folders(out / MASKS)) if path.is_symlink()]
    if links:
        raise InputError(
            f"{min(links)} is a link, and what is written there would land elsewhere",
            "Take it away, or choose another folder",
        )
    entries = sorted(path for path in out.iterdir() if not path.name.startswith("."))
    foreign = [path.name for path in entries if not _is_own(path)]
    if foreign:
        raise InputError(f"{out} holds other files ({foreign[0]})", "Choose an empty folder")
    if not resume and any(path.name not in _OWN_FILES for path in entries):
        raise InputError(
            f"{out} holds an unfinished layer set", "Add --resume to go on with it, or choose another folder"
        )
    return False


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []


def _is_own(path: Path) -> bool:
    if path.name in _OWN_FILES or path.name.startswith(_OWN_PREFIXES):
        return True
    kind = ".png" if path.name == COVERAGE else ".exr"
    return path.is_dir() and all(file.stem.isdigit() and file.suffix == kind for file in path.glob("[!.]*"))
