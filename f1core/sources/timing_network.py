"""FastF1 on the network: its cache, and every request it makes counted, tried again and remembered.

FastF1 takes most failures of a request for missing data. Here each request is hooked below FastF1, so that a fault of the
network ends the reading at once, as an error of its own, and can never pass for a session without laps.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fastf1
import fastf1.ergast.interface
import fastf1.events
import fastf1.exceptions
import fastf1.req
import requests
from requests.adapters import HTTPAdapter
from requests_cache.backends.filesystem import FileCache

from f1core.sources.exchange import Again, check, host_of, retried
from f1core.sources.limits import Quota
from f1core.sources.safe_pickle import CacheFiles
from f1core.sources.timing_request import Hosts
from warehouse.errors import ParcFermeError, SourceError, SourceUnavailable

TIMEOUT_S = (10.0, 60.0)
"""Longest wait for a connection, and for the next bytes [s]."""
SCHEDULE_AGE_S = 3600
"""How long a season's schedule is used before the source is asked whether it changed [s]."""
ANSWERS = "http_cache"
BULKY = ("car_data.ff1pkl", "position_data.ff1pkl")
_PARSED = re.compile(r"\d{4}/[^/]+/[^/]+/?")


class Stopped(fastf1.exceptions.FastF1CriticalError):
    """Ends FastF1's reading: the one kind of error that it lets pass. The reason stands in :class:`Requests`."""


@dataclass
class Requests:
    """What became of FastF1's requests.

    Attributes:
        error: Why reading had to end; None as long as all goes well.
        absent: Paths that the sources say they do not have.
        down: Why the timing feed did not answer: only its mirror is asked from then on.
    """

    error: ParcFermeError | None = None
    absent: list[str] = field(default_factory=list)
    down: SourceUnavailable | None = None

    def stop(self, error: ParcFermeError) -> Stopped:
        """Writes down why reading ends."""
        self.error = self.error or error
        return Stopped(error.message)

    def check(self) -> None:
        """Does nothing unless reading had to end, or the mirror lacks what the feed itself may have.

        Raises:
            SourceUnavailable: No connection, a time-out, a refusal, limits used up.
            WarehouseError: The record of requests cannot be written.
        """
        if self.error is not None:
            raise self.error
        if self.down is not None and self.absent:
            raise self.down


def use_network(cache: Path, quota: Quota, hosts: Hosts, *, retries: int) -> tuple[CacheFiles, Requests]:
    """Makes FastF1 use a cache folder and the network. Once per process, before any other call of FastF1.

    Only the season schedules are kept as they were answered; of the timing feed FastF1 keeps what it made of it, and
    results are always asked for afresh, because the answer "not yet" must not be kept.

    Args:
        cache: FastF1's cache folder; made when missing.
        quota: The record of requests.
        hosts: Where to ask.
        retries: How often a passing fault is tried again.

    Returns:
        The record of refused cache files and that of the requests; both fill while FastF1 reads.
    """
    cache.mkdir(parents=True, exist_ok=True)
    # JSON, not FastF1's SQLite file: that one holds pickles too.
    fastf1.Cache.configure(cache_dir=str(cache), _backend=FileCache(cache / ANSWERS))
    settings = fastf1.Cache._requests_session_cached.settings
    settings.expire_after, settings.cache_control = SCHEDULE_AGE_S, False
    settings.filter_fn = lambda answer: "/schedule_" in str(answer.url)
    modules = {
        "schedule": (fastf1.events, "_SCHEDULE_BASE_URL"),
        "timing": (fastf1._api, "base_url"),
        "mirror": (fastf1._api, "base_url_mirror"),
        "results": (fastf1.ergast.interface, "BASE_URL"),
    }
    for name in (one.name for one in fields(Hosts)):
        if address := getattr(hosts, name):
            setattr(*modules[name], address)
    files = CacheFiles(version=fastf1.Cache._API_CORE_VERSION, discard_damaged=True)
    fastf1.req.pickle = files
    return files, _hook(quota, retries)


def _hook(quota: Quota, retries: int) -> Requests:
    """Puts the limits below every request of this process, and time-outs and repetition around it."""
    seen = Requests()
    send_once, send = HTTPAdapter.send, requests.Session.send
    feed, mirror = fastf1._api.base_url, fastf1._api.base_url_mirror

    def counted(
        self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        try:
            quota.take(host_of(request.url or ""))
        except ParcFermeError as error:
            raise seen.stop(error) from error  # a limit that is used up is no reason to ask the mirror
        return send_once(self, request, *args, **kwargs)

    def patient(
        self: requests.Session, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        url = request.url or ""
        has_mirror = url.startswith(feed) and feed != mirror
        if has_mirror and seen.down:
            return _unanswered(request)
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = TIMEOUT_S
        tries = retries if request.method == "GET" else 0
        try:
            answer = retried(lambda: _attempt(lambda: send(self, request, **kwargs), quota), quota, tries)
        except SourceUnavailable as error:
            if has_mirror:
                seen.down = error
                return _unanswered(request)
            raise seen.stop(error) from error
        except ParcFermeError as error:
            raise seen.stop(error) from error
        except fastf1.exceptions.RateLimitExceededError as error:
            limit = SourceUnavailable(
                f"{host_of(url)} is not asked now: {error}.",
                hint="Jobs ask again by themselves.",
                retry_after_s=3600.0,
            )
            raise seen.stop(limit) from error
        if answer.status_code >= 400:
            seen.absent.append(urlsplit(url).path)
        return answer

    HTTPAdapter.send = counted  # type: ignore[method-assign]
    requests.Session.send = patient  # type: ignore[method-assign]
    return seen


def _attempt(ask: Callable[[], requests.Response], quota: Quota) -> requests.Response:
    """One request; what may pass by itself becomes :class:`Again`, a plain refusal (404 …) is an answer."""
    answer: requests.Response
    try:
        answer = ask()
    except requests.exceptions.SSLError as error:
        raise SourceUnavailable(
            f"A source could not prove who it is ({error.__class__.__name__}).",
            hint="Check the machine's clock and its proxy; nothing was fetched.",
        ) from error
    except requests.exceptions.Timeout as error:
        raise Again(_asked(error), "no answer in time") from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise Again(_asked(error), "the answer was cut short") from error
    except requests.exceptions.RequestException as error:
        raise Again(_asked(error), "no connection") from error
    with contextlib.suppress(SourceError):
        check(answer, quota, "", [])
    return answer


def _asked(error: requests.exceptions.RequestException) -> str:
    return host_of(getattr(error.request, "url", None) or "")


def _unanswered(request: requests.PreparedRequest) -> requests.Response:
    """Stands for a host that does not answer: FastF1 then asks the mirror."""
    answer = requests.Response()
    answer.status_code, answer.url, answer.request = 503, request.url or "", request
    answer.reason = "no answer"
    return answer


def forget_session(cache: Path, api_path: str, *, only: tuple[str, ...] = ()) -> None:
    """Deletes what FastF1 keeps of a session: half a session must not be taken for a whole one.

    Args:
        cache: FastF1's cache folder.
        api_path: FastF1's path of the session, ``/static/2023/…/``.
        only: Names of the files to delete; all of the session's when empty.
    """
    part = api_path.removeprefix("/static/")
    if not _PARSED.fullmatch(part):
        return
    for path in (cache / part).glob("*.ff1pkl"):
        if not only or path.name in only:
            path.unlink(missing_ok=True)
