"""The requests a client can make, one function each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.protocol import FORMAT, VERSION, to_json
from backend.server.guard import json_response
from backend.server.job_queue import JobQueue
from backend.server.openapi import openapi
from backend.server.previews import read_preview
from backend.server.requests import parse_number, parse_request


class Routes:
    """Answers to requests; what is refused is raised as a RetimeError."""

    def __init__(self, queue: JobQueue, stop: Callable[[], None]) -> None:
        self._queue = queue
        self._stop = stop

    def table(self) -> list[Route]:
        """Which function answers which request."""
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/jobs", self.create, methods=["POST"]),
            Route("/jobs", self.jobs, methods=["GET"]),
            Route("/jobs/{job_id}", self.job, methods=["GET"]),
            Route("/jobs/{job_id}", self.delete, methods=["DELETE"]),
            Route("/jobs/{job_id}/events", self.events, methods=["GET"]),
            Route("/jobs/{job_id}/cancel", self.cancel, methods=["POST"]),
            Route("/jobs/{job_id}/resume", self.resume, methods=["POST"]),
            Route("/jobs/{job_id}/preview", self.preview, methods=["GET"]),
            Route("/shutdown", self.shutdown, methods=["POST"]),
            Route("/openapi.json", self.openapi, methods=["GET"]),
        ]

    def health(self, _request: Request) -> Response:
        """Who is there."""
        return json_response({"version": VERSION, "pid": os.getpid(), "format": FORMAT})

    async def create(self, request: Request) -> Response:
        """Queue a job: the body is a request as the protocol tells."""
        wanted = parse_request(await request.body())
        return json_response(to_json(await run_in_threadpool(self._queue.add, wanted)), 201)

    def jobs(self, _request: Request) -> Response:
        """Every job, oldest first."""
        return json_response({"jobs": [to_json(status) for status in self._queue.statuses()]})

    def job(self, request: Request) -> Response:
        """One job."""
        return json_response(to_json(self._queue.status(_job_id(request))))

    def events(self, request: Request) -> Response:
        """What happened since the event with the number ``after``."""
        after = parse_number("after", request.query_params.get("after", "0"))
        events, state = self._queue.events(_job_id(request), after)
        return json_response({"events": events, "state": state})

    def cancel(self, request: Request) -> Response:
        """Stop a job."""
        return json_response(to_json(self._queue.cancel(_job_id(request))))

    def resume(self, request: Request) -> Response:
        """Queue a cancelled or failed job again."""
        return json_response(to_json(self._queue.resume(_job_id(request))))

    def preview(self, request: Request) -> Response:
        """The picture the job showed last."""
        folder, file = self._queue.preview(_job_id(request))
        out = Path(self._queue.status(_job_id(request)).request.out)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return Response(read_preview(file, [out, folder]), headers=headers, media_type="image/png")

    def delete(self, request: Request) -> Response:
        """Forget a job that is done."""
        self._queue.delete(_job_id(request))
        return Response(status_code=204)

    def shutdown(self, _request: Request) -> Response:
        """End the backend; a running job goes on after its next start."""
        self._stop()
        return json_response({"stopping": True}, 202)

    def openapi(self, _request: Request) -> Response:
        """All of this in words that tools understand."""
        return json_response(openapi())


def _job_id(request: Request) -> str:
    # Only ever looked up among the known jobs, never made into a path.
    return str(request.path_params["job_id"])
