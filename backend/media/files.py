"""Files that are whole or absent, and faults of the disk told in one sentence."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from backend.errors import NoSpace, OutputError, RetimeError

_UNFINISHED = ".tmp"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def by_name(paths: Iterable[Path]) -> list[Path]:
    """Paths sorted by name, numbers inside a name counting as numbers (2.png before 10.png)."""

    def key(path: Path) -> tuple[list[str], str]:
        return [part.zfill(20) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)], path.name

    return sorted(paths, key=key)


def may_be_file(path: Path) -> bool:
    """False for folders, pipes and devices; a broken link counts as a file, so that it is missed, not passed over."""
    return path.is_file() or not path.exists()


def output_error(error: OSError, path: Path) -> OutputError:
    """The error that tells the artist why ``path`` couldn't be written."""
    reason = (error.strerror or str(error)).lower()
    if error.errno in _FULL:
        return NoSpace(f"{path} can't be written: {reason}")
    return OutputError(f"{path} can't be written: {reason}")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn any ``OSError`` inside the block into an ``OutputError`` or ``NoSpace`` that names ``path``."""
    try:
        yield
    except OSError as error:
        raise output_error(error, path) from error


@contextlib.contextmanager
def reading(path: Path, kind: type[RetimeError]) -> Iterator[None]:
    """Turn any ``OSError`` inside the block (no permission, name too long, …) into the given kind of error."""
    try:
        yield
    except OSError as error:
        raise kind(f"{path} can't be read: {(error.strerror or str(error)).lower()}") from error


@contextlib.contextmanager
def whole_file(path: Path, durable: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it gets its final name when the block ends well, else it vanishes.

    ``durable`` waits for the disk before the final name is given, so that not even a power cut leaves half of it.

    Raises:
        OutputError: the folder can't be written. NoSpace: the disk is full.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{_UNFINISHED}{path.suffix}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            if durable:
                to_disk(temporary)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, data: bytes, durable: bool = False) -> None:
    """Write a whole file at once, or leave what was there; raises as ``whole_file``."""
    with whole_file(path, durable) as temporary:
        temporary.write_bytes(data)


def to_disk(path: Path) -> None:
    """Wait until the disk holds a file, whatever happens to the power then. Raises OSError."""
    # Opened for writing, because Windows refuses to wait for a file that is open for reading.
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what writers that were killed have left half-written in a folder; the caller is its only writer."""
    for path in folder.glob(f".*{_UNFINISHED}*"):
        with contextlib.suppress(OSError):
            path.unlink()
