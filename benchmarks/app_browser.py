"""A real browser and a fresh server of the app, for the benchmarks of what readers wait for."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
READY = "[data-testid=stMain] >> text=Unofficial: not associated"
IDLE = "() => document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') === 'notRunning'"
"""The script of the page has ended."""
DRAWN = """() => {
    const seen = what => [...document.querySelectorAll(`[data-testid=${what}]`)].filter(one => one.offsetParent);
    return !seen('stSkeleton').length && seen('stVegaLiteChart').every(chart => chart.querySelector('svg, canvas'));
}"""
"""Nothing that can be seen is a grey stand-in, and every chart has its picture."""
CLOCK = "2026-11-20T12:00Z"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@contextmanager
def server(script: Path, folder: Path, data: Path) -> Iterator[tuple[str, int]]:
    """A fresh server; yields its address and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
    environment = {**os.environ, "PARCFERME_DATA": str(data), "PARCFERME_CLOCK": CLOCK}
    child = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                    break
            except OSError:
                if time.monotonic() > deadline or child.poll() is not None:
                    sys.exit("the server did not start")
                time.sleep(0.1)
        yield address, child.pid
    finally:
        child.terminate()
        child.wait(timeout=20)


def wait(page: Any) -> None:
    """Waits until the content is there: the last words of the page, the end of its script, every chart drawn."""
    page.wait_for_selector(READY, timeout=60_000)
    page.wait_for_function(IDLE, timeout=60_000)
    page.wait_for_function(DRAWN, timeout=60_000)


def quantile(values: list[float], share: float) -> float:
    """The value below which a share of all lies, the next one up."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def chromium() -> str:
    """The system's Chromium."""
    found = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    if found is None:
        sys.exit("no Chromium on this machine: install the package `chromium`")
    return found
