"""How work in progress is shown: a bar on a terminal, plain lines elsewhere, JSON for programs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import TextIO

from backend.protocol import Event, EventKind, to_json

Report = Callable[[Event], None]

# A log that isn't a terminal gets a line for each of these parts of a stage.
_PARTS = 10


@contextlib.contextmanager
def reporter(stream: TextIO, as_json: bool) -> Iterator[Report]:
    """Give a function that shows events on ``stream`` (stderr) in the form that suits it."""
    if as_json:
        yield JsonLines(stream)
    elif stream.isatty():
        # Only here, because its library would be a good part of the time that serving takes to start.
        from backend.cli.bar import Bar

        with Bar(stream) as bar:
            yield bar
    else:
        yield PlainLines(stream)


class JsonLines:
    """One line of JSON per event."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Show one event."""
        self._stream.write(json.dumps(to_json(event)) + "\n")
        self._stream.flush()


class PlainLines:
    """A line for each message, each stage, and each tenth of a stage."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: tuple[str, int] = ("", -1)

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.kind == EventKind.MESSAGE and event.message:
            self._line(event.message)
        if event.kind != EventKind.PROGRESS:
            return
        now = (event.stage, int((event.fraction or 0) * _PARTS))
        if now != self._last:
            self._last = now
            self._line(_progress_text(event))

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


def time_left(seconds: float | None) -> str:
    """Time left in words, empty where unknown."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.0f} s left"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min left" if minutes >= 60 else f"{minutes} min left"


def _progress_text(event: Event) -> str:
    share = "" if event.fraction is None else f"{event.fraction:.0%}"
    return ", ".join(part for part in (event.stage or event.message, share, time_left(event.seconds_left)) if part)
