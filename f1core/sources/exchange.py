"""One exchange with a host on the network, and when to try it again; :mod:`f1core.sources.http` is what others call."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
import tenacity
import urllib3.exceptions

from f1core.log import get_logger
from f1core.sources.limits import Quota
from warehouse.errors import NotPublished, SourceError, SourceUnavailable

USER_AGENT = "parc-ferme/0.1.0 (Formula 1 forecasts from public data)"
DEADLINE_S = 600.0
"""Longest time that a body may take altogether [s]."""
PATIENCE_S = 60.0
"""A server that wants a longer pause is not waited for [s]: the job comes back later."""
REDIRECTS = 5
_CHUNK = 64 * 1024
_LATER = "Check the connection, or try later; jobs try again by themselves. What is stored stays in use."
_SECRET_NAME = re.compile(r"key|token|secret|passw|auth|sig", re.IGNORECASE)

Result = TypeVar("Result")
_log = get_logger(__name__)
_monotonic = time.monotonic


class Again(Exception):
    """A fault that may pass by itself."""

    def __init__(self, host: str, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.host, self.reason, self.retry_after_s = host, reason, retry_after_s


def _as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that adds none: without it a password in ``~/.netrc`` would be sent unasked."""
    return request


@contextlib.contextmanager
def opened(
    url: str,
    quota: Quota,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None,
    timeout: tuple[float, float],
) -> Iterator[requests.Response]:
    """An answer whose body is still to be read, after redirects; each of them is a request like any other."""
    sent = {"User-Agent": USER_AGENT, **headers}
    with requests.Session() as session:
        for _ in range(REDIRECTS + 1):
            host = host_of(url)
            quota.take(host)
            try:
                response = session.get(
                    url,
                    params=params,
                    headers=sent,
                    timeout=timeout,
                    stream=True,
                    allow_redirects=False,
                    auth=_as_given,
                )
            except requests.exceptions.SSLError:
                raise SourceUnavailable(
                    f"{host} could not prove that it is {host} (certificate).",
                    hint="Check the machine's clock and its proxy; nothing was fetched.",
                ) from None
            except requests.exceptions.Timeout:
                raise Again(host, "no answer in time") from None
            except requests.exceptions.ConnectionError:
                raise Again(host, "no connection") from None
            except (requests.exceptions.RequestException, ValueError):
                raise SourceError(f"{host} cannot be asked: the address is not valid.") from None
            with response:
                target = response.headers.get("Location") if response.is_redirect else None
                if target is None:
                    yield response
                    return
            url, params = next_hop(url, target), None
            if host_of(url) != host:
                sent = {
                    name: value
                    for name, value in sent.items()
                    if name.lower() not in ("authorization", "cookie")
                }
        raise SourceError(
            f"{host_of(url)} redirects without end.", hint="The source has moved or is misconfigured."
        )


def next_hop(url: str, target: str) -> str:
    """The address that an answer leads to.

    Raises:
        SourceError: It leads to an unencrypted or an unknown kind of address.
    """
    hop = urljoin(url, target)
    old, new = urlsplit(url).scheme, urlsplit(hop).scheme
    if new not in ("https", "http") or (old == "https" and new == "http"):
        raise SourceError(
            f"{host_of(url)} leads to an address that is not encrypted; it was not followed.",
            hint="The source has moved or something on the way interferes.",
        )
    return hop


def check(response: requests.Response, quota: Quota, not_published: str, secrets: list[str]) -> None:
    """Lets 200 and 206 pass; sorts everything else into errors."""
    status, host = response.status_code, host_of(response.url)
    if status in (200, 206):
        return
    wait_s = _retry_after(response, quota.now())
    # GitHub says 403 where others say 429.
    if status in (408, 425, 429) or status >= 500 or (status == 403 and wait_s is not None):
        if wait_s is not None:
            quota.pause(host, wait_s)
        raise Again(host, f"status {status}{_said(response, secrets)}", retry_after_s=wait_s)
    if status in (404, 410) and not_published:
        raise NotPublished(not_published, hint="It is asked for again later.")
    raise SourceError(
        f"{host} refused the request for {urlsplit(response.url).path} (status {status}{_said(response, secrets)}).",
        hint="The source has changed or the request is wrong; asking again does not help. Nothing was stored.",
    )


