"""Folders of pictures as programs, disks and people leave them, written afresh by a function each."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenEXR

from tests.reliability.corpus_video import WORKS, moving
from tests.samples import write_image, write_images


def pngs(folder: Path) -> Path:
    """A good folder."""
    return write_images(folder / "plate", moving())


def write_exrs(folder: Path, spoil: Callable[[int, np.ndarray], np.ndarray]) -> Path:
    """A folder of EXR pictures, each changed by ``spoil``."""
    (folder / "plate").mkdir()
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    for number, frame in enumerate(moving(), 1):
        pixels = np.ascontiguousarray(spoil(number, (frame / 255).astype(np.float32)))
        with OpenEXR.File(header, {"RGB": pixels}) as file:
            file.write(str(folder / "plate" / f"{number:04d}.exr"))
    return folder / "plate"


def exr_with(value: float) -> Callable[[Path], Path]:
    """One pixel of one picture is no number."""

    def spoil(number: int, pixels: np.ndarray) -> np.ndarray:
        if number == 3:
            pixels[5, 5, 1] = value
        return pixels

    def make(folder: Path) -> Path:
        return write_exrs(folder, spoil)

    make.__name__ = f"exr_with_{value}"
    return make


def exr_truncated(folder: Path) -> Path:
    """A render that was stopped in the middle of a picture."""
    plate = write_exrs(folder, lambda _, pixels: pixels)
    path = plate / "0002.exr"
    path.write_bytes(path.read_bytes()[:-100])
    return plate


def exr_negative(folder: Path) -> Path:
    """Colours outside the gamut."""
    return write_exrs(folder, lambda _, pixels: pixels - np.float32(0.2))


def other_size_mixed_in(folder: Path) -> Path:
    """One picture of another size."""
    plate = pngs(folder)
    write_image(plate / "0003.png", moving(1, 24, 32)[0])
    return plate


def sixteen_bits_mixed_in(folder: Path) -> Path:
    """Pictures of two depths."""
    plate = pngs(folder)
    write_image(plate / "0002.png", moving()[1].astype(np.uint16) * 257)
    return plate


def kinds_mixed(folder: Path) -> Path:
    """Pictures of two kinds."""
    plate = pngs(folder)
    write_image(plate / "0001.jpg", moving()[0])
    return plate


def empty_picture(folder: Path) -> Path:
    """A picture of no bytes."""
    plate = pngs(folder)
    (plate / "0002.png").write_bytes(b"")
    return plate


def half_a_png(folder: Path) -> Path:
    """A copy that was interrupted."""
    plate = pngs(folder)
    path = plate / "0002.png"
    path.write_bytes(path.read_bytes()[:80])
    return plate


def claims_to_be_huge(folder: Path) -> Path:
    """A small file that says it holds 60000 x 60000 pixels."""
    plate = pngs(folder)
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (plate / "0001.png").write_bytes(data + (plate / "0002.png").read_bytes()[33:])
    return plate


def one_picture(folder: Path) -> Path:
    """A still."""
    return write_images(folder / "plate", moving(1))


def empty_folder(folder: Path) -> Path:
    """Nothing in it."""
    (folder / "plate").mkdir()
    return folder / "plate"


def grey_and_transparent(folder: Path) -> Path:
    """Pictures with alpha."""
    frames = [np.concatenate([f, np.full((*f.shape[:2], 1), 99, np.uint8)], axis=2) for f in moving()]
    return write_images(folder / "plate", frames)


def linked_pictures(folder: Path) -> Path:
    """Links to pictures elsewhere, as versioned renders have them."""
    real = pngs(folder).rename(folder / "elsewhere")
    (folder / "plate").mkdir()
    for path in real.iterdir():
        (folder / "plate" / path.name).symlink_to(path)
    return folder / "plate"


def linked_folder(folder: Path) -> Path:
    """A link to the folder."""
    (folder / "plate").symlink_to(pngs(folder).rename(folder / "elsewhere"))
    return folder / "plate"


def broken_link(folder: Path) -> Path:
    """A link to a picture that is gone."""
    plate = pngs(folder)
    (plate / "0002.png").unlink()
    (plate / "0002.png").symlink_to(folder / "gone.png")
    return plate


def link_to_itself(folder: Path) -> Path:
    """A link that leads nowhere."""
    (folder / "plate").symlink_to(folder / "plate")
    return folder / "plate"


def a_pipe_among_them(folder: Path) -> Path:
    """Something that is named as a picture and never ends."""
    plate = pngs(folder)
    os.mkfifo(plate / "0009.png")
    return plate


def a_folder_among_them(folder: Path) -> Path:
    """A folder that is named as a picture."""
    plate = pngs(folder)
    (plate / "0009.png").mkdir()
    return plate


def odd_names(folder: Path) -> Path:
    """Names with bytes that are no text."""
    plate = pngs(folder)
    for path in list(plate.iterdir()):
        path.rename(plate / os.fsdecode(b"\xff sh\xf6t " + os.fsencode(path.name)))
    return plate


def system_files_among_them(folder: Path) -> Path:
    """What file managers leave."""
    plate = pngs(folder)
    for name in (".DS_Store", "Thumbs.db", "._0001.png"):
        (plate / name).write_bytes(b"\0")
    return plate


IMAGES: list[tuple[Callable[[Path], Path], str]] = [
    (pngs, WORKS),
    (exr_with(float("nan")), "0003.exr holds values that are not numbers"),
    (exr_with(float("inf")), "0003.exr holds values that are not numbers or are infinite"),
    (exr_with(3e38), WORKS),
    (exr_truncated, "0002.exr can't be read"),
    (exr_negative, WORKS),
    (other_size_mixed_in, "0003.png is 32x24 pixels, but"),
    (sixteen_bits_mixed_in, WORKS),
    (kinds_mixed, "images of different kinds"),
    (empty_picture, "0002.png can't be read"),
    (half_a_png, "0002.png can't be read"),
    (claims_to_be_huge, "0001.png can't be read"),
    (one_picture, "has one frame only"),
    (empty_folder, "holds no png"),
    (grey_and_transparent, WORKS),
    (linked_pictures, WORKS),
    (linked_folder, WORKS),
    (broken_link, "0002.png"),
    (link_to_itself, "plate"),
    (a_pipe_among_them, WORKS),
    (a_folder_among_them, WORKS),
    (odd_names, WORKS),
    (system_files_among_them, WORKS),
]
