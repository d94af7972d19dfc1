"""The log that stays with a layer set."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from backend.protocol import Event, EventKind

LOG_NAME = "log.txt"


def logged(report: Callable[[Event], None], folder: Path) -> Callable[[Event], None]:
    """A report that also keeps every message, with its time, in the folder's log."""

    def both(event: Event) -> None:
        if event.kind == EventKind.MESSAGE:
            with (folder / LOG_NAME).open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {event.message}\n")
        report(event)

    return both
