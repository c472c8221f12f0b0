"""What docs/api.md shows is run as it stands, with only the address replaced: the page in a browser, the check of a hash."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from f1core.settings import REPOSITORY
from tests.api.installation import NOW, Installation, free_port, served
from warehouse.vocab import Stage

PAGE = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://localhost:8501"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert ADDRESS in found
    return str(found)


@contextmanager
def api(data: Path, **environment: str) -> Iterator[str]:
    port = free_port()
    command = ["uvicorn", "f1core.api:application", "--port", str(port), "--log-level", "warning"]
    with served(command, data, port, PARCFERME_CLOCK=NOW, **environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def page_on_another_origin(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            return None

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_hash_can_be_checked_as_documented(installation: Installation) -> None:
    with api(installation.root) as address:
        code = example("python").replace(ADDRESS, address)
        subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
        altered = code.replace(
            'claimed = record.pop("hash")', 'claimed = record.pop("hash"); record["stage"] = "x"'
        )
        assert subprocess.run(
            [sys.executable, "-c", altered], stderr=subprocess.DEVNULL, check=False
        ).returncode


def test_the_error_that_is_shown_is_the_one_that_is_answered(installation: Installation) -> None:
    shown = json.loads(example_of_error())
    found = installation.client().get("/api/predict/las-vegas/2026?stage=pre_race").json()
    found["known"]["available"]["sealed"].remove(Stage.PRE_QUALIFYING.value)
    assert found == shown


def example_of_error() -> str:
    (found,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install Debian's chromium")
def test_the_page_to_embed_works_from_another_origin(installation: Installation, tmp_path: Path) -> None:
    # In a thread of its own: the browser tests of the same process keep their browser, and its loop, open in this one.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(_embed, installation, tmp_path).result()


def _embed(installation: Installation, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    site = tmp_path / "site"
    site.mkdir()
    with page_on_another_origin(site) as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

        def shown(**environment: str) -> tuple[str, str, list[str]]:
            with api(installation.root, **environment) as address:
                (site / "index.html").write_text(example("html").replace(ADDRESS, address), encoding="utf-8")
                page = browser.new_page()
                page.goto(origin)
                page.wait_for_function("document.getElementById('race').textContent !== '…'")
                texts = (
                    page.inner_text("#race"),
                    page.inner_text("#kind"),
                    page.locator("li").all_inner_texts(),
                )
                page.close()
            return texts

        race, kind, lines = shown(ALLOWED_ORIGINS=origin)
        assert race == "Las Vegas 2026"
        assert kind.startswith("Sealed 2026-11-19T10:00:00Z, ")
        assert lines[0] == "Ada Lovelace: 40 % to win"
        assert len(lines) == 4
        race, kind, lines = shown(ALLOWED_ORIGINS="https://somebody.else.example")
        assert "Failed to fetch" in race, "an origin that is not listed may not read"
        assert lines == []
        browser.close()
