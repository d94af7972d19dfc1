"""A backend that only acts its part: the same routes and the same files, but jobs follow a script.

Also a program that is started like the real one: ``python fake_backend.py serve --port 0 --runtime-dir DIR``.
"""

from __future__ import annotations

import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROTOCOL = Path(__file__).parents[2] / "blender_addon" / "protocol.py"
VERSION = re.search(r'^VERSION = "(.+)"', PROTOCOL.read_text(encoding="utf-8"), re.MULTILINE).group(1)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
FINAL = ("finished", "cancelled", "failed")


def state(name: str) -> dict[str, Any]:
    return {"kind": "state", "data": {"state": name}}


def progress(stage: str, fraction: float, seconds_left: float | None = None) -> dict[str, Any]:
    return {"kind": "progress", "stage": stage, "fraction": fraction, "seconds_left": seconds_left}


def result(layers: Path | str) -> dict[str, Any]:
    return {"kind": "result", "message": "The layers are done", "data": {"layers": str(layers)}}


def error(message: str, advice: str = "") -> dict[str, Any]:
    return {"kind": "error", "message": message, "data": {"advice": advice}}


def successful(layers: Path | str) -> list[dict[str, Any]]:
    """The script of a job that goes well."""
    return [
        state("running"),
        progress("Training", 0.25, 30.0),
        {"kind": "preview", "data": {"file": "preview.png"}},
        progress("Writing layers", 1.0, 0.0),
        result(layers),
        state("finished"),
    ]


class FakeJob:
    """A job that takes one more line of its script each time its events are asked for."""

    def __init__(self, number: int, request: dict[str, Any], script: list[dict[str, Any]]) -> None:
        self.id, self.request, self.script = f"job-{number}", request, list(script)
        self.events: list[dict[str, Any]] = []
        self.state = "queued"

    def advance(self) -> None:
        if self.script:
            self.tell(self.script.pop(0))

    def tell(self, event: dict[str, Any]) -> None:
        if event["kind"] == "state":
            self.state = event["data"]["state"]
        self.events.append({"n": len(self.events) + 1, "time": 0.0, "message": "", "stage": "", "data": {}, **event})

    def status(self) -> dict[str, Any]:
        results = [line["data"] for line in self.events if line["kind"] == "result"]
        newest = results[-1] if results else {}
        return {
            "id": self.id,
            "state": self.state,
            "created": 0.0,
            "request": self.request,
            "last_event": len(self.events),
            "layers": newest.get("layers", ""),
            "people": newest.get("people", ""),
        }


class FakeBackend:
    """The server in this process; ``script(request)`` gives the events of each new job."""

    def __init__(self, runtime_dir: Path, script: Any = None, version: str = VERSION, token: str = "secret") -> None:
        self.runtime_dir, self.version, self.token = runtime_dir, version, token
        self.script = script or (lambda request: successful(Path(request["out"]) / "layers.json"))
        self.resume_script: list[dict[str, Any]] = []
        self.jobs: dict[str, FakeJob] = {}
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"backend": self}))
        self.port = self.server.server_address[1]
        self.ended = threading.Event()

    def __enter__(self) -> FakeBackend:
        self.runtime_dir.mkdir(parents=True, exist_ok=True)
        info = {"port": self.port, "token": self.token, "pid": os.getpid(), "version": self.version}
        (self.runtime_dir / "backend.json").write_text(json.dumps(info), encoding="utf-8")
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.vanish()
        (self.runtime_dir / "backend.json").unlink(missing_ok=True)

    def vanish(self) -> None:
        """End like a killed process: the file stays, nobody listens."""
        if not self.ended.is_set():
            self.ended.set()
            self.server.shutdown()
            self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    backend: FakeBackend

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        self.backend.asked.append(f"{self.command} {url.path}")
        if self.headers.get("Authorization") != f"Bearer {self.backend.token}":
            return self._send(401, {"error": "The token is missing or wrong; read it again from backend.json."})
        parts = [part for part in url.path.split("/") if part]
        if parts and parts[0] == "jobs":
            return self._jobs(parts[1:], json.loads(body or b"null"), parse_qs(url.query))
        if self.path == "/health":
            return self._send(200, {"version": self.backend.version, "pid": os.getpid(), "format": "retime-people/1"})
        if self.path == "/shutdown":
            self._send(202, {"stopping": True})
            (self.backend.runtime_dir / "backend.json").unlink(missing_ok=True)
            threading.Thread(target=self.backend.vanish, daemon=True).start()
            return None
        return self._send(404, {"error": f"{self.path} is nothing this backend can do."})

    def _jobs(self, parts: list[str], body: Any, query: dict[str, list[str]]) -> None:
        jobs = self.backend.jobs
        if not parts and self.command == "POST":
            job = FakeJob(len(jobs) + 1, body, self.backend.script(body))
            jobs[job.id] = job
            return self._send(201, job.status())
        if not parts:
            return self._send(200, {"jobs": [job.status() for job in jobs.values()]})
        if parts[0] not in jobs:
            return self._send(404, {"error": f"There is no job {parts[0]}."})
        return self._job(jobs[parts[0]], parts[1:], int(query.get("after", ["0"])[0]))

    def _job(self, job: FakeJob, parts: list[str], after: int) -> None:
        if self.command == "DELETE":
            del self.backend.jobs[job.id]
            return self._send(204, None)
        if parts == ["events"]:
            job.advance()
            return self._send(200, {"events": job.events[after:], "state": job.state})
        if parts == ["cancel"]:
            job.script = [] if job.state in FINAL else [state("cancelled")]
        elif parts == ["resume"]:
            job.script = list(self.backend.resume_script)
            job.tell(state("queued"))
        elif parts == ["preview"]:
            return self._send(200, PNG, "image/png")
        return self._send(200, job.status())

    def _send(self, status: int, data: Any, kind: str = "application/json") -> None:
        body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(arguments: list[str]) -> None:
    """Serve until asked to end."""
    with FakeBackend(Path(arguments[arguments.index("--runtime-dir") + 1])) as backend:
        backend.ended.wait()


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