def _retry_after(response: requests.Response, now: float) -> float | None:
    """How long the server wants to be left alone [s]; None when it does not say."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    if text:
        with contextlib.suppress(ValueError, TypeError):
            moment = email.utils.parsedate_to_datetime(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
            return max(moment.timestamp() - now, 0.0)
    reset = response.headers.get("X-RateLimit-Reset", "")
    if response.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
        return max(float(reset) - now, 0.0)
    return None


def _said(response: requests.Response, secrets: list[str]) -> str:
    """The server's own words, where it gives any as JSON."""
    try:
        answer = json.loads(b"".join(pieces(response, _CHUNK)))
        words = str(answer.get("reason") or answer.get("message") or "")
    except (Again, SourceError, ValueError, AttributeError):
        return ""
    for secret in secrets:
        words = words.replace(secret, "***")
    return f": {words[:200]}" if words else ""


def pieces(response: requests.Response, max_bytes: int, *, already: int = 0) -> Iterator[bytes]:
    """The decoded body in pieces; refuses one that is too long, too slow or cut short.

    Args:
        response: The answer, unread.
        max_bytes: Most that is taken.
        already: How much of it was taken before, by a connection that broke.

    Raises:
        SourceError: It is too long.
        Again: It is too slow or cut short.
    """
    host = host_of(response.url)
    declared = response.headers.get("Content-Length", "")
    too_large = SourceError(
        f"The answer of {host} is larger than {max_bytes} bytes; it was not taken.",
        hint="The source has changed. What was here stays in use.",
    )
    if declared.isdecimal() and int(declared) > max_bytes - already:
        raise too_large
    started, size = _monotonic(), already
    while True:
        try:
            # read1 returns what is there, so that a server that sends a byte now and then cannot hold the job for ever.
            chunk = response.raw.read1(_CHUNK, decode_content=True)
        except urllib3.exceptions.ReadTimeoutError:
            raise Again(host, "no answer in time") from None
        except urllib3.exceptions.HTTPError:
            raise Again(host, "the answer was cut short") from None
        if not chunk:
            break
        size += len(chunk)
        if size > max_bytes:
            raise too_large
        if _monotonic() - started > DEADLINE_S:
            raise Again(host, "the answer is too slow")
        yield chunk
    if declared.isdecimal() and response.raw.tell() != int(declared):
        raise Again(host, "the answer was cut short")


# --- again ------------------------------------------------------------------------------------------------------------


def retried(attempt: Callable[[], Result], quota: Quota, retries: int) -> Result:
    """Does something again while it meets faults that may pass, with growing waits.

    Args:
        attempt: What is done.
        quota: Whose clock waits.
        retries: How often it is done again at most.

    Raises:
        SourceUnavailable: The fault did not pass, or the server wants a longer pause than is waited for.
    """
    growing = tenacity.wait_exponential_jitter(initial=1, max=30, jitter=1)

    def fault(state: tenacity.RetryCallState) -> Again | None:
        error = state.outcome.exception() if state.outcome else None
        return error if isinstance(error, Again) else None

    def wait(state: tenacity.RetryCallState) -> float:
        again = fault(state)
        asked = again.retry_after_s if again else None
        return growing(state) if asked is None else asked + random.uniform(0.1, 1.0)

    def stop(state: tenacity.RetryCallState) -> bool:
        again = fault(state)
        return state.attempt_number > retries or ((again and again.retry_after_s) or 0.0) > PATIENCE_S

    def tell(state: tenacity.RetryCallState) -> None:
        if again := fault(state):
            _log.info(
                "source_asked_again", host=again.host, reason=again.reason, attempt=state.attempt_number
            )

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Again),
        wait=wait,
        stop=stop,
        sleep=quota.sleep,
        before_sleep=tell,
        reraise=True,
    )
    try:
        return retrying(attempt)
    except Again as again:
        attempts = int(retrying.statistics.get("attempt_number", 1))
        raise SourceUnavailable(
            f"{again.host} cannot be used now: {again.reason} ({attempts} attempt{'s' if attempts > 1 else ''}).",
            hint=_LATER,
            retry_after_s=again.retry_after_s,
        ) from None


def host_of(url: str) -> str:
    """The host of an address, without port, path, query and password."""
    try:
        return urlsplit(url).hostname or "the address"
    except ValueError:
        return "the address"


def secrets_in(url: str, params: Mapping[str, str] | None, headers: Mapping[str, str]) -> list[str]:
    """Words that must not be repeated, though a server may echo them."""
    given = [*parse_qsl(urlsplit(url).query), *(params or {}).items(), *headers.items()]
    found = [word for name, value in given if _SECRET_NAME.search(name) for word in value.split()]
    return [word for word in found if len(word) > 3]
