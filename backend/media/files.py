"""Files that are whole or absent, and faults of the disk told in one sentence."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from backend.errors import NoSpace, OutputError, RetimeError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def by_name(paths: Iterable[Path]) -> list[Path]:
    """Paths sorted by name, numbers inside a name counting as numbers (2.png before 10.png)."""

    def key(path: Path) -> tuple[list[str], str]:
        return [part.zfill(20) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)], path.name

    return sorted(paths, key=key)


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
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it gets its final name when the block ends well, else it vanishes.

    Raises:
        OutputError: the folder can't be written. NoSpace: the disk is full.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file at once, or leave what was there."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)
