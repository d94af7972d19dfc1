from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from backend.errors import NoSpace, OutputError
from backend.media.exr import write_exr
from backend.media.files import by_name, output_error, whole_file, write_bytes
from backend.media.pictures import write_images, write_movie


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["10.png", "9.png", "a10b2.png", "a10b1.png", "0001.png", "a9.png"]
    ordered = [path.name for path in by_name(Path(name) for name in names)]
    assert ordered == ["0001.png", "9.png", "10.png", "a9.png", "a10b1.png", "a10b2.png"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a.txt", b"old")
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_bytes(b"ne")
        raise ZeroDivisionError
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, NoSpace), (errno.EDQUOT, NoSpace), (errno.EROFS, OutputError), (errno.EACCES, OutputError)],
)
def test_faults_of_the_disk_have_a_sentence_each(number: int, kind: type[OutputError]) -> None:
    error = output_error(OSError(number, os.strerror(number)), Path("out/anna/0001.exr"))
    assert type(error) is kind
    assert str(Path("out/anna/0001.exr")) in error.sentence()
    assert os.strerror(number).lower() in error.sentence()
    assert error.exit_status == 2


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB; only root can mount one."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=64k"):
        pytest.skip("mounting is not allowed here")
    yield folder
    libc.umount(os.fsencode(folder))


def noise(count: int) -> Iterator[np.ndarray]:
    generator = np.random.default_rng(0)
    return (generator.random((120, 160, 3)).astype(np.float32) for _ in range(count))


def test_a_full_disk_for_real(tiny_disk: Path) -> None:
    with pytest.raises(NoSpace):
        write_exr(tiny_disk / "anna" / "0001.exr", np.random.default_rng(0).random((120, 160, 4)))
    with pytest.raises(NoSpace):
        write_images(tiny_disk / "frames", noise(20))
    with pytest.raises(NoSpace):
        write_movie(tiny_disk / "film.mp4", noise(20), Fraction(25))
    with pytest.raises(NoSpace):
        write_bytes(tiny_disk / "layers.json", b"x" * 100_000)
    assert [path for path in tiny_disk.rglob("*") if path.is_file()] == []
