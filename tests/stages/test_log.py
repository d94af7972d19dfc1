from __future__ import annotations

import re
from pathlib import Path

from backend.protocol import Event, EventKind
from backend.stages.log import LOG_NAME, logged, note


def test_messages_are_kept_with_their_time_and_everything_is_passed_on(tmp_path: Path) -> None:
    passed: list[Event] = []
    report = logged(passed.append, tmp_path)
    events = [
        Event(EventKind.MESSAGE, "two people"),
        Event(EventKind.PROGRESS, "Step 1"),
        Event(EventKind.MESSAGE, "done"),
    ]
    for event in events:
        report(event)
    assert passed == events
    first, second = (tmp_path / LOG_NAME).read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d two people", first)
    assert second.endswith(" done")


def test_a_name_that_is_no_text_is_no_fault(tmp_path: Path) -> None:
    name = b"\xe9t\xe9.mp4".decode("utf-8", "surrogateescape")
    assert note(tmp_path, f"Decomposing {name}")
    assert "\\udce9t\\udce9.mp4" in (tmp_path / LOG_NAME).read_text()


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    passed: list[Event] = []
    logged(passed.append, tmp_path / "nowhere")(Event(EventKind.MESSAGE, "hello"))
    assert len(passed) == 1
    assert not note(tmp_path / "nowhere", "hello")
