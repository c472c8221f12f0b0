"""Pages as Streamlit's own test harness runs them: in this process, on a given data folder, at a given time."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from f1core.settings import REPOSITORY, reset_settings
from pages.shell.navigation import PAGES as navigation

HOME, RACE, ACCURACY = "streamlit_app.py", "pages/race.py", "pages/accuracy.py"
PAGES = (HOME, RACE, ACCURACY)
NAVIGATION = [label for _, label, _ in navigation]


@dataclass
class Visit:
    """A page that was drawn."""

    at: AppTest

    def texts(self, *kinds: str) -> list[str]:
        """What elements of some kinds say, e.g. ``caption``; without kinds everything that is written on the page."""
        wanted = kinds or ("title", "subheader", "markdown", "caption", "warning", "info", "success", "error")
        return [str(element.value) for kind in wanted for element in self.at.get(kind)]

    def says(self, words: str) -> bool:
        """Whether the words stand somewhere on the page, whatever their case or escaping."""
        return words.lower() in re.sub(r"\\(.)", r"\1", "\n".join(self.texts())).lower()

    def links(self) -> dict[str, str]:
        """Links to pages: label and page with its query."""
        return {
            link.proto.label: f"{link.proto.page}?{link.proto.query_string}"
            if link.proto.query_string
            else link.proto.page
            for link in self.at.get("page_link")
        }

    @property
    def charts(self) -> int:
        """How many charts there are."""
        return len(self.at.get("vega_lite_chart")) + len(self.at.get("arrow_vega_lite_chart"))


Open = Callable[..., Visit]


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a page: ``visit(HOME, data, clock="2026-12-20", event="2025-las-vegas")``; fails on any exception."""
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    # The harness leaves the page as this process's main module, which spawned children of later tests would run.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])

    def open_page(page: str, data: Path, *, clock: str | None = None, **query: str) -> Visit:
        monkeypatch.setenv("PARCFERME_DATA", str(data))
        if clock is None:
            monkeypatch.delenv("PARCFERME_CLOCK", raising=False)
        else:
            monkeypatch.setenv("PARCFERME_CLOCK", clock)
        reset_settings()
        return draw(session(page, **query))

    yield open_page
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def session(page: str, **query: str) -> AppTest:
    """A visitor's session that is about to open a page with a query; also what the benchmark of the pages drives."""
    at = AppTest.from_file(str(REPOSITORY / HOME), default_timeout=60)
    at.query_params.update(query)
    return at.switch_page(page)


def draw(at: AppTest) -> Visit:
    """Runs the page and checks what must hold of every page in every state."""
    at.run()
    seen = Visit(at)
    assert not at.exception, [element.message for element in at.exception]
    assert not at.error, [element.value for element in at.error]
    there = [link.proto.label for link in at.sidebar.get("page_link")]
    assert [label for label in there if label in NAVIGATION] == NAVIGATION, (
        "the navigation is part of every page"
    )
    assert seen.says("Contains data from [F1DB](https://github.com/f1db/f1db), licensed under [CC BY 4.0]")
    assert seen.says("Unofficial: not associated in any way with the Formula 1 companies")
    return seen


def param(at: AppTest, name: str) -> Any:
    """A parameter of the URL after a run; streamlit keeps a list of values."""
    value = at.query_params.get(name)
    return value[0] if isinstance(value, list) else value
