from __future__ import annotations

import io

import pytest

from backend.cli.bar import Bar
from backend.cli.progress import PlainLines, reporter, time_left
from backend.protocol import Event, EventKind


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar() -> None:
    terminal = Terminal()
    with reporter(terminal, as_json=False) as report:
        assert isinstance(report, Bar)
        report(Event(EventKind.MESSAGE, "two [people]"))
        report(Event(EventKind.PROGRESS, stage="Camera"))
        report(Event(EventKind.PROGRESS, stage="Training", fraction=0.25, seconds_left=90))
        report(Event(EventKind.PREVIEW, data={"file": "preview.png"}))
    text = terminal.getvalue()
    assert "two [people]" in text
    assert "Training" in text
    assert "25%" in text
    assert "2 min left" in text


def test_a_file_gets_few_lines() -> None:
    stream = io.StringIO()
    with reporter(stream, as_json=False) as report:
        assert isinstance(report, PlainLines)
        for step in range(1001):
            report(Event(EventKind.PROGRESS, stage="Training", fraction=step / 1000))
    assert len(stream.getvalue().splitlines()) == 11


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.2, "0 s left"), (59.4, "59 s left"), (60, "1 min left"), (3600, "1 h 0 min left")],
)
def test_time_left(seconds: float | None, text: str) -> None:
    assert time_left(seconds) == text
