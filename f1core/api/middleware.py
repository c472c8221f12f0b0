"""What happens to every request around the routes: limits, who may read from another origin, and the last resort."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from f1core.api.problems import Problem, problem_response

MAX_PATH = 1024
MAX_QUERY = 2048
"""Characters of a path and of a query; no honest request comes near."""
MAX_BODY = 16_384
"""Bytes of a body; the largest scenario has a quarter of that."""
BODY_S = 10.0
"""How long a client may take to send it [s]."""
PREFLIGHT_AGE_S = 86_400
DEMO_HEADER = "X-Demo-Season"
"""On every answer of a demo season, whose drivers, teams and results are made up."""
EXPOSED = f"ETag, Content-Location, Retry-After, {DEMO_HEADER}"

log = logging.getLogger("f1core.api")  # not structlog: it would cost a tenth of this process's memory


class CrossOrigin:
    """Lets pages of the allowed origins ask and read the answers; there are no cookies and nothing can be changed.

    Args:
        app: What answers.
        origins: Allowed origins, or ``*``.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self.app = app
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        is_for_all = "*" in self.origins
        is_allowed = bool(origin) and (is_for_all or origin.lower() in self.origins)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                if is_for_all:
                    own["Access-Control-Allow-Origin"] = "*"
                else:
                    # Also without an origin: a shared cache must not hand this answer to a page that asks with one.
                    own.add_vary_header("Origin")
                    if is_allowed:
                        own["Access-Control-Allow-Origin"] = origin
                if is_allowed or is_for_all:
                    own["Access-Control-Expose-Headers"] = EXPOSED
            await send(message)

        if scope["method"] == "OPTIONS" and origin and "access-control-request-method" in headers:
            await send_with_headers({"type": "http.response.start", "status": 204, "headers": _preflight()})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send_with_headers)


def _preflight() -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-methods", b"GET, HEAD, POST"),
        (b"access-control-allow-headers", b"Accept, Content-Type, If-None-Match"),
        (b"access-control-max-age", str(PREFLIGHT_AGE_S).encode()),
    ]


class Guard:
    """Refuses what is too long, marks a demo, and answers in our own shape when a route fails in an unforeseen way.

    Args:
        app: What answers.
        is_demo: Whether answers are of a demo season now.
    """

    def __init__(self, app: ASGIApp, is_demo: Callable[[], bool]) -> None:
        self.app = app
        self.is_demo = is_demo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if len(scope["path"]) > MAX_PATH or len(scope.get("query_string", b"")) > MAX_QUERY:
            too_long = Problem(
                414,
                "too_long",
                "The address is too long.",
                hint=f"A path has at most {MAX_PATH} characters, a query {MAX_QUERY}.",
            )
            await problem_response(too_long)(scope, receive, send)
            return
        if scope["method"] == "POST":
            try:
                receive = await _whole_body(Headers(scope=scope), receive)
            except Problem as problem:
                await problem_response(problem)(scope, receive, send)
                return
        has_begun = False
        is_demo = self.is_demo()

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                if is_demo:
                    MutableHeaders(scope=message)[DEMO_HEADER] = "true"
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except Exception:
            if has_begun:
                raise  # the server breaks the connection off: nobody takes a half for the whole
            log.exception("api_failed %s", scope["path"])
            failed = Problem(
                500, "failed", "The request failed on our side.", hint="The server's log says why."
            )
            await problem_response(failed)(scope, receive, send_noting)


async def _whole_body(headers: Headers, receive: Receive) -> Receive:
    """Reads a body up to its limits before anything is done with it; hands it out again.

    Raises:
        Problem: It is too large or comes too slowly.
    """
    told = headers.get("content-length", "0")
    if not told.isascii() or not told.isdigit() or len(told) > 12 or int(told) > MAX_BODY:
        raise _too_large()
    parts: list[bytes] = []

    async def read() -> Message:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return message
            parts.append(message.get("body", b""))
            if sum(map(len, parts)) > MAX_BODY:
                raise _too_large()
            if not message.get("more_body", False):
                return {"type": "http.request", "body": b"".join(parts), "more_body": False}

    try:
        pending: Message | None = await asyncio.wait_for(read(), BODY_S)
    except TimeoutError:
        raise Problem(
            408, "too_slow", "The body did not arrive in time.", hint=f"Send it within {BODY_S:g} seconds."
        ) from None

    async def again() -> Message:
        nonlocal pending
        if pending is None:
            return await receive()
        message, pending = pending, None
        return message

    return again


def _too_large() -> Problem:
    return Problem(413, "too_long", "The body is too long.", hint=f"A body has at most {MAX_BODY} bytes.")
