from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from backend.errors import NoSpace, OutputError
from backend.media import exr
from backend.media.exr import UnreadableExr, read_exr, write_exr


def ramp(height: int = 16, width: int = 16) -> np.ndarray:
    values = np.linspace(-0.5, 4, height * width * 4, dtype=np.float32).reshape(height, width, 4)
    return values.astype(np.float16).astype(np.float32)


def test_halves_survive_bit_for_bit(tmp_path: Path) -> None:
    write_exr(tmp_path / "a" / "0001.exr", ramp())
    np.testing.assert_array_equal(read_exr(tmp_path / "a" / "0001.exr"), ramp())


def test_the_file_is_half_rgba_with_zip(tmp_path: Path) -> None:
    write_exr(tmp_path / "a.exr", ramp())
    with OpenEXR.File(str(tmp_path / "a.exr"), separate_channels=True) as file:
        assert file.header()["compression"] == OpenEXR.ZIP_COMPRESSION
        assert {name: c.pixels.dtype for name, c in file.channels().items()} == dict.fromkeys("RGBA", np.float16)


@pytest.mark.parametrize("channels", ["RGB", "Y"])
def test_other_programs_files_are_read(tmp_path: Path, channels: str) -> None:
    pixels = {name: np.full((4, 6), index + 0.5, np.float32) for index, name in enumerate(channels)}
    with OpenEXR.File({"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage}, pixels) as file:
        file.write(str(tmp_path / "a.exr"))
    assert read_exr(tmp_path / "a.exr")[0, 0].tolist() == [index + 0.5 for index in range(len(channels))]


def test_a_file_that_is_cut_off_is_not_taken_for_black(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    write_exr(path, np.random.default_rng(0).random((64, 64, 4)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableExr, match="cut off"):
        read_exr(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x76\x2f\x31\x01" + b"\0" * 40])
def test_anything_else_is_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.exr").write_bytes(content)
    with pytest.raises(UnreadableExr):
        read_exr(tmp_path / "a.exr")


def test_without_colour_there_is_nothing_to_read(tmp_path: Path) -> None:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"Z": np.ones((4, 4), np.float32)}) as file:
        file.write(str(tmp_path / "depth.exr"))
    with pytest.raises(UnreadableExr, match="no channels"):
        read_exr(tmp_path / "depth.exr")


class FullDisk:
    """OpenEXR on a full disk, which tells the reason only in its text."""

    def __init__(self, *_: object) -> None: ...

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_: object) -> None: ...

    def write(self, path: str) -> None:
        Path(path).write_bytes(b"half a picture")
        raise RuntimeError(f'Failed to write pixel data to image file "{path}". {os.strerror(errno.ENOSPC)}.')


def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_exr(tmp_path / "a.exr", ramp())
    monkeypatch.setattr(exr.OpenEXR, "File", FullDisk)
    with pytest.raises(NoSpace, match=r"a\.exr can't be written: no space left"):
        write_exr(tmp_path / "a.exr", np.zeros((4, 4, 4)))
    monkeypatch.undo()
    np.testing.assert_array_equal(read_exr(tmp_path / "a.exr"), ramp())
    assert [path.name for path in tmp_path.iterdir()] == ["a.exr"]


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "anna").write_text("not a folder")
    with pytest.raises(OutputError, match="can't be written"):
        write_exr(tmp_path / "anna" / "0001.exr", ramp())
