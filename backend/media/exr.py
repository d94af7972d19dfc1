"""OpenEXR pictures in and out."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import OpenEXR

from backend.core.color import Floats, to_half
from backend.media.files import whole_file


class UnreadableExr(ValueError):
    """The file is no whole EXR picture with colour channels; the text says what is wrong, not where."""


def read_exr(path: Path) -> Floats:
    """Read one picture.

    Returns:
        (H, W, C) scene-linear values: C is 4 (RGBA), 3 (RGB) or 1 (Y).

    Raises:
        UnreadableExr: not an EXR, cut off, or without colour channels.
    """
    try:
        # The newer interface fills what is missing from a cut-off file with zeros and says nothing.
        if not OpenEXR.InputFile(os.fspath(path)).isComplete():
            raise UnreadableExr("it is cut off")
        with OpenEXR.File(os.fspath(path), separate_channels=True) as file:
            channels = {name: channel.pixels for name, channel in file.channels().items()}
    except (RuntimeError, OSError) as error:
        raise UnreadableExr("it is not a readable OpenEXR picture") from error
    for names in ("RGBA", "RGB", "Y"):
        if all(name in channels for name in names):
            return np.stack([np.asarray(channels[name], np.float32) for name in names], axis=-1)
    raise UnreadableExr("it has no channels R, G, B")


def write_exr(path: Path, rgba: npt.ArrayLike) -> None:
    """Write (H, W, 4) scene-linear premultiplied pixels as half floats, ZIP-compressed, whole or not at all.

    Raises:
        OutputError: the folder can't be written. NoSpace: the disk is full.
    """
    pixels = np.ascontiguousarray(to_half(rgba))
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with whole_file(path) as temporary:
        try:
            with OpenEXR.File(header, {"RGBA": pixels}) as file:
                file.write(os.fspath(temporary))
        except RuntimeError as error:
            raise _as_os_error(error) from error


def _as_os_error(error: RuntimeError) -> OSError:
    """OpenEXR tells the system's reason only in its text."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOENT):
        if os.strerror(number) in str(error):
            return OSError(number, os.strerror(number))
    return OSError(errno.EIO, str(error))
