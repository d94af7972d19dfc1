"""One child process per job: started, listened to, stopped, and its end told in words."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from backend.errors import RetimeError
from backend.protocol import Event
from backend.server.event_log import read_event

WORKER_COMMAND = (sys.executable, "-m", "backend.worker")
MALLOC_SETTINGS = {
    # Training frees and takes the same large blocks all the time: handing them back to the system costs a third.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "60000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
LINE_LIMIT = 1 << 20
"""Bytes of one event; a longer line is no event."""
LAST_WORDS_SECONDS = 5.0
"""How long to read on after a worker's end, when something it has started still holds its output open."""


@dataclass(frozen=True)
class Patience:
    """Seconds a worker has to stop after it was asked to, and after that until it is killed."""

    cancel: float = 30.0
    terminate: float = 5.0


class WorkerProcess:
    """A running worker. Its events are reported from a thread of this object."""

    def __init__(
        self,
        job_folder: Path,
        report: Callable[[Event], None],
        command: Sequence[str] = WORKER_COMMAND,
        patience: Patience | None = None,
    ) -> None:
        """Start the worker of one job. Raises OSError when the system can't start it."""
        self._report = report
        self._patience = patience or Patience()
        self._ended = threading.Event()
        self._asked = threading.Event()
        with (job_folder / "worker.log").open("ab") as log:
            self._process = _start([*command, str(job_folder)], log, job_folder)
        self._reader = threading.Thread(target=self._read, name="worker events", daemon=True)
        self._reader.start()

    def wait(self) -> int:
        """Wait for the end; returns the exit status, negative for the signal that killed it. Call once."""
        status = self._process.wait()
        self._ended.set()
        # What the worker has started must not outlive it, nor keep its output open.
        self._signal_all("SIGKILL")
        self._reader.join(LAST_WORDS_SECONDS)
        return status

    def cancel(self) -> None:
        """Ask the worker to stop; returns at once. A worker that does not obey is terminated, then killed."""
        if not self._asked.is_set():
            self._asked.set()
            threading.Thread(target=self._insist, name="worker stop", daemon=True).start()

    def _insist(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        for seconds, name in ((self._patience.cancel, "SIGTERM"), (self._patience.terminate, "SIGKILL")):
            if self._ended.wait(seconds):
                return
            self._signal_all(name)

    def _signal_all(self, name: str) -> None:
        """Signal the worker and everything it has started."""
        if sys.platform == "win32":
            self._process.kill()
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.Signals[name])

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            while line := output.readline(LINE_LIMIT):
                if (event := read_event(line)) is not None:
                    self._report(event)


def _start(command: list[str], log: IO[bytes], folder: Path) -> subprocess.Popen[bytes]:
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        # Torch's compiler makes a folder for what it compiles as soon as it is loaded; better here than anywhere else.
        env={**MALLOC_SETTINGS, "TORCHINDUCTOR_CACHE_DIR": str(folder), **os.environ},
        creationflags=flags,
        # A group of its own, so that an interrupt typed at the server's terminal reaches it only through us.
        start_new_session=True,
    )


def describe_end(status: int) -> RetimeError:
    """What to tell of a worker that ended without saying why; the status is negative for a signal."""
    if status == 0:
        return RetimeError("The worker ended without a result", "Resume the job")
    if status > 0:
        return RetimeError(
            f"The worker stopped with exit status {status} without saying why",
            "Resume the job; if it happens again, send worker.log from the job's folder",
        )
    name = _signal_name(-status)
    if name == "SIGKILL":
        return RetimeError(
            "The worker was killed (SIGKILL), most likely because the computer ran out of memory",
            "Close other programs, use the draft preset or fewer frames, then resume the job",
        )
    return RetimeError(
        f"The worker crashed ({name}), perhaps for want of memory",
        "Resume the job; if it happens again, use the draft preset or fewer frames, and send log.txt from its folder",
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
