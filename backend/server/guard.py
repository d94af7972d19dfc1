"""Who may talk to the backend: programs of this computer that know the token, and no web page."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

BODY_LIMIT = 1_000_000
BODY_SECONDS = 30.0
"""How long a client may take to send its request."""
HEAD_SECONDS = 10.0
"""How long a connection may be open before it has said what it wants."""


class Refused(Exception):
    """The request goes no further."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer that no cache keeps. Pure ASCII: names of files may hold bytes that are no text."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(json.dumps(data), status, headers, "application/json")


class Guard:
    """Let a request through to the application only when all of it is in order."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        if scope["type"] != "http":
            return
        try:
            self._check(Headers(scope=scope))
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read_body(Request(scope, receive))
        except Refused as refusal:
            # Closed, because part of the request may still be on its way.
            answer = json_response({"error": str(refusal)}, refusal.status, {"Connection": "close"})
            await answer(scope, receive, send)
        except TimeoutError:
            answer = json_response({"error": "The request took too long to arrive."}, 408, {"Connection": "close"})
            await answer(scope, receive, send)
        except ClientDisconnect:
            return
        else:
            await self._app(scope, _replay(body, receive), send)

    def _check(self, headers: Headers) -> None:
        # A page of the web that has its own name resolved to this computer still sends that name.
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise Refused(403, "The Host header must name this computer and the backend's port.")
        if any(origin not in self._origins for origin in headers.getlist("origin")):
            raise Refused(403, "Requests from web pages are refused.")
        if not self._is_token(headers.getlist("authorization")):
            raise Refused(401, "The token is missing or wrong; read it again from backend.json.")

    def _is_token(self, values: list[str]) -> bool:
        if len(values) != 1:
            return False
        scheme, _, token = values[0].partition(" ")
        return scheme.lower() == "bearer" and secrets.compare_digest(token.encode(), self._token)


class Connection(H11Protocol):
    """A connection that is closed when it never says what it wants: those of strangers must not use up the system's."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._late is not None:
            self._late.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if self.cycle is None:
            self.transport.close()


async def _read_body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    too_large = Refused(413, f"The request is larger than {BODY_LIMIT} bytes.")
    if announced.isdecimal() and int(announced[:20]) > BODY_LIMIT:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise too_large
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read already, then whatever else there is to receive."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
