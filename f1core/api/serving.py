"""Turns bytes into an answer: validators, conditional requests, compression, how long it may be kept."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from f1core.api.library import GZIP_LEVEL, Document

FOR_EVER = "public, max-age=31536000, immutable"
"""For an address that names the kind and stage of a sealed record: it can never answer anything else."""
FOR_NOW = "public, max-age=60, must-revalidate"
"""For everything that another document may take the place of."""
MIN_GZIP = 512
"""Bytes below which compression is not worth its header."""


def document_answer(request: Request, document: Document, *, cache: str, location: str) -> Response:
    """Answers a document as it lies on disk.

    Args:
        request: What was asked.
        document: The document.
        cache: How long it may be kept.
        location: The address that names this document and no other.
    """
    return _answer(
        request,
        document.body,
        lambda: document.packed,
        digest=document.digest,
        headers={"Cache-Control": cache, "Content-Location": location},
    )


def json_answer(request: Request, content: Any, *, cache: str = FOR_NOW) -> Response:
    """Answers plain data as JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return _answer(
        request,
        body,
        lambda: gzip.compress(body, GZIP_LEVEL, mtime=0),
        digest=hashlib.sha256(body).hexdigest(),
        headers={"Cache-Control": cache},
    )


def page_answer(request: Request, html: str) -> Response:
    """Answers a page that needs nothing from elsewhere and may load nothing."""
    body = html.encode()
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return _answer(
        request,
        body,
        lambda: gzip.compress(body, GZIP_LEVEL, mtime=0),
        digest=hashlib.sha256(body).hexdigest(),
        headers={"Cache-Control": FOR_NOW, "Content-Security-Policy": policy},
        media_type="text/html",
    )


def _answer(
    request: Request,
    body: bytes,
    packed: Callable[[], bytes],
    *,
    digest: str,
    headers: dict[str, str],
    media_type: str = "application/json",
) -> Response:
    # A strong validator names one sequence of bytes: the compressed ones have another (RFC 9110, 8.8.3.3).
    is_packed = len(body) >= MIN_GZIP and accepts_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{digest}-gzip"' if is_packed else f'"{digest}"'
    headers = {"ETag": tag, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff", **headers}
    asked = request.headers.get("if-none-match")
    if asked is not None and matches(asked, digest):
        return Response(status_code=304, headers=headers)
    sent = packed() if is_packed else body
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(sent))
        sent = b""
    return Response(sent, headers=headers, media_type=media_type)


def matches(if_none_match: str, digest: str) -> bool:
    """Whether a client says that it has these contents, in whatever encoding."""
    known = {"*", f'"{digest}"', f'"{digest}-gzip"'}
    return any(part.strip().removeprefix("W/") in known for part in if_none_match.split(","))


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an ``Accept-Encoding`` header takes gzip: by name, else by ``*``, with a weight above zero."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        try:
            weights[name] = float(weight)
        except ValueError:
            weights[name] = 0.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0
