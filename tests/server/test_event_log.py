"""The log of a job survives what disks and crashes do to it."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.protocol import Event, EventKind
from backend.server.event_log import EventLog, read_event


def filled(path, count=3):
    log = EventLog(path)
    for number in range(1, count + 1):
        assert log.append(Event(EventKind.MESSAGE, f"message {number}"), time=float(number)) == number
    return log


def test_events_are_numbered_and_read_back(tmp_path):
    filled(tmp_path / "events.jsonl")
    again = EventLog(tmp_path / "events.jsonl")
    assert [(line["n"], line["time"], line["message"]) for line in again.after(1)] == [
        (2, 2.0, "message 2"),
        (3, 3.0, "message 3"),
    ]
    assert again.after(3) == [] == again.after(10**18)


@pytest.mark.parametrize(
    "torn", [b"", b'{"n": 4, "ti', b"\0\0\0\0", b'{"n": 9, "time": 1, "kind": "message"}\n', b"[]\n"]
)
def test_a_torn_end_is_dropped_and_written_over(tmp_path, torn):
    path = tmp_path / "events.jsonl"
    filled(path)
    with path.open("ab") as file:
        file.write(torn)
    log = EventLog(path)
    assert len(log) == 3
    assert log.append(Event(EventKind.MESSAGE, "after"), time=9.0) == 4
    assert [json.loads(line)["n"] for line in path.read_bytes().splitlines()] == [1, 2, 3, 4]


@given(cut=st.integers(0, 400))
def test_a_cut_anywhere_leaves_the_whole_lines_before_it(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    filled(path)
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    assert len(EventLog(path)) == data[:cut].count(b"\n")


def test_what_a_full_disk_refuses_is_written_later(tmp_path, monkeypatch):
    path = tmp_path / "events.jsonl"
    log = filled(path)

    def full(*_arguments, **_names):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", full)
        log.append(Event(EventKind.MESSAGE, "message 4"), time=4.0)
    assert [line["message"] for line in log.after(3)] == ["message 4"]
    assert len(EventLog(path)) == 3
    log.append(Event(EventKind.MESSAGE, "message 5"), time=5.0)
    assert [line["n"] for line in EventLog(path).after(0)] == [1, 2, 3, 4, 5]


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60)))
def test_any_line_is_an_event_or_none(line):
    assert read_event(line) is None or isinstance(read_event(line), Event)


@pytest.mark.parametrize(
    "line, fraction, seconds",
    [
        ('{"kind": "progress", "fraction": NaN, "seconds_left": -1}', None, 0.0),
        ('{"kind": "progress", "fraction": 2, "seconds_left": Infinity}', 1.0, None),
        ('{"kind": "progress", "fraction": true, "seconds_left": "5"}', None, None),
        ('{"kind": "progress", "fraction": 0.5, "seconds_left": 1' + "0" * 400 + "}", 0.5, None),
    ],
)
def test_odd_numbers_become_unknown_or_the_nearest_allowed(line, fraction, seconds):
    event = read_event(line)
    assert (event.fraction, event.seconds_left) == (fraction, seconds)


def test_deep_nesting_is_no_event():
    assert read_event('{"kind": "message", "data": ' + "[" * 100_000) is None
