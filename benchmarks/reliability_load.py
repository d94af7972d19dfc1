"""Two hundred jobs and four impatient clients against one server: what is lost, and how memory grows."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.protocol import DecomposeRequest, to_json
from backend.server.runtime import read_runtime_info

ROOT = Path(__file__).parents[1]
SERVE = """
import sys
from pathlib import Path
from backend.server.app import serve
serve(0, Path(sys.argv[1]), sys.argv[2:])
"""
FAKE_WORKER = (sys.executable, "-S", str(ROOT / "tests" / "server" / "fake_worker.py"))
START_SECONDS = 60.0


@dataclass
class Server:
    """A server as a process of its own."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int = 0
    token: str = ""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and answer of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                method, path, json.dumps(body) if body else None, {"Authorization": f"Bearer {self.token}"}
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def memory(self) -> int:
        """Bytes the server has in memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096


def start(folder: Path, worker: tuple[str, ...] = FAKE_WORKER) -> Server:
    """Start a server in a runtime folder and wait until it listens."""
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(folder), *worker], cwd=ROOT)
    server, end = Server(process, folder), time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        info = read_runtime_info(folder)
        if info and info.pid == process.pid:
            server.port, server.token = info.port, info.token
            return server
        time.sleep(0.02)
    process.kill()
    raise TimeoutError("the server did not start")


@contextmanager
def serving(folder: Path, worker: tuple[str, ...] = FAKE_WORKER) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    server = start(folder, worker)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait()


@dataclass
class Watcher:
    """One client that asks for all news of all jobs, again and again."""

    server: Server
    per_second: float
    events: dict[str, list[int]] = field(default_factory=dict)
    requests: int = 0
    failures: int = 0

    def watch(self, stop: threading.Event) -> None:
        """Ask for one job after the other until told to stop."""
        while not stop.is_set():
            for job in self.jobs() or [""]:
                began = time.monotonic()
                if job:
                    self.follow(job)
                stop.wait(max(0.0, 1 / self.per_second - (time.monotonic() - began)))
                if stop.is_set():
                    return

    def jobs(self) -> list[str]:
        """The numbers of all jobs."""
        self.requests += 1
        status, answer = self.server.ask("GET", "/jobs")
        self.failures += status != 200
        return [job["id"] for job in answer["jobs"]] if status == 200 else []

    def follow(self, job: str) -> None:
        """Take the events of one job that are new."""
        seen = self.events.setdefault(job, [])
        self.requests += 1
        status, answer = self.server.ask("GET", f"/jobs/{job}/events?after={len(seen)}")
        self.failures += status != 200
        seen += [event["n"] for event in answer["events"]] if status == 200 else []


def load(jobs: int = 200, clients: int = 4, per_second: float = 20.0, seconds: float = 60.0) -> dict[str, Any]:
    """Queue jobs and watch them; returns what was counted."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name) / "runtime") as server:
        watchers, stop = [Watcher(server, per_second) for _ in range(clients)], threading.Event()
        threads = [threading.Thread(target=watcher.watch, args=(stop,)) for watcher in watchers]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        ids = [_add(server, f"{name}/out/{number}") for number in range(jobs)]
        queued = server.memory()
        _wait(server, seconds - (time.monotonic() - began))
        while any(job["state"] in ("queued", "running") for job in _jobs(server)):
            time.sleep(0.5)
        done, spent = server.memory(), time.monotonic() - began
        stop.set()
        for thread in threads:
            thread.join()
        for watcher in watchers:
            for job in ids:
                watcher.follow(job)
        states = [job["state"] for job in _jobs(server)]
        order = [int(Path(name, "out", str(number), "runs.txt").stat().st_mtime_ns) for number in range(jobs)]
        return {
            "jobs": jobs,
            "finished": states.count("finished"),
            "in order": order == sorted(order),
            "requests": sum(watcher.requests for watcher in watchers),
            "failed requests": sum(watcher.failures for watcher in watchers),
            "events": sum(len(seen) for seen in watchers[0].events.values()),
            "gaps": sum(
                seen != list(range(1, len(seen) + 1)) for watcher in watchers for seen in watcher.events.values()
            ),
            "clients agree": all(watcher.events == watchers[0].events for watcher in watchers),
            "seconds": round(spent),
            "MB when queued, when done": (round(queued / 1e6, 1), round(done / 1e6, 1)),
        }


def _add(server: Server, out: str) -> str:
    status, job = server.ask("POST", "/jobs", to_json(DecomposeRequest("/clips/quick", out)))
    assert status == 201, job
    return str(job["id"])


def _jobs(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.ask("GET", "/jobs")[1]["jobs"]
    return found


def _wait(server: Server, seconds: float) -> None:
    """Let the clients go on asking; the server must live."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.process.poll() is None, "the server died"
        time.sleep(0.5)
