"""The layer server as a process of its own: finding the one that runs, starting at most one, stopping ours."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .client import BackendError, BackendGone, BackendSlow, Client
from .gentle_process import start_gently
from .protocol import VERSION, RuntimeInfo

START_SECONDS = 60.0
"""A start that takes longer than this has failed; a cold disk needs several seconds."""
STOP_SECONDS = 10.0
"""How long the server may take to end before it is ended."""
MAX_RESTARTS = 3
"""Unasked restarts in a row, so that a server which can't live is not started for ever."""
HEALTH_SECONDS = 2.0


class BackendState(StrEnum):
    """How it stands with the backend."""

    NOT_CONFIGURED = "not_configured"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    MISMATCH = "mismatch"
    FAILED = "failed"


@dataclass(frozen=True)
class BackendStatus:
    """A state and the sentence that belongs to it."""

    state: BackendState
    sentence: str = ""


@dataclass(frozen=True)
class Launch:
    """How to start the backend: a Python that has it, and a folder to start it in (empty: the runtime folder)."""

    python: str = ""
    folder: str = ""


NOT_CONFIGURED = BackendStatus(
    BackendState.NOT_CONFIGURED,
    "The backend is not installed; press Install Backend, or set Backend Python in the preferences of this add-on.",
)
STOPPED = BackendStatus(BackendState.STOPPED, "The backend is not running; Find People and Decompose start it.")
STARTING = BackendStatus(BackendState.STARTING, "The backend is starting.")
RUNNING = BackendStatus(BackendState.RUNNING, "The backend is running.")


