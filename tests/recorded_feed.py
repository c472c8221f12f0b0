"""A web server on this machine that answers as FastF1's sources did, from an archive's frozen answers."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from f1core.sources.timing import Hosts
from tests.local_server import LocalServer, Reply, Request

PREFIXES = {
    "https://raw.githubusercontent.com/theOehrly/f1schedule/master/": "/schedule/",
    "https://livetiming.formula1.com/static/": "/timing/static/",
    "https://livetiming-mirror.fastf1.dev/static/": "/timing/static/",
    "https://api.jolpi.ca/ergast/f1/": "/results/",
}


class RecordedFeed(LocalServer):
    """The server; every test begins with :meth:`reset`.

    Args:
        archive: Folder of the archive.
        wanted: Which addresses it knows.
    """

    def __init__(self, archive: Path, wanted: Callable[[str], bool]) -> None:
        super().__init__()
        self.answers: dict[str, Reply] = {}
        for path in (archive / "fastf1-cache" / "http_cache").glob("*.json"):
            answer = json.loads(path.read_text())
            for prefix, own in PREFIXES.items():
                if answer["url"].startswith(prefix) and wanted(answer["url"]):
                    place = own + answer["url"].removeprefix(prefix).split("?")[0]
                    self.answers[place] = Reply(_body(answer))
        self.reset()

    @property
    def hosts(self) -> Hosts:
        """Addresses for ``fetch_session``; schedule and mirror are the same server under another name."""
        return Hosts(
            schedule=self.url("/schedule/", host="localhost"),
            timing=self.url("/timing"),
            mirror=self.url("/mirror", host="localhost"),
            results=self.url("/results"),
        )

    @property
    def counts(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(request.path for request in self.requests)

    def reset(self) -> None:
        """The truth, and nothing asked."""
        self.requests.clear()
        self.routes = {path: self._truth(path) for path in self.answers}

    def _truth(self, path: str) -> Callable[[Request], Reply]:
        return lambda _: self.answers[path]

    def spoil(self, part: str, times: int = 10_000, **changes: Any) -> None:
        """Changes the answers whose path holds ``part``, so many times each: fields of :class:`Reply`."""
        found = [path for path in self.answers if part in path]
        assert found, part
        for path in found:
            left = iter(range(times))
            self.routes[path] = lambda _, path=path, left=left: (
                self.answers[path] if next(left, None) is None else replace(self.answers[path], **changes)
            )


def _body(answer: dict[str, Any]) -> bytes:
    if "_content" in answer:
        return base64.b64decode(answer["_content"])
    content = answer["_decoded_content"]
    return (content if isinstance(content, str) else json.dumps(content)).encode()
