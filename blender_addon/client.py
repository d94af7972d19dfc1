"""What can be asked of the layer server on this computer, and how its answers are read."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any, TypeVar

from .protocol import DecomposeRequest, Event, InvalidSetting, JobStatus, RuntimeInfo, request_from_json, to_json

HOST = "127.0.0.1"
"""The only address ever asked; the server listens on no other."""


class BackendError(Exception):
    """The server said no; the text is the sentence to show. ``status`` is the HTTP status, 0 where there was none."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class BackendGone(BackendError):
    """Nobody listens on the port any more."""


class BackendSlow(BackendError):
    """Somebody listens, but did not answer in time."""


@dataclass(frozen=True)
class Health:
    """Who answers: the version and format it speaks, and its process."""

    version: str
    pid: int
    format: str


Answer = TypeVar("Answer", Health, JobStatus, Event)


@dataclass(frozen=True)
class NumberedEvent:
    """One line of a job's log with its number (from 1) and time (seconds since 1970)."""

    n: int
    time: float
    event: Event


@dataclass(frozen=True)
class EventPage:
    """The events after the one that was asked for, and the state the job is in now."""

    events: tuple[NumberedEvent, ...]
    state: str


@dataclass(frozen=True)
class Client:
    """One method per route; each raises BackendError with one sentence when there is no good answer."""

    port: int
    token: str
    timeout: float = 5.0
    """Seconds one answer may take."""

    @classmethod
    def of(cls, info: RuntimeInfo, timeout: float = 5.0) -> Client:
        """A client for the server that wrote this runtime file."""
        return cls(info.port, info.token, timeout)

    def health(self) -> Health:
        """Ask who is there."""
        return _read(Health, self._json("GET", "/health"))

    def submit(self, request: DecomposeRequest) -> JobStatus:
        """Queue a job."""
        return _job_status(self._json("POST", "/jobs", to_json(request)))

    def jobs(self) -> tuple[JobStatus, ...]:
        """All jobs the server knows, in its order."""
        return tuple(_job_status(job) for job in _member(self._json("GET", "/jobs"), "jobs"))

    def job(self, job_id: str) -> JobStatus:
        """How one job stands."""
        return _job_status(self._json("GET", f"/jobs/{job_id}"))

    def events(self, job_id: str, after: int = 0) -> EventPage:
        """What happened to a job after event number ``after``."""
        page = self._json("GET", f"/jobs/{job_id}/events?after={after}")
        return EventPage(tuple(_numbered_event(line) for line in _member(page, "events")), str(_member(page, "state")))

    def cancel(self, job_id: str) -> JobStatus:
        """Stop a job; its last checkpoint stays."""
        return _job_status(self._json("POST", f"/jobs/{job_id}/cancel"))

    def resume(self, job_id: str) -> JobStatus:
        """Queue a cancelled or failed job again, to go on from its last checkpoint."""
        return _job_status(self._json("POST", f"/jobs/{job_id}/resume"))

    def preview(self, job_id: str) -> bytes:
        """The newest preview picture of a job, as a PNG file."""
        return self._ask("GET", f"/jobs/{job_id}/preview")

    def delete(self, job_id: str) -> None:
        """Forget a job that is over; the layers it made stay."""
        self._ask("DELETE", f"/jobs/{job_id}")

    def shutdown(self) -> None:
        """Ask the server to end."""
        self._ask("POST", "/shutdown")

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._ask(method, path, body)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise BackendError(f"The backend's answer to {path} is not JSON; restart the backend.") from error

    def _ask(self, method: str, path: str, body: Any = None) -> bytes:
        # http.client and not urllib, because urllib would send loopback requests through a proxy from the environment.
        connection = http.client.HTTPConnection(HOST, self.port, timeout=self.timeout)
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        payload = None
        if body is not None:
            payload = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body=payload, headers=headers)
            response = connection.getresponse()
            answer = response.read()
        except TimeoutError as error:
            raise BackendSlow(f"The backend did not answer within {self.timeout:g} seconds; try again.") from error
        except (OSError, http.client.HTTPException) as error:
            raise BackendGone("The backend is not running; start it in the Retime tab.") from error
        finally:
            connection.close()
        if response.status >= 400:
            raise BackendError(_refusal(response.status, answer), response.status)
        return answer


def _refusal(status: int, answer: bytes) -> str:
    """The server's own sentence, or one for an answer that has none."""
    if status == http.client.UNAUTHORIZED:
        return "The backend refuses our token, so another program started it; stop that one, then start the backend."
    try:
        return str(json.loads(answer)["error"])
    except (ValueError, KeyError, TypeError):
        return f"The backend refused with status {status}; restart the backend."


def _member(data: Any, name: str) -> Any:
    if not isinstance(data, dict) or name not in data:
        raise BackendError(f"The backend's answer has no {name}; use an add-on and a backend of the same version.")
    return data[name]


def _read(kind: type[Answer], data: Any) -> Answer:
    """A dataclass from JSON; names that a newer server adds are ignored."""
    try:
        names = kind.__dataclass_fields__
        return kind(**{name: data[name] for name in names if name in data})
    except TypeError as error:
        raise BackendError("The backend's answer can't be read; use an add-on and a backend of one version.") from error


def _job_status(data: Any) -> JobStatus:
    try:
        request = request_from_json(_member(data, "request"))
    except InvalidSetting as error:
        raise BackendError(f"The backend's answer can't be read: {error}.") from error
    return _read(JobStatus, {**data, "request": request})


def _numbered_event(line: Any) -> NumberedEvent:
    return NumberedEvent(int(_member(line, "n")), float(line.get("time", 0.0)), _read(Event, line))
