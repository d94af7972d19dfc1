"""How work in progress is shown to somebody who watches it on a terminal."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from backend.cli.progress import time_left
from backend.protocol import Event, EventKind


class Bar:
    """A bar with the stage, the share done and the time left."""

    def __init__(self, stream: TextIO) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._progress = Progress(*columns, console=Console(file=stream), transient=True)
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.kind == EventKind.MESSAGE and event.message:
            self._progress.console.print(event.message, markup=False, highlight=False)
        if event.kind != EventKind.PROGRESS:
            return
        if self._task is None:
            self._task = self._progress.add_task("", total=None, left="")
        self._progress.update(
            self._task,
            description=event.stage or event.message,
            total=None if event.fraction is None else 1.0,
            completed=event.fraction or 0.0,
            left=time_left(event.seconds_left),
        )
