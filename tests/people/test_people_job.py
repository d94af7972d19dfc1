"""Finding people as a job of the server."""

from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path

import pytest

from backend.errors import SettingError
from backend.protocol import DecomposeRequest, Event, EventKind, JobState, JobStatus, Task, request_from_json, to_json
from backend.server.job_store import advance, state_event
from backend.server.requests import parse_request
from backend.worker import run_job

REQUEST = DecomposeRequest("/clips/a.mp4", "/masks", task=Task.PEOPLE.value, hints="/hints")


def test_a_request_comes_back() -> None:
    assert request_from_json(json.loads(json.dumps(to_json(REQUEST)))) == REQUEST
    assert parse_request(json.dumps(to_json(REQUEST)).encode()) == REQUEST


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"task": "paint"}, "task is 'paint'"), ({"hints": "here"}, "hints is 'here', which is not absolute")],
)
def test_bad_requests_are_refused(changes: dict[str, str], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        parse_request(json.dumps(to_json(dataclasses.replace(REQUEST, **changes))).encode())  # type: ignore[arg-type]


def test_the_worker_tells_where_the_list_is(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps(to_json(dataclasses.replace(REQUEST, out=str(tmp_path)))))
    events: list[Event] = []
    status = run_job(tmp_path, lambda: lambda *_: tmp_path / "people.json", events.append, threading.Event())
    assert status == 0
    assert events[-1].kind == EventKind.RESULT and events[-1].data == {"people": str(tmp_path / "people.json")}


def test_the_status_knows_the_list() -> None:
    status = JobStatus("1", JobState.RUNNING, 0.0, REQUEST)
    done = advance(status, 1, Event(EventKind.RESULT, data={"people": "/masks/people.json"}))
    assert (done.people, done.layers) == ("/masks/people.json", "")
    assert advance(done, 2, state_event(JobState.RUNNING, "Again")).people == ""
