"""The app as people meet it: a real server, a real browser."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from f1core.settings import REPOSITORY
from tests.conftest import jobs_environment

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_S = 40
READY = "[data-testid=stMain] >> text=Unofficial: not associated"
"""The last words of every page: when they are there, the page is."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in Path(item.path).parts:
            item.add_marker("browser")


@contextmanager
def server(data: Path, **environment: str) -> Iterator[str]:
    """Streamlit on a free port, as ``run.py serve`` starts it; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "server.py", "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
    child = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=jobs_environment(data, **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_S
        while True:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                    break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if child.poll() is not None or time.monotonic() > deadline:
                    child.kill()
                    pytest.fail(f"the server did not start:\n{child.communicate()[0]}")
                time.sleep(0.1)
        yield address
    finally:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        assert child.stdout is not None
        child.stdout.close()


@pytest.fixture(scope="session")
def app(built_data: Path) -> Iterator[str]:
    """One server on the real data for tests that do not need a fresh one; at a time when there is a race to come."""
    with server(built_data, PARCFERME_CLOCK="2026-11-20T12:00Z") as address:
        yield address


@pytest.fixture(scope="session")
def app_of_today(small_data: Path) -> Iterator[str]:
    """One server on the invented seasons, which end in two weeks, by the machine's clock: there is a coming race."""
    with server(small_data) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium, steered by Playwright; skipped with the reason where there is none."""
    binary = next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)
    if binary is None:
        pytest.skip("no Chromium on this machine: install the package `chromium` to run the browser tests")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as steering:
        browser = steering.chromium.launch(executable_path=binary, args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Tab:
    """A page open in the browser, with what went wrong in it."""

    page: Any
    host: str
    faults: list[str] = field(default_factory=list)

    def wait(self) -> None:
        """Waits until the page is drawn and the server idle."""
        self.page.wait_for_selector(READY, timeout=40_000)
        self.page.wait_for_function(
            "() => !document.querySelector('[data-testid=stStatusWidget]')", timeout=40_000
        )

    def go(self, path: str) -> Tab:
        """Opens a path of the app and waits for it."""
        self.page.goto(f"{self.host}{path}")
        self.wait()
        return self

    def text(self, selector: str = "[data-testid=stMain]") -> str:
        """What stands in a part of the page."""
        return str(self.page.inner_text(selector))


@pytest.fixture
def open_tab(chromium: Any) -> Iterator[Callable[..., Tab]]:
    """Opens the app in a browser of its own: ``open_tab(address, width=390, theme="dark")``."""
    contexts = []

    def opened(address: str, *, width: int = 1440, height: int = 900, theme: str = "light") -> Tab:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, timezone_id="Europe/Berlin"
        )
        contexts.append(context)
        tab = Tab(context.new_page(), address)

        def told(message: Any) -> None:
            # Streamlit asks below a page's own path first and takes the 404 for an answer.
            is_probe = "/_stcore/" in (message.location or {}).get("url", "")
            if message.type == "error" and not is_probe:
                tab.faults.append(f"console: {message.text} {message.location}")

        tab.page.on("console", told)
        tab.page.on("pageerror", lambda error: tab.faults.append(f"exception: {error}"))
        tab.page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address, "data:", "blob:", address.replace("http", "ws")))
                else tab.faults.append(f"asks somebody else: {request.url}")
            ),
        )
        return tab

    yield opened
    for context in contexts:
        context.close()
