"""The local server: listens on this computer only, keeps the jobs, and does no arithmetic itself.

Starlette and nothing on top: requests are checked by the protocol's own rules, and a framework that would do it
takes longer to import than all the rest of the start.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.errors import RetimeError
from backend.protocol import VERSION, RuntimeInfo
from backend.server.errors import PortTaken
from backend.server.guard import Connection, Guard, json_response
from backend.server.job_queue import JobQueue
from backend.server.job_store import JobStore
from backend.server.routes import Routes
from backend.server.runtime import RuntimeFolder, default_runtime_dir
from backend.server.worker_process import WORKER_COMMAND, Patience, WorkerProcess

LOOPBACK = "127.0.0.1"
LOG_BYTES = 1_000_000

logger = logging.getLogger("retime_people.server")


def create_app(queue: JobQueue, token: str, port: int, stop: Callable[[], None]) -> Starlette:
    """The application: every route is behind the token and answers errors as ``{"error": sentence}``.

    Args:
        queue: the jobs.
        token: what a client has to know.
        port: where we listen; requests that were sent to another host or port are refused.
        stop: called when a client asks for the end.
    """
    app = Starlette(
        routes=Routes(queue, stop).table(),
        middleware=[Middleware(Guard, token=token, port=port)],
        exception_handlers={RetimeError: _told, HTTPException: _not_here, Exception: _our_fault},
    )
    app.router.redirect_slashes = False
    return app


def _told(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RetimeError)
    return json_response({"error": error.sentence()}, error.http_status)


def _not_here(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = f"{request.method} {request.url.path} is nothing this backend can do."
    headers = {"Allow": ", ".join(_methods(request))} if error.status_code == 405 else {}
    return json_response({"error": sentence}, error.status_code, headers)


def _methods(request: Request) -> list[str]:
    """What can be done with the path of a request; the framework itself tells of one route only."""
    routes: list[Route] = request.app.routes
    found = (route.methods or set() for route in routes if route.path_regex.match(request.url.path))
    return sorted(set().union(*found))


def _our_fault(_request: Request, error: Exception) -> Response:
    # The traceback is logged by the server that called us.
    return json_response({"error": f"The backend made a mistake ({type(error).__name__}); see server.log."}, 500)


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()

    def stop(self) -> None:
        self.should_exit = True


def serve(
    port: int = 0,
    runtime_dir: Path | None = None,
    worker_command: Sequence[str] = WORKER_COMMAND,
    patience: Patience | None = None,
) -> None:
    """Serve until asked to stop (``POST /shutdown``, SIGTERM or SIGINT).

    Args:
        port: 0 lets the system choose.
        runtime_dir: where ``backend.json`` and the jobs are; None for this user's own.
        worker_command: what to start for a job; the job's folder is added to it.
        patience: how long a worker may take to stop.

    Raises:
        AlreadyRunning: a live backend holds this folder.
        PortTaken: another program listens there.
        OutputError: the folder can't be used.
    """
    folder = RuntimeFolder(runtime_dir or default_runtime_dir())
    try:
        _log_to(folder.path / "server.log")
        with _listen(port) as listener:
            queue = JobQueue(
                JobStore(folder.path / "jobs"), partial(WorkerProcess, command=worker_command, patience=patience)
            )
            _serve(listener, folder, queue)
    finally:
        folder.release()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            # Elsewhere than on Windows this means: even if the last connections to this port are still fading.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortTaken(f"Port {port} can't be used ({error})") from error
    return listener


def _serve(listener: socket.socket, folder: RuntimeFolder, queue: JobQueue) -> None:
    port: int = listener.getsockname()[1]
    info = RuntimeInfo(port, secrets.token_urlsafe(32), os.getpid(), VERSION)

    def listening() -> None:
        folder.publish(info)
        queue.start()

    app = create_app(queue, info.token, port, lambda: server.stop())
    server = _Server(_config(app), listening)
    # The server passes signals on to these when it is done, which would end us before we have cleaned up.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    try:
        server.run(sockets=[listener])
    finally:
        folder.withdraw()
        queue.close()


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )


def _log_to(path: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("retime_people.server", "uvicorn.error", "asyncio"):
        log = logging.getLogger(name)
        log.addHandler(handler)
        log.setLevel(logging.WARNING)
        log.propagate = False
