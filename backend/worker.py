"""The child process that does one job: a job's folder in, events out, one line of JSON each.

It ends itself, keeping its checkpoint, when it is asked to (its input closes, SIGTERM or SIGINT), which is also
what happens when its server dies.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from backend.errors import Cancelled, InputError, NoSpace, OutOfMemory, RetimeError, SettingError
from backend.libraries import settle_libraries
from backend.locking import FileLock
from backend.protocol import DecomposeRequest, Event, EventKind, InvalidSetting, Task, request_from_json, to_json
from backend.stages.log import LOG_NAME, note

OWN_FAULT_STATUS = 1
ORPHAN_SECONDS = 60.0
"""How long a worker that was asked to stop may need; longer, and it ends at once. Its server is less patient."""
PREDECESSOR_SECONDS = 120.0
"""How long to wait for a worker that an earlier server has left behind with the same job."""
PROGRESS_SECONDS = 0.25
"""Shortest time between two lines of progress; clients ask twice a second."""
OUT_OF_MEMORY_SIGNS = (
    "out of memory",
    "allocate memory",
    "not enough memory",
    "insufficient memory",
    "bad_alloc",
    "failed to map segment",
    "can't start new thread",
    # oneDNN; it has all that the networks are made of, so nothing but memory is wanting.
    "could not create a primitive",
)

Decompose = Callable[[DecomposeRequest, Callable[[Event], None], Callable[[], bool]], Path]


class Reporter:
    """Writes events as lines of JSON, progress no more often than anybody looks."""

    def __init__(self, output: IO[str], stop: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._stop = stop
        self._clock = clock
        self._last: tuple[str, float] = ("", 0.0)

    def report(self, event: Event) -> None:
        """Tell of one event. When nobody listens any more, the work is to stop."""
        if event.kind == EventKind.PROGRESS and not self._is_due(event):
            return
        try:
            self._output.write(json.dumps(to_json(event)) + "\n")
            self._output.flush()
        except (BrokenPipeError, ValueError):
            self._stop.set()

    def _is_due(self, event: Event) -> bool:
        stage, at = self._last
        now = self._clock()
        if event.stage == stage and event.fraction != 1.0 and now - at < PROGRESS_SECONDS:
            return False
        self._last = (event.stage, now)
        return True


def known_fault(error: Exception) -> RetimeError | None:
    """The fault with a remedy behind any exception: memory and disk run out in many words. None: our own fault."""
    if isinstance(error, RetimeError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return NoSpace(f"{error.filename or 'The output folder'}: the disk is full")
    # Named by its text: torch's and OpenCV's errors are not to be imported only to be recognised.
    text = f"{type(error).__name__} {error}".lower()
    if isinstance(error, MemoryError) or "outofmemory" in text or any(sign in text for sign in OUT_OF_MEMORY_SIGNS):
        return OutOfMemory("There is not enough memory for this shot")
    return None


def run_job(folder: Path, load: Callable[[], Decompose], report: Callable[[Event], None], stop: threading.Event) -> int:
    """Do the job in a folder; every fault ends here, as an event.

    Args:
        folder: holds ``request.json``.
        load: gives the function that does the work; heavy imports belong there.
        report: takes the events.
        stop: set when the work is to stop.

    Returns:
        The exit status: 0 done, 2 the input was wrong, 130 stopped, 1 anything else.
    """
    out: Path | None = None
    try:
        request = _read_request(folder)
        out = Path(request.out)
        with _Turn(folder, stop):
            result = load()(request, report, stop.is_set)
        report(_result(request, result))
    except Cancelled as error:
        report(Event(EventKind.MESSAGE, str(error)))
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - the one place of this program where everything is caught
        _keep_traceback(out, error)
        fault = known_fault(error) or _own_fault(error, out)
        report(Event(EventKind.ERROR, str(fault), data={"advice": fault.advice}))
        return fault.exit_status
    return 0


def _result(request: DecomposeRequest, path: Path) -> Event:
    if request.task == Task.PEOPLE:
        return Event(EventKind.RESULT, "People are found", fraction=1.0, data={"people": str(path)})
    if request.task == Task.RETIME:
        return Event(EventKind.RESULT, "Pictures in between are ready", fraction=1.0, data={"layers": str(path)})
    return Event(EventKind.RESULT, "Layers are ready", fraction=1.0, data={"layers": str(path)})


def _read_request(folder: Path) -> DecomposeRequest:
    try:
        return request_from_json(json.loads((folder / "request.json").read_bytes()))
    except InvalidSetting as error:
        raise SettingError(f"{folder / 'request.json'}: {error}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / 'request.json'}: can't be read as a request ({error})") from error


class _Turn:
    """Held while a worker works on a job, so that no two ever write to its output together."""

    def __init__(self, folder: Path, stop: threading.Event) -> None:
        self._lock = FileLock(folder / "worker.lock")
        self._stop = stop

    def __enter__(self) -> None:
        deadline = time.monotonic() + PREDECESSOR_SECONDS
        while not self._lock.acquire():
            if time.monotonic() > deadline:
                raise RetimeError("An earlier worker of this job still runs", "End that process, then resume the job")
            if self._stop.wait(0.2):
                break
        if self._stop.is_set():
            raise Cancelled("Cancelled before it began")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _own_fault(error: Exception, out: Path | None) -> RetimeError:
    log = out / LOG_NAME if out is not None else "worker.log"
    return RetimeError(
        f"Something went wrong inside the backend ({type(error).__name__}: {error})", f"Please report it with {log}"
    )


def _keep_traceback(out: Path | None, error: Exception) -> None:
    text = "".join(traceback.format_exception(error))
    # The server keeps this stream in the job's folder.
    sys.stderr.write(text)
    if out is not None and not isinstance(error, RetimeError):
        note(out, f"worker failed\n{text}")


def _load_work() -> Decompose:
    settle_libraries()
    return _work


def _work(request: DecomposeRequest, report: Callable[[Event], None], cancelled: Callable[[], bool]) -> Path:
    """Do what the job is for; only that is imported."""
    if request.task == Task.PEOPLE:
        from backend.people.find import find_people

        return find_people(request, report, cancelled)
    if request.task == Task.RETIME:
        from backend.stages.retime import retime_job

        return retime_job(request, report, cancelled)
    from backend.decompose import decompose

    return decompose(request, report, cancelled)


def _own_output() -> IO[str]:
    """Standard output for events alone: whatever a library prints goes to standard error."""
    # A copy is not handed on to child processes, so that none of them can hold it open after our end.
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return events


def _stop_when_asked(stop: threading.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        # From a thread: a signal may interrupt the very code that holds the flag's lock.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    threading.Thread(target=_watch_input, args=(stop,), daemon=True).start()
    threading.Thread(target=_end_anyway, args=(stop,), daemon=True).start()


def _watch_input(stop: threading.Event) -> None:
    # Read below Python's own buffers: a thread that waits inside those can't be left behind at the end.
    while os.read(0, 1024):
        pass
    stop.set()


def _end_anyway(stop: threading.Event) -> None:
    stop.wait()
    time.sleep(ORPHAN_SECONDS)
    os._exit(Cancelled.exit_status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the job whose folder is the only argument; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m backend.worker JOB_DIR\n")
        return InputError.exit_status
    stop = threading.Event()
    reporter = Reporter(_own_output(), stop)
    _stop_when_asked(stop)
    return run_job(Path(arguments[0]), _load_work, reporter.report, stop)


if __name__ == "__main__":
    sys.exit(main())
