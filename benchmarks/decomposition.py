"""One decomposition as a user would start it, with the time that each of its stages took."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class StageClock:
    """Seconds between the first event of one stage and that of the next."""

    started: float
    seconds: dict[str, float] = field(default_factory=dict)
    stage: str = ""

    def hear(self, stage: str, now: float) -> None:
        """Note that an event of this stage came; events without a stage belong to the one before."""
        if not stage or stage == self.stage:
            return
        self.close(now)
        self.stage, self.started = stage, now

    def close(self, now: float) -> None:
        """End the stage that is running."""
        if self.stage:
            self.seconds[self.stage] = self.seconds.get(self.stage, 0.0) + now - self.started


@dataclass(frozen=True)
class Outcome:
    """A finished layer set, the wall time it took, and what it says of itself."""

    folder: Path
    seconds: float
    stages: dict[str, float]
    metrics: dict[str, Any]


def decompose(plate: Path, masks: Path, out: Path, preset: str, device: str = "auto") -> Outcome:
    """Run the command line on a plate; ends the program with the command's own words when it fails."""
    command = [sys.executable, "-m", "backend", "decompose", str(plate), "--masks", str(masks), "--out", str(out)]
    command += ["--preset", preset, "--device", device, "--json"]
    started = time.monotonic()
    clock = StageClock(started)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        words = listen(process.stderr, clock)
    ended = time.monotonic()
    clock.close(ended)
    if process.returncode:
        raise SystemExit(f"decompose ended with status {process.returncode}: {' '.join(words[-5:])}")
    metrics = json.loads((out / "layers.json").read_text()).get("metrics", {})
    return Outcome(out, ended - started, clock.seconds, metrics)


def listen(lines: Iterable[str], clock: StageClock) -> list[str]:
    """Feed the clock from the lines of events; returns the messages and whatever was no event."""
    words: list[str] = []
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            words.append(line.strip())
            continue
        clock.hear(event.get("stage", ""), time.monotonic())
        if event.get("kind") in ("error", "message"):
            words.append(event["message"])
    return words
