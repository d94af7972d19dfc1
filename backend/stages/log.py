"""The log that stays with a layer set."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from backend.protocol import Event, EventKind

LOG_NAME = "log.txt"


def note(folder: Path, text: str) -> bool:
    """Add a text with its time to a folder's log; False where that is not possible, which is to stop nobody."""
    with contextlib.suppress(OSError):
        # Names of files may hold bytes that are no text.
        with (folder / LOG_NAME).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text.rstrip()}\n")
        return True
    return False


def logged(report: Callable[[Event], None], folder: Path) -> Callable[[Event], None]:
    """A report that also keeps every message in the folder's log."""

    def both(event: Event) -> None:
        if event.kind == EventKind.MESSAGE:
            note(folder, event.message)
        report(event)

    return both
