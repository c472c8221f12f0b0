"""Asks hosts on the network: within their limits, again after passing faults, and never believing half an answer.

Every request is written into the shared record first (:mod:`f1core.sources.limits`). What may pass by itself (no
connection, time-outs, 429, 5xx, a cut answer) is tried again with growing waits and jitter, or after as long as the
server says; everything else is an error at once. Messages name the host and never a query, a header or a password.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from f1core.sources.exchange import Again, check, host_of, opened, pieces, retried, secrets_in
from f1core.sources.keeping import disk_errors
from f1core.sources.limits import Quota
from warehouse.errors import SourceError, SourceSchemaError

TIMEOUT_S = (10.0, 30.0)
"""Longest wait for a connection, and for the next bytes [s]."""
RETRIES = 3
MAX_BODY = 32 * 2**20
MAX_FILE = 512 * 2**20
STRAY_AGE_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What a host answered.

    Attributes:
        host: Who answered, after redirects.
        status: HTTP status: 200, or 304 when nothing changed since the given ETag.
        body: The decoded body; empty for 304.
        etag: The answer's ETag, to be given with the next request.
        last_modified: When the host last changed it, in its own words.
        not_modified: Whether nothing changed since the given ETag.
    """

    host: str
    status: int
    body: bytes
    etag: str | None
    last_modified: str | None
    not_modified: bool

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            SourceSchemaError: It is none.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise SourceSchemaError(
                f"{self.host} did not answer with JSON ({len(self.body)} bytes).",
                hint="Something else answered (a proxy, a log-in page?), or the source has changed. Nothing was stored.",
            ) from None


@dataclass(frozen=True)
class Download:
    """A file that was fetched whole.

    Attributes:
        path: Where it lies.
        size: Its size [bytes].
        sha256: Hash of its content.
        etag: The answer's ETag.
    """

    path: Path
    size: int
    sha256: str
    etag: str | None


def get(
    url: str,
    *,
    quota: Quota,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    etag: str | None = None,
    expect_json: bool = False,
    max_bytes: int = MAX_BODY,
    timeout: tuple[float, float] = TIMEOUT_S,
    retries: int = RETRIES,
    not_published: str = "",
) -> Answer:
    """Asks for a document.

    Args:
        url: Its address.
        quota: The record of requests.
        params: Further query parameters.
        headers: Further headers; credentials among them are not passed on to another host.
        etag: ETag of the version that is here already: the answer may then be "not modified".
        expect_json: Whether anything but JSON is an error.
        max_bytes: Largest body that is taken.
        timeout: Longest wait for a connection, and for the next bytes [s].
        retries: How often a passing fault is tried again.
        not_published: What a 404 means, in words, when it means "not yet"; empty when it is an error.

    Raises:
        SourceUnavailable: No connection, time-out, refused for now, limits used up, or no network source may be asked.
        NotPublished: 404, where ``not_published`` says so.
        SourceSchemaError: No JSON although it was expected.
        SourceError: The host refuses the request, or the answer is too large.
    """
    sent = {**(headers or {}), **({"If-None-Match": etag} if etag else {})}

    def attempt() -> Answer:
        with opened(url, quota, sent, params, timeout) as response:
            host = host_of(response.url)
            unchanged = etag is not None and response.status_code == 304
            if not unchanged:
                check(response, quota, not_published, secrets_in(url, params, sent))
            body = b"" if unchanged else b"".join(pieces(response, max_bytes))
            return Answer(
                host,
                response.status_code,
                body,
                response.headers.get("ETag"),
                response.headers.get("Last-Modified"),
                unchanged,
            )

    answer = retried(attempt, quota, retries)
    if expect_json and not answer.not_modified:
        answer.json()
    return answer


def download(
    url: str,
    path: Path,
    *,
    quota: Quota,
    headers: Mapping[str, str] | None = None,
    sha256: str | None = None,
    accept: Callable[[Path], None] | None = None,
    max_bytes: int = MAX_FILE,
    timeout: tuple[float, float] = TIMEOUT_S,
    retries: int = RETRIES,
    not_published: str = "",
) -> Download:
    """Fetches a file; it is there whole or not at all, and an older one stays until then.

    A connection that breaks is taken up where it broke, if the server can do that, else from the start.

    Args:
        url: Its address.
        path: Where it goes; the folder is made when missing.
        quota: The record of requests.
        headers: As in :func:`get`.
        sha256: Hash that the content must have; None: whatever comes.
        accept: Looks at the fetched file before it takes its place; what it raises leaves the older one there.
        max_bytes: Largest file that is taken.
        timeout: As in :func:`get`.
        retries: As in :func:`get`.
        not_published: As in :func:`get`.

    Raises:
        SourceUnavailable: As in :func:`get`.
        NotPublished: As in :func:`get`.
        SourceError: As in :func:`get`, or the content has another hash.
        WarehouseError: The disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    with disk_errors(path.parent), contextlib.ExitStack() as cleaning:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        cleaning.callback(temporary.unlink, missing_ok=True)
        with temporary.open("x+b") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            etag = _fill(handle, url, quota, dict(headers or {}), max_bytes, timeout, retries, not_published)
            handle.flush()
            handle.seek(0)
            found = hashlib.file_digest(handle, "sha256").hexdigest()
            if sha256 is not None and found != sha256.lower():
                raise SourceError(
                    f"{path.name} from {host_of(url)} has another checksum than the source gives for it.",
                    hint="It was damaged on its way; the next check fetches it again. What was here stays in use.",
                )
            if accept is not None:
                accept(temporary)
            os.fsync(handle.fileno())
            size = handle.seek(0, os.SEEK_END)
            temporary.replace(path)
    return Download(path, size, found, etag)


def _fill(
    handle: IO[bytes],
    url: str,
    quota: Quota,
    headers: dict[str, str],
    max_bytes: int,
    timeout: tuple[float, float],
    retries: int,
    not_published: str,
) -> str | None:
    """Writes the body into an open file; answers its ETag."""
    etag: str | None = None

    def attempt() -> None:
        nonlocal etag
        start = handle.seek(0, os.SEEK_END)
        # Bytes of a compressed answer cannot be counted from outside, so none is asked for.
        sent = {**headers, "Accept-Encoding": "identity"}
        if start and etag and not etag.startswith("W/"):
            sent |= {"Range": f"bytes={start}-", "If-Range": etag}
        with opened(url, quota, sent, None, timeout) as response:
            resumed = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(
                f"bytes {start}-"
            )
            if response.status_code in (206, 416) and not resumed:
                etag = None  # without it the next attempt asks for the whole
                raise Again(host_of(response.url), "it sent another part of the file than was asked for")
            check(response, quota, not_published, secrets_in(url, None, sent))
            if not resumed:
                handle.truncate(0)
            etag = response.headers.get("ETag")
            for chunk in pieces(response, max_bytes, already=handle.seek(0, os.SEEK_END)):
                handle.write(chunk)

    retried(attempt, quota, retries)
    return etag


def _sweep(path: Path) -> None:
    """Removes what killed downloads of a file left; parts of living ones are locked."""
    for stray in path.parent.glob(f".{path.name}.*.part"):
        with contextlib.suppress(OSError), stray.open("rb") as handle:
            if time.time() - stray.stat().st_mtime > STRAY_AGE_S:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stray.unlink()
