"""A folder per job, from which everything about the job can be told again after any crash."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import logging
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from backend.errors import NoSpace, OutputError
from backend.protocol import (
    DecomposeRequest,
    Event,
    EventKind,
    JobState,
    JobStatus,
    request_from_json,
    to_json,
)
from backend.server.event_log import EventLog
from backend.server.files import write_atomically

JOB_ID = re.compile(r"(\d{6,})-[0-9a-f]{8}")
PROGRESS_KINDS = (EventKind.PROGRESS, EventKind.PREVIEW)

logger = logging.getLogger("retime_people.server")


def state_event(state: JobState, message: str, **data: Any) -> Event:
    """The event that tells of a change of state."""
    return Event(EventKind.STATE, message, data={"state": str(state), **data})


def advance(status: JobStatus, number: int, event: Event) -> JobStatus:
    """The status after one more event; a status is nothing but all events of a job, one after the other."""
    changes: dict[str, Any] = {"last_event": number, "message": event.message or status.message}
    if event.kind == EventKind.STATE:
        changes |= _state_changes(status, number, JobState(event.data.get("state", "")))
    elif event.kind == EventKind.PROGRESS:
        changes |= {"stage": event.stage, "fraction": event.fraction, "seconds_left": event.seconds_left}
    elif event.kind == EventKind.RESULT:
        changes |= {name: str(event.data.get(name, "")) for name in ("layers", "people")}
    return dataclasses.replace(status, **changes)


def _state_changes(status: JobStatus, number: int, state: JobState) -> dict[str, Any]:
    changes: dict[str, Any] = {"state": str(state), "stage": "", "fraction": None, "seconds_left": None}
    if state is JobState.RUNNING:
        changes |= {"layers": "", "people": ""}
    if state is JobState.QUEUED and number > 1:
        # Queued again: whatever the last run has left is to be used.
        changes["request"] = dataclasses.replace(status.request, resume=True)
    return changes


class Job:
    """One job: its folder, its status, its log. Not safe for threads: the owner keeps a lock."""

    def __init__(self, folder: Path, status: JobStatus, log: EventLog | None, clock: Callable[[], float]) -> None:
        self.folder = folder
        self.status = status
        self.preview = ""
        self._log = log
        self._clock = clock

    @property
    def state(self) -> JobState:
        """Where the job stands."""
        return JobState(self.status.state)

    def log(self) -> EventLog:
        """The events; those of a job that is done are read from its folder each time, not kept in memory."""
        return EventLog(self.folder / "events.jsonl") if self._log is None else self._log

    def record(self, event: Event) -> None:
        """Write one event down, and what follows from it."""
        log, now = self.log(), self._clock()
        self._log = log
        number = log.append(event, now, durable=event.kind not in PROGRESS_KINDS)
        if number == 1:
            self.status = dataclasses.replace(self.status, created=now)
        self._take(number, event)
        if event.kind == EventKind.STATE:
            self._summarise()

    def replay(self) -> None:
        """Learn status and preview from the log."""
        for number, event in enumerate(self.log().events(), start=1):
            self._take(number, event)

    def _take(self, number: int, event: Event) -> None:
        self.status = advance(self.status, number, event)
        if event.kind == EventKind.PREVIEW:
            self.preview = str(event.data.get("file", ""))

    def _summarise(self) -> None:
        """Keep a final job's status in one small file, so that many old jobs don't delay a start."""
        summary = self.folder / "status.json"
        with contextlib.suppress(OSError):
            if not self.state.final:
                summary.unlink(missing_ok=True)
                return
            data = {"status": to_json(self.status), "preview": self.preview}
            write_atomically(summary, json.dumps(data).encode())
            # Only once the disk has everything may the memory forget it.
            if len(EventLog(self.folder / "events.jsonl")) == self.status.last_event:
                self._log = None

    def write_request(self) -> None:
        """Put down what the worker is to do. Raises OutputError."""
        _write_request(self.folder, self.status.request)

    def restarts(self) -> int:
        """How often in a row the job was taken up again because the backend had died under it."""
        count = 0
        for event in self.log().events():
            if event.kind == EventKind.STATE and event.data.get("state") == JobState.QUEUED:
                count = count + 1 if event.data.get("interrupted") else 0
        return count


class JobStore:
    """All jobs of a runtime folder."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Raises OutputError when the folder can't be made."""
        self._folder = folder
        self._clock = clock
        with _told_as_output_error(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._last_number = max((_number(entry.name) for entry in folder.iterdir()), default=0)

    def load(self) -> list[Job]:
        """Every job that can be read, oldest first; what unfinished creations and deletions left is swept away."""
        for entry in self._folder.glob(".*"):
            shutil.rmtree(entry, ignore_errors=True)
        folders = sorted((f for f in self._folder.iterdir() if JOB_ID.fullmatch(f.name)), key=lambda f: _number(f.name))
        return [job for folder in folders if (job := self._load(folder)) is not None]

    def _load(self, folder: Path) -> Job | None:
        try:
            return self._from_summary(folder) or self._from_log(folder)
        except (OSError, ValueError) as error:
            # Not deleted: what we can't read, a later version or a person may.
            logger.warning("job %s can't be read and is left alone: %s", folder.name, error)
            return None

    def _from_summary(self, folder: Path) -> Job | None:
        try:
            data = json.loads((folder / "status.json").read_bytes())
            fields = data["status"]
            status = JobStatus(**{**fields, "request": request_from_json(fields["request"])})
            if not JobState(status.state).final or status.id != folder.name:
                return None
        except (OSError, ValueError, TypeError, KeyError):
            return None
        job = Job(folder, status, None, self._clock)
        job.preview = str(data.get("preview", ""))
        return job

    def _from_log(self, folder: Path) -> Job:
        request = request_from_json(json.loads((folder / "request.json").read_bytes()))
        log = EventLog(folder / "events.jsonl")
        if not len(log):
            return self._begin(folder, request)
        created = log.after(0)[0]["time"]
        job = Job(folder, JobStatus(folder.name, JobState.QUEUED, created, request), log, self._clock)
        job.replay()
        return job

    def _begin(self, folder: Path, request: DecomposeRequest) -> Job:
        status = JobStatus(folder.name, JobState.QUEUED, 0.0, request)
        job = Job(folder, status, EventLog(folder / "events.jsonl"), self._clock)
        job.record(state_event(JobState.QUEUED, "Waiting"))
        return job

    def create(self, request: DecomposeRequest) -> Job:
        """A new job, queued. Raises OutputError."""
        # Numbered, not dated: the order of jobs must not depend on the clock.
        name = f"{self._last_number + 1:06d}-{secrets.token_hex(4)}"
        folder, unfinished = self._folder / name, self._folder / f".{name}"
        with _told_as_output_error(self._folder):
            unfinished.mkdir(mode=0o700)
            _write_request(unfinished, request)
            unfinished.rename(folder)
        self._last_number += 1
        return self._begin(folder, request)

    def delete(self, job: Job) -> None:
        """Remove the job's own folder, never its results. Raises OutputError."""
        # Renamed first: a deletion that is interrupted must not leave half a job.
        doomed = self._folder / f".{job.folder.name}"
        with _told_as_output_error(job.folder), contextlib.suppress(FileNotFoundError):
            job.folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _number(name: str) -> int:
    match = JOB_ID.fullmatch(name)
    return int(match[1]) if match else 0


def _write_request(folder: Path, request: DecomposeRequest) -> None:
    with _told_as_output_error(folder):
        write_atomically(folder / "request.json", json.dumps(to_json(request), indent=1).encode())


@contextlib.contextmanager
def _told_as_output_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpace(f"{folder}: the disk is full", "Free some space, then ask again") from error
        raise OutputError(f"{folder}: can't be written ({error.strerror})") from error
