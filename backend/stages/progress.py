"""How far the work is and how long it still takes, told now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from backend.errors import Cancelled
from backend.protocol import Event, EventKind

# Too early, an estimate of the time left is a guess.
_LEAST_SECONDS = 2.0

Report = Callable[[Event], None]


class Progress:
    """Turns "stage, fraction" into events with the fraction of the whole and the time left, and notices a cancel."""

    def __init__(
        self,
        report: Report,
        cancelled: Callable[[], bool],
        shares: dict[str, float],
        stopped: str = "The decomposition was cancelled",
        advice: str = "",
    ) -> None:
        """``shares``: the stages in order with the share of the time that each is expected to take.

        ``stopped`` and ``advice`` are what is said after a cancel.
        """
        self._stopped = stopped, advice
        total = sum(shares.values())
        self._shares = {stage: share / total for stage, share in shares.items()}
        self._report = report
        self.cancelled = cancelled
        self._begun = time.monotonic()
        self._first: float | None = None
        self.seconds: dict[str, float] = {}

    def tell(self, stage: str, fraction: float, message: str = "") -> None:
        """Report where the work is; ``fraction`` 0..1 of the stage. Raises Cancelled when asked to stop."""
        if self.cancelled():
            raise Cancelled(*self._stopped)
        before = sum(share for name, share in self._before(stage))
        whole = before + self._shares[stage] * fraction
        if self._first is None:
            # After a resume the work does not begin at zero.
            self._first = whole
        elapsed, done = time.monotonic() - self._begun, whole - self._first
        left = elapsed * (1 - whole) / done if done > 0.01 and elapsed > _LEAST_SECONDS else None
        self._report(
            Event(EventKind.PROGRESS, message, stage, round(whole, 4), None if left is None else round(left, 1))
        )

    def say(self, message: str, stage: str = "") -> None:
        """One line for the log."""
        self._report(Event(EventKind.MESSAGE, message, stage))

    def preview(self, file: Path) -> None:
        """Tell that a new preview picture lies at ``file``."""
        self._report(Event(EventKind.PREVIEW, data={"file": str(file)}))

    def timed(self, stage: str) -> AbstractContextManager[None]:
        """Measure a stage; the seconds are kept in ``seconds``."""
        return _Timed(self, stage)

    def _before(self, stage: str) -> list[tuple[str, float]]:
        names = list(self._shares)
        return list(self._shares.items())[: names.index(stage)]


class _Timed(nullcontext[None]):
    def __init__(self, progress: Progress, stage: str) -> None:
        super().__init__()
        self._progress, self._stage = progress, stage

    def __enter__(self) -> None:
        self._start = time.monotonic()
        self._progress.tell(self._stage, 0.0)

    def __exit__(self, *exc: object) -> None:
        spent = time.monotonic() - self._start
        self._progress.seconds[self._stage] = round(self._progress.seconds.get(self._stage, 0) + spent, 2)
