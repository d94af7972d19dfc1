"""A job's log: numbered lines of JSON that outlive crashes, full disks and restarts."""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path
from typing import Any

from backend.protocol import Event, EventKind, to_json

KINDS = frozenset(EventKind)
TEXT_LIMIT = 4000
"""Characters of one message; more is a fault of the sender."""


def read_event(line: bytes | str) -> Event | None:
    """One event from its JSON; None when the line is no event. Values out of range become "unknown"."""
    try:
        # "Not a number" is Python's own addition to JSON, which other readers refuse.
        data = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("kind") not in KINDS:
        return None
    seconds = _number(data.get("seconds_left"))
    fraction = _number(data.get("fraction"))
    return Event(
        kind=data["kind"],
        message=_text(data.get("message")),
        stage=_text(data.get("stage")),
        fraction=None if fraction is None else min(max(fraction, 0.0), 1.0),
        seconds_left=None if seconds is None else max(seconds, 0.0),
        data=data["data"] if isinstance(data.get("data"), dict) else {},
    )


def _text(value: Any) -> str:
    return value[:TEXT_LIMIT] if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared rather than converted: float() refuses integers of hundreds of digits.
    return float(value) if -1e15 < value < 1e15 and math.isfinite(value) else None


class EventLog:
    """The events of one job in order, numbered from 1, in memory and in a file that only grows.

    Not safe for threads: the owner keeps a lock.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there; whatever follows the last whole line (a torn write) is cut off on the next one."""
        self._path = path
        self._lines: list[str] = []
        self._size = 0
        with contextlib.suppress(FileNotFoundError):
            self._read(path.read_bytes())
        self._saved = len(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def _read(self, data: bytes) -> None:
        for line in data.split(b"\n")[:-1]:
            if not _is_numbered(line, len(self._lines) + 1):
                return
            self._lines.append(line.decode())
            self._size += len(line) + 1

    def append(self, event: Event, time: float, durable: bool = False) -> int:
        """Add an event and return its number; ``durable`` waits until the disk has it.

        A disk that is full must not stop a job: such lines stay in memory and are written with the next.
        """
        number = len(self._lines) + 1
        self._lines.append(json.dumps({"n": number, "time": time, **to_json(event)}))
        with contextlib.suppress(OSError):
            self._save(durable)
        return number

    def _save(self, durable: bool) -> None:
        data = "".join(f"{line}\n" for line in self._lines[self._saved :]).encode()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            # Not appended but put after the last good line, over whatever a failed write has left there.
            file.seek(self._size)
            file.write(data)
            file.truncate()
            if durable:
                file.flush()
                os.fsync(file.fileno())
        self._saved = len(self._lines)
        self._size += len(data)

    def after(self, number: int) -> list[dict[str, Any]]:
        """The events with a greater number, as JSON data with ``n`` and ``time``."""
        return [json.loads(line) for line in self._lines[max(number, 0) :]]

    def events(self) -> list[Event]:
        """All events in order."""
        return [event for line in self._lines if (event := read_event(line)) is not None]


def _is_numbered(line: bytes, number: int) -> bool:
    if read_event(line) is None:
        return False
    data = json.loads(line)
    return data.get("n") == number and isinstance(data.get("time"), int | float)