class BackendProcess:
    """The one backend of a runtime folder; safe to use from two threads."""

    def __init__(self, runtime_dir: Path, launch: Launch, clock: Callable[[], float] = time.monotonic) -> None:
        self.runtime_dir = runtime_dir
        self.launch = launch
        self.status = STOPPED
        self._clock = clock
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._restarts = 0
        self._was_up = False

    @property
    def log(self) -> Path:
        """What the server we started has to say."""
        return self.runtime_dir / "backend.log"

    def look(self) -> BackendStatus:
        """See how it stands with the backend, without changing anything; may take HEALTH_SECONDS."""
        with self._lock:
            self.status = self._status()
            return self.status

    def client(self) -> Client:
        """The way to ask the running backend; raises BackendError with the reason when there is none."""
        status = self.look()
        info = read_runtime_info(self.runtime_dir)
        if status.state is not BackendState.RUNNING or info is None:
            raise BackendError(status.sentence)
        return Client.of(info)

    def start(self) -> BackendStatus:
        """Start the backend unless one runs or is starting; returns at once, look() tells when it listens."""
        with self._lock:
            self._restarts = 0
            return self._start_if_down()

    def restart(self) -> BackendStatus:
        """Start again a server that was up and vanished on its own, a limited number of times."""
        with self._lock:
            down = self.look().state in (BackendState.STOPPED, BackendState.FAILED)
            if not down or not self._was_up or self._restarts >= MAX_RESTARTS:
                return self.status
            self._restarts += 1
            return self._start_if_down()

    def wait(self, seconds: float = START_SECONDS, pause: Callable[[float], None] = time.sleep) -> BackendStatus:
        """Look again and again while the backend is starting."""
        until = self._clock() + seconds
        while self.look().state is BackendState.STARTING and self._clock() < until:
            pause(0.1)
        return self.status

    def stop(self) -> BackendStatus:
        """End the backend, whoever started it, and wait until it is gone."""
        with self._lock:
            self._was_up = False
            info = read_runtime_info(self.runtime_dir)
            asked = info is not None and _ask_to_end(Client.of(info, HEALTH_SECONDS))
            self._end_ours(STOP_SECONDS if asked else 0.0)
            until = self._clock() + STOP_SECONDS
            while asked and self.look().state is BackendState.RUNNING and self._clock() < until:
                time.sleep(0.1)
            return self.look()

    def close(self) -> None:
        """End the backend if it is ours; another Blender's goes on."""
        with self._lock:
            info = read_runtime_info(self.runtime_dir)
            pid = self._process.pid if self._process is not None else 0
            asked = info is not None and info.pid == pid and _ask_to_end(Client.of(info, HEALTH_SECONDS))
            self._end_ours(STOP_SECONDS if asked else 0.0)

    def _status(self) -> BackendStatus:
        info = read_runtime_info(self.runtime_dir)
        answered = self._answer(info) if info is not None else None
        if answered is not None:
            return answered
        if self._process is not None:
            return self._own_status(self._process)
        return STOPPED if self.launch.python else NOT_CONFIGURED

    def _answer(self, info: RuntimeInfo) -> BackendStatus | None:
        """What the listening server says; None when nobody listens, so that the runtime file is a stale one."""
        try:
            health = Client.of(info, HEALTH_SECONDS).health()
        except BackendGone:
            return None
        except BackendSlow:
            # Busy is not dead: to start a second one now would make it worse.
            return BackendStatus(BackendState.RUNNING, "The backend is busy and answers slowly.")
        except BackendError as error:
            return BackendStatus(BackendState.FAILED, str(error))
        if health.version != VERSION:
            return _mismatch(health.version)
        self._was_up = True
        return RUNNING

    def _own_status(self, process: subprocess.Popen[bytes]) -> BackendStatus:
        code = process.poll()
        if code is not None:
            text = f"The backend ended with status {code}{_last_words(self.log)}; start it again or see {self.log}."
            return BackendStatus(BackendState.FAILED, text)
        if self._clock() - self._started_at > START_SECONDS:
            text = f"The backend did not start within {START_SECONDS:g} seconds; see {self.log}."
            return BackendStatus(BackendState.FAILED, text)
        return STARTING

    def _start_if_down(self) -> BackendStatus:
        if self.look().state in (BackendState.STOPPED, BackendState.FAILED):
            self._end_ours(0.0)
            self.status = self._launch()
        return self.status

    def _launch(self) -> BackendStatus:
        if not self.launch.python:
            return NOT_CONFIGURED
        command = [self.launch.python, "-m", "backend", "serve", "--port", "0", "--runtime-dir", str(self.runtime_dir)]
        try:
            self.runtime_dir.mkdir(parents=True, exist_ok=True)
            with self.log.open("wb") as log:
                self._process = start_gently(
                    command,
                    cwd=self.launch.folder or self.runtime_dir,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # A Ctrl-C in the terminal that Blender was started from is not meant for the server.
                    start_new_session=True,
                )
        except OSError as error:
            text = f"{self.launch.python} can't be started: {error.strerror}; set Backend Python in the preferences."
            return BackendStatus(BackendState.FAILED, text)
        self._started_at = self._clock()
        return STARTING

    def _end_ours(self, patience: float) -> None:
        """Wait for our process to end by itself, then end it, then kill it."""
        process, self._process = self._process, None
        if process is None:
            return
        for insist in (process.terminate, process.kill):
            try:
                process.wait(patience)
                return
            except subprocess.TimeoutExpired:
                insist()
                patience = STOP_SECONDS
        process.wait()


def read_runtime_info(runtime_dir: Path) -> RuntimeInfo | None:
    """What the listening backend wrote; None when there is no whole file."""
    try:
        data = json.loads((runtime_dir / "backend.json").read_text(encoding="utf-8"))
        return RuntimeInfo(int(data["port"]), str(data["token"]), int(data["pid"]), str(data["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _mismatch(version: str) -> BackendStatus:
    update = "the backend" if _parts(version) < _parts(VERSION) else "this add-on"
    text = f"The backend is version {version}, this add-on is version {VERSION}; update {update}, then start again."
    return BackendStatus(BackendState.MISMATCH, text)


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _last_words(log: Path) -> str:
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    return next((f": {line[:200].rstrip('.')}" for line in reversed(lines) if line), "")


def _ask_to_end(client: Client) -> bool:
    """True when the server agreed to end."""
    try:
        client.shutdown()
    except BackendError:
        return False
    return True
