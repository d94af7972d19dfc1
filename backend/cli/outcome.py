"""From how a command ended to what is said about it and to the exit status."""

from __future__ import annotations

import contextlib
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from backend.cli.progress import JsonLines, Report, reporter
from backend.errors import Cancelled, InputError, RetimeError
from backend.protocol import Event, EventKind
from backend.stages.log import LOG_NAME, note
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


Work = Callable[[Report, Stop], None]


def run(work: Work, log_folder: Path | None, as_json: bool) -> int:
    """Do the work of a command and tell how it ended.

    Args:
        work: called with where to report and how to learn that it should stop.
        log_folder: where a traceback goes; None for commands that keep none.
        as_json: report one line of JSON per event.

    Returns:
        The exit status: 0 done, 2 wrong input, 130 cancelled, 1 our own fault.
    """
    try:
        with stop_on_signals() as stop, reporter(sys.stderr, as_json) as show:
            work(show, stop)
    except KeyboardInterrupt:
        return _tell(Cancelled("Stopped"), as_json)
    # The one place where a fault becomes a sentence.
    except Exception as error:  # noqa: BLE001
        return _tell(_fault(error, log_folder), as_json)
    return 0


def _fault(error: Exception, log_folder: Path | None) -> RetimeError:
    """The fault to tell of. Wrong input leaves no trace; all else is noted, our own fault with its traceback."""
    known = known_fault(error)
    if known is not None:
        if log_folder and log_folder.is_dir() and not isinstance(known, InputError):
            note(log_folder, known.sentence())
        return known
    text = "".join(traceback.format_exception(error))
    where = "the details are above"
    if log_folder and _noted(log_folder, text):
        where = f"the details are in {log_folder / LOG_NAME}"
    else:
        sys.stderr.write(text)
    return RetimeError(f"Something went wrong that is our fault ({type(error).__name__}); {where}")


def _noted(folder: Path, text: str) -> bool:
    """Keep a traceback in the log of a folder, which is made if need be; False where that is not possible."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return note(folder, text)


def _tell(error: RetimeError, as_json: bool) -> int:
    """Say what went wrong in one line on stderr."""
    line = " ".join(error.sentence().split())
    if as_json:
        JsonLines(sys.stderr)(Event(EventKind.ERROR, line, data={"advice": error.advice}))
    else:
        sys.stderr.write(line + "\n")
    return error.exit_status
