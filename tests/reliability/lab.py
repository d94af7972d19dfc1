"""Decompositions that are struck down at a chosen moment, each in a process of its own.

A program, so that what is heavy is loaded once: it reads one trial (a line of JSON) after the other, does the job of
each in a child process by the worker's own code, and answers with a line of JSON on how it ended. A *moment* is any
opening for writing, renaming, making or removing of a file in the job's output folder; they are counted from 1.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR
MOMENTS = frozenset({"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"})
LONGEST = 240
"""Seconds that a trial may take."""
TAKES_SPACE = frozenset({"open", "os.mkdir", "os.rename"})


class Striker:
    """An audit hook that counts moments and strikes at one of them."""

    def __init__(self, folder: str, blow: str, at: int) -> None:
        self.folder, self.blow, self.at = folder, blow, at
        self.count = 0
        self.outside: list[str] = []
        self._busy = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in MOMENTS or self._busy:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITES):
            return
        path = where(event, arguments)
        if not path.startswith(self.folder):
            self.outside.append(path)
            return
        self.count += 1
        if self.count == self.at or (self.blow in ("full", "readonly") and 0 < self.at < self.count):
            self._strike(event, path)

    def _strike(self, event: str, path: str) -> None:
        if self.blow == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.blow == "vanish":
            self._busy = True
            shutil.rmtree(self.folder)
            self._busy = False
        elif self.blow == "suspend":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif event in TAKES_SPACE:
            number = errno.ENOSPC if self.blow == "full" else errno.EROFS
            raise OSError(number, os.strerror(number), path)


def where(event: str, arguments: tuple[Any, ...]) -> str:
    """The path that an event is about; trees are removed by names within an open folder."""
    path, folder = os.fsdecode(arguments[0]), arguments[-1]
    if event in ("os.remove", "os.rmdir") and folder not in (None, -1):
        return str(Path(os.readlink(f"/proc/self/fd/{folder}"), path))  # noqa: PTH115
    return path


def work(trial: dict[str, Any]) -> dict[str, Any]:
    """Do the job of one trial in this process."""
    from backend.decompose import decompose
    from backend.worker import run_job

    events: list[Any] = []
    striker = Striker(json.loads(Path(trial["job"], "request.json").read_text())["out"], trial["blow"], trial["at"])
    if trial.get("memory"):
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + trial["memory"], resource.RLIM_INFINITY))
    sys.addaudithook(striker)
    status = run_job(Path(trial["job"]), lambda: decompose, events.append, threading.Event())
    errors = [event for event in events if event.kind == "error"]
    return {
        "status": status,
        "moments": striker.count,
        "outside": striker.outside,
        "error": errors[-1].message if errors else "",
        "advice": errors[-1].data["advice"] if errors else "",
    }


def strike(trial: dict[str, Any]) -> dict[str, Any]:
    """Do one trial in a child process, which is killed after ``trial["after"]`` seconds when that is given."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        # A job that hangs is ended and told by this signal.
        signal.alarm(LONGEST)
        os.write(writing, json.dumps(work(trial)).encode())
        os._exit(0)
    os.close(writing)
    if "after" in trial:
        time.sleep(trial["after"])
        os.kill(child, signal.SIGKILL)
    if trial["blow"] == "suspend":
        # Looked at and not reaped: it may have ended without coming to that moment.
        seen = os.waitid(os.P_PID, child, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if seen is not None and seen.si_code == os.CLD_STOPPED:
            time.sleep(0.5)
            os.kill(child, signal.SIGCONT)
    with os.fdopen(reading, "rb") as answer:
        text = answer.read()
    _, ended = os.waitpid(child, 0)
    return json.loads(text) if text else {"signal": os.WTERMSIG(ended)}


def main() -> None:
    """Answer trials until there are no more."""
    import torch

    import backend.decompose
    import backend.stages.learn as learn
    from backend.libraries import settle_libraries
    from backend.train.settings import PRESETS, TrainSettings

    torch.set_num_threads(1)
    settle_libraries()
    few = TrainSettings(steps=4, batch_frames=2, pixels=32 * 48, width=8, levels=3, warm_up_steps=1, refits=(0.5,))
    PRESETS["standard"] = few
    # After every step, so that there are many moments to strike at.
    learn._SECONDS_BETWEEN_CHECKPOINTS = learn._SECONDS_BETWEEN_PREVIEWS = -1.0
    assert backend.decompose
    for line in sys.stdin:
        sys.stdout.write(json.dumps(strike(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
