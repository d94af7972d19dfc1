"""Which jobs were started from which file, kept beside it all, so that a file that was not saved since finds them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

KEPT = 100
"""So many of the newest are kept."""


@dataclass(frozen=True)
class Started:
    """A job that the saved file may not know of."""

    blend: str
    """Path of the file."""
    scene: str
    strip: str
    out: str
    """Folder of the layers, which is the identity of the job."""
    task: str


def note(file: Path, started: Started) -> None:
    """Add one; raises OSError where the journal can't be written."""
    _write(file, [*_read(file), started][-KEPT:])


def started_from(file: Path, blend: str) -> list[Started]:
    """Those that were started from a file, oldest first; none where the journal is missing or damaged."""
    return [started for started in _read(file) if started.blend == blend]


def forget(file: Path, blend: str = "", out: str = "") -> None:
    """Take out those of a file, which has been saved and knows them, or that of a folder; raises OSError."""
    before = _read(file)
    after = [started for started in before if started.blend != blend and started.out != out]
    if after != before:
        _write(file, after)


def _read(file: Path) -> list[Started]:
    try:
        return [Started(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _write(file: Path, kept: list[Started]) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps([asdict(started) for started in kept]), encoding="utf-8")
    part.replace(file)
