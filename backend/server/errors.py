"""What a request can ask for that can't be had."""

from __future__ import annotations

from backend.errors import RetimeError


class NoSuchJob(RetimeError):
    """The job is unknown here, or was deleted."""

    http_status = 404
    advice = "Look at the list of jobs"


class NoPreview(RetimeError):
    """The job has shown no picture yet."""

    http_status = 404
    advice = "Ask again when the job has worked for a while"


class WrongState(RetimeError):
    """The job's state does not allow what was asked."""

    http_status = 409


class FolderInUse(RetimeError):
    """Another job that is not done yet writes to the same folder."""

    http_status = 409
    advice = "Wait for that job, cancel it, or choose another folder"


class AlreadyRunning(RetimeError):
    """There is a live backend in this runtime folder."""

    exit_status = 2
    http_status = 409
    advice = "Use that one, stop it first, or give another --runtime-dir"


class PortTaken(RetimeError):
    """Another program listens on the port that was asked for."""

    exit_status = 2
    advice = "Choose another port; 0 lets the system choose"
