"""Load: sessions that speak the pages' own protocol beside real browsers, and the memory of the server meanwhile."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PAUSE_S = (1.0, 4.0)
"""What a reader takes before the next click."""
TIMEOUT_S = 60.0


@dataclass
class Tally:
    """What the sessions saw.

    Attributes:
        took_s: Time from asking for a page to the end of its script [s].
        faults: What went wrong, in words.
        rss_mb: Memory of the server, one sample a second [MB].
    """

    took_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)


def visit(socket: Any, page: str, query: str) -> tuple[float, str | None]:
    """Asks for a page and waits until its script has finished.

    Args:
        socket: An open connection.
        page: Its name in the address; empty for the first page.
        query: Its query, without the question mark.

    Returns:
        Time taken [s], and what went wrong.
    """
    ask = BackMsg()
    ask.rerun_script.page_name = page
    ask.rerun_script.query_string = query
    started = time.perf_counter()
    socket.send(ask.SerializeToString())
    fault = None
    while True:
        left = TIMEOUT_S - (time.perf_counter() - started)
        if left <= 0:
            return TIMEOUT_S, f"/{page}?{query}: not finished after {TIMEOUT_S:.0f} s"
        told = ForwardMsg()
        told.ParseFromString(socket.recv(timeout=left))
        kind = told.WhichOneof("type")
        if kind == "page_not_found":
            fault = f"/{page}: no such page"
        if kind == "delta" and told.delta.WhichOneof("type") == "new_element":
            element = told.delta.new_element
            if element.WhichOneof("type") == "exception":
                fault = f"/{page}?{query}: {element.exception.message}"
            if element.WhichOneof("type") == "alert" and element.alert.format == element.alert.ERROR:
                fault = f"/{page}?{query}: {element.alert.body}"
        if kind == "script_finished" and told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            return time.perf_counter() - started, fault


def session(
    address: str, paths: list[str], until: float, seed: int, tally: Tally, lock: threading.Lock
) -> None:
    """One reader who opens page after page until a moment of :func:`time.monotonic`."""
    choose = random.Random(seed)
    url = address.replace("http", "ws") + "/_stcore/stream"
    try:
        with connect(url, subprotocols=["streamlit"], max_size=None, open_timeout=TIMEOUT_S) as socket:  # type: ignore[list-item]
            while time.monotonic() < until:
                page, _, query = choose.choice(paths).lstrip("/").partition("?")
                took, fault = visit(socket, page, query)
                with lock:
                    tally.took_s.append(took)
                    if fault:
                        tally.faults.append(fault)
                time.sleep(choose.uniform(*PAUSE_S))
    except Exception as error:
        with lock:
            tally.faults.append(f"{type(error).__name__}: {error}")


def measure_memory(pid: int, until: float, tally: Tally) -> None:
    """Samples the memory of the server and its children once a second."""
    server = psutil.Process(pid)
    while time.monotonic() < until:
        total = 0
        for process in [server, *server.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        tally.rss_mb.append(total / 1e6)
        time.sleep(1.0)


def flatness(rss_mb: list[float]) -> tuple[float, float, float]:
    """Memory after the first minute: mean of its first and of its last half-minute [MB], and the change [share]."""
    later = rss_mb[60:] or rss_mb
    first, last = later[:30], later[-30:]
    before, after = sum(first) / len(first), sum(last) / len(last)
    return before, after, after / before - 1
