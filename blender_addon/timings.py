"""How long decompositions took on this computer, and what that says of the next one."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

KEPT = 50
"""So many of the newest are kept."""
MINUTE = 60


@dataclass(frozen=True)
class Timing:
    """One finished decomposition; ``work`` is frames x width x height x people."""

    preset: str
    work: float
    seconds: float


@dataclass(frozen=True)
class Estimate:
    """Seconds that the next one should take, and how many earlier ones that is known from."""

    seconds: float
    known_from: int


def timing_of(description: Path) -> Timing | None:
    """What a finished layers.json tells of its own making; None where it tells nothing of use."""
    try:
        data = json.loads(description.read_text(encoding="utf-8"))
        people = sum(layer["role"] == "subject" for layer in data["layers"])
        work = float(data["frames"] * data["width"] * data["height"] * people)
        timing = Timing(str(data["settings"]["preset"]), work, float(data["metrics"]["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return timing if timing.work > 0 and timing.seconds > 0 else None


def read_timings(file: Path) -> tuple[Timing, ...]:
    """All that are kept; none where the file is missing or damaged, since nothing but an estimate hangs on it."""
    try:
        return tuple(Timing(**entry) for entry in json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return ()


def keep_timing(file: Path, timing: Timing) -> None:
    """Add one to those that are kept; raises OSError where the file can't be written."""
    kept = [*read_timings(file), timing][-KEPT:]
    part = file.with_suffix(".part")
    part.write_text(json.dumps([asdict(entry) for entry in kept]), encoding="utf-8")
    part.replace(file)


def estimate(timings: tuple[Timing, ...], preset: str, work: float) -> Estimate | None:
    """The middle of what the same preset took for as much work; None where that was never done here."""
    rates = [timing.seconds / timing.work for timing in timings if timing.preset == preset]
    return Estimate(statistics.median(rates) * work, len(rates)) if rates else None


def in_words(seconds: float) -> str:
    """A time as one says it: ``40 s``, ``3 min``, ``1 h 2 min``."""
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / MINUTE)
    return f"{minutes} min" if minutes < MINUTE else f"{minutes // MINUTE} h {minutes % MINUTE} min"
