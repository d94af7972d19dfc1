"""A small shot, the jobs that decompose it, and what the folders hold afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backend.protocol import DecomposeRequest, DecomposeSettings
from tests.end_to_end.tiny_shot import write_shot

ROOT = Path(__file__).parents[2]
FRAMES = 5
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def files_of_set(out: Path) -> dict[str, bytes]:
    """Everything that belongs to a set, by name; the description without what it tells of the run."""
    files = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.suffix in (".exr", ".png")}
    files = {name: data for name, data in files.items() if not name.startswith((".", "preview"))}
    if (out / "layers.json").exists():
        info = json.loads((out / "layers.json").read_text())
        # Seconds and memory are those of the run, and so are the steps that the last run of several has taken.
        del info["metrics"]
        files["layers.json"] = json.dumps(info).encode()
    return files


def hidden(folder: Path) -> list[str]:
    """Whatever was left behind and should not have been."""
    return sorted(p.name for p in folder.rglob(".*"))


@dataclass(frozen=True)
class Lab:
    """The program that does trials, and the shot they are about."""

    process: subprocess.Popen[str]
    shot: Path

    def request(self, out: Path, resume: bool = False, **settings: Any) -> DecomposeRequest:
        """A request to decompose the first frames of the shot."""
        chosen = DecomposeSettings(**{"device": "cpu", "first_frame": 1, "last_frame": FRAMES, **settings})
        return DecomposeRequest(
            str(self.shot / "plate"), str(out), str(self.shot / "masks"), resume=resume, settings=chosen
        )

    def run(self, out: Path, blow: str = "", at: int = 0, *, resume: bool = False, **trial: Any) -> dict[str, Any]:
        """Do one job and tell how it ended."""
        job = out.parent / f"{out.name}-job" if out.parent.name != "disk" else out.parent.parent / "job"
        job.mkdir(exist_ok=True)
        settings = trial.pop("settings", {})
        request = trial.pop("request", None) or self.request(out, resume, **settings)
        (job / "request.json").write_text(json.dumps(asdict(request)))
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"job": str(job), "blow": blow, "at": at, **trial}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def open_lab(folder: Path) -> Iterator[Lab]:
    """Start the program, with a shot written into ``folder``."""
    write_shot(folder / "shot")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.lab"],
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Lab(process, folder / "shot")
    finally:
        process.communicate()
