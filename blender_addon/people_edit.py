"""Corrections of who is who, done by the backend's own command in the folder of masks; no job, no search."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .backend_process import Launch

SECONDS = 120.0
"""A correction copies files; one that takes longer than this hangs."""


class EditProblem(Exception):
    """A correction that could not be done; the text is one sentence with the remedy."""


def edit_people(launch: Launch, runtime: Path, folder: Path, change: str, words: Sequence[str]) -> None:
    """Change the masks and the list in a folder.

    Args:
        launch: how the backend is started.
        runtime: where it is started when the launch names no folder.
        folder: holds people.json.
        change: merge, split, swap, delete, rename, forward or backward.
        words: what the change needs.

    Raises:
        EditProblem: with the backend's own sentence.
    """
    if not launch.python:
        raise EditProblem("The backend is not installed, and it does the corrections; press Install Backend.")
    command = [launch.python, "-m", "backend", "people-edit", "--", str(folder), change, *words]
    try:
        done = subprocess.run(
            command,
            cwd=launch.folder or runtime,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EditProblem(f"The backend could not be asked ({error}); press Repair under Backend.") from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise EditProblem(lines[-1] if lines else f"The backend refused with status {done.returncode}; try again.")
