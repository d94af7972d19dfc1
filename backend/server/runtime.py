"""The folder in which one backend lives: who runs, where it listens, and its jobs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from backend.errors import OutputError
from backend.locking import FileLock
from backend.protocol import RuntimeInfo, to_json
from backend.server.errors import AlreadyRunning
from backend.server.files import write_atomically

APPLICATION = "retime-people"


def default_runtime_dir(
    platform: str = sys.platform, environ: Mapping[str, str] = os.environ, home: Path | None = None
) -> Path:
    """Where this user's backend lives when nothing else is said, by the rules of the system."""
    home = home or Path.home()
    if platform == "win32":
        base = environ.get("LOCALAPPDATA") or str(home / "AppData" / "Local")
    elif platform == "darwin":
        base = str(home / "Library" / "Application Support")
    else:
        base = environ.get("XDG_DATA_HOME", "")
        # The XDG specification: a path that is not absolute is to be ignored.
        base = base if base.startswith("/") else str(home / ".local" / "share")
    return Path(base) / APPLICATION


def read_runtime_info(folder: Path) -> RuntimeInfo | None:
    """What the backend of this folder wrote when it began to listen; None when there is none (or it is damaged)."""
    try:
        return RuntimeInfo(**json.loads((folder / "backend.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


class RuntimeFolder:
    """A runtime folder held by this process, and by no other, until it is released."""

    def __init__(self, path: Path) -> None:
        """Take the folder, making it where needed.

        Raises:
            AlreadyRunning: another live backend holds it.
            OutputError: it can't be made or written.
        """
        self.path = path.absolute()
        self._info_file = self.path / "backend.json"
        self._lock = FileLock(self.path / "backend.lock")
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            held = self._lock.acquire()
            if held:
                # Left by a backend that died: nobody may take its port for ours.
                self._info_file.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path}: the runtime folder can't be used ({error.strerror})") from error
        if not held:
            raise AlreadyRunning(_who_runs(self.path))

    def publish(self, info: RuntimeInfo) -> None:
        """Tell where we listen. Raises OutputError."""
        try:
            write_atomically(self._info_file, json.dumps(to_json(info)).encode())
        except OSError as error:
            raise OutputError(f"{self._info_file}: can't be written ({error.strerror})") from error

    def withdraw(self) -> None:
        """We listen no more."""
        self._info_file.unlink(missing_ok=True)

    def release(self) -> None:
        """Let another backend take the folder."""
        self._lock.release()


def _who_runs(folder: Path) -> str:
    info = read_runtime_info(folder)
    if info is None:
        return f"{folder}: another backend is just starting or stopping here"
    return f"{folder}: a backend already runs here (process {info.pid}, port {info.port})"
