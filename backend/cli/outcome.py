"""From how a command ended to what is said about it and to the exit status."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from backend.cli.progress import JsonLines, Report, reporter
from backend.errors import Cancelled, InputError, RetimeError
from backend.protocol import Event, EventKind
from backend.worker import known_fault


class Stop:
    """Whether the user asked to stop (Ctrl-C, SIGTERM); a second Ctrl-C doesn't wait for the work to notice."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        """True once the user has asked."""
        return self._asked

    def ask(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        if self._asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._asked = True


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Turn Ctrl-C and SIGTERM into a question that the work asks at its own pace."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Log:
    """Lines for ``log.txt`` in the output folder, kept in memory until the work has made that folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log.txt"
        self._waiting: list[str] = []

    def note(self, text: str) -> None:
        """Add a line; a log that can't be written stops nobody."""
        self._waiting.append(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
        if self.path.parent.is_dir():
            self._flush()

    def fault(self, text: str) -> None:
        """Add a traceback, for which the folder is made if need be."""
        self._waiting.append(text)
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(OSError):
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(self._waiting)
            self._waiting.clear()


Work = Callable[[Report, Stop], None]


def run(work: Work, log_folder: Path | None, as_json: bool) -> int:
    """Do the work of a command and tell how it ended.

    Args:
        work: called with where to report and how to learn that it should stop.
        log_folder: where ``log.txt`` goes; None for commands that keep none.
        as_json: report one line of JSON per event.

    Returns:
        The exit status: 0 done, 2 wrong input, 130 cancelled, 1 our own fault.
    """
    log = Log(log_folder) if log_folder else None
    try:
        with stop_on_signals() as stop, reporter(sys.stderr, as_json) as show:
            work(_logged(show, log), stop)
    except KeyboardInterrupt:
        return _tell(Cancelled("Stopped"), as_json)
    # The one place where a fault becomes a sentence.
    except Exception as error:  # noqa: BLE001
        fault = known_fault(error)
        if fault is None:
            return _own_fault(error, log, as_json)
        if log and not isinstance(fault, InputError):
            log.note(fault.sentence())
        return _tell(fault, as_json)
    return 0


def _logged(show: Report, log: Log | None) -> Report:
    def report(event: Event) -> None:
        show(event)
        if log and event.message and event.kind != EventKind.PROGRESS:
            log.note(event.message)

    return report


def _own_fault(error: Exception, log: Log | None, as_json: bool) -> int:
    text = "".join(traceback.format_exception(error))
    if log:
        log.fault(text)
    kept = log is not None and log.path.is_file()
    if not kept:
        sys.stderr.write(text)
    where = f"the details are in {log.path}" if log and kept else "the details are above"
    return _tell(RetimeError(f"Something went wrong that is our fault ({type(error).__name__}); {where}"), as_json)


def _tell(error: RetimeError, as_json: bool) -> int:
    """Say what went wrong in one line on stderr."""
    line = " ".join(error.sentence().split())
    if as_json:
        JsonLines(sys.stderr)(Event(EventKind.ERROR, line, data={"advice": error.advice}))
    else:
        sys.stderr.write(line + "\n")
    return error.exit_status
