"""The frame of a page: navigation, clock, data, footer, and what is shown instead when something is missing.

Every page calls :func:`page` once and is complete by itself, so that a deep link is right on a fresh server's first hit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from f1core.clock import Clock
from f1core.installation import active_settings
from f1core.log import configure_logging, get_logger
from f1core.settings import Settings, get_settings
from f1core.workspace import Workspace, reader_as_of
from pages.shell.announce import announce
from pages.shell.footer import footer
from pages.shell.navigation import find, navigation
from pages.shell.text import plain
from warehouse.errors import ParcFermeError

# Drawn here: Streamlit fetches named icons and emoji for the tab from other people's servers.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#b3121d"/>'
    '<path d="M5 13V3h4a3 3 0 0 1 0 6H5" fill="none" stroke="#fff" stroke-width="2"/></svg>'
)


@dataclass(frozen=True)
class App:
    """What a page reads through.

    Attributes:
        clock: What time it is taken to be.
        workspace: The installation's data folder.
    """

    clock: Clock
    workspace: Workspace

    @property
    def reader(self) -> Any:
        """The warehouse, for the few calls that must not be remembered."""
        return self.workspace.reader

    @property
    def now(self) -> dt.datetime:
        """The clock's instant (UTC)."""
        return self.clock.now()

    @property
    def until(self) -> dt.datetime | None:
        """The instant after which nothing may be shown: a simulated clock's; None for the real one."""
        return self.clock.instant

    @property
    def snapshot_id(self) -> str:
        """Fingerprint of the published data."""
        return self.reader.snapshot.id

    def read(self, query: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Asks a query (its first argument is the reader) and remembers the answer until new data are published."""
        return self._asked(self.reader, "", query, args, kwargs)

    def read_known(self, query: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As :meth:`read`, but under a simulated clock no result that became known later is there."""
        if self.until is None:
            return self.read(query, *args, **kwargs)
        reader = _known_reader(self.workspace.settings.warehouse_root, self.until)
        return self._asked(reader, self.until.isoformat(), query, args, kwargs)

    def _asked(
        self,
        reader: Any,
        known_by: str,
        query: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        name = f"{query.__module__}.{query.__qualname__}"
        made_of = f"{self.workspace.settings.warehouse_root} {self.snapshot_id} {known_by}"
        return _remembered(name, made_of, args, kwargs, _ask=lambda: query(reader, *args, **kwargs))


@st.cache_resource(max_entries=4, show_spinner=False)
def _known_reader(root: Path, known_by: dt.datetime) -> Any:
    return reader_as_of(root, known_by)


# A resource, not data: frames are shared, never changed, and so need no copy per visitor.
@st.cache_resource(max_entries=400, show_spinner=False)
def _remembered(
    name: str, snapshot: str, args: tuple[Any, ...], kwargs: dict[str, Any], _ask: Callable[[], Any]
) -> Any:
    return _ask()


@st.cache_resource(show_spinner=False)
def _workspace(settings: Settings) -> Workspace:
    configure_logging(settings.log_level)
    return Workspace(settings, Clock.system())


@contextmanager
def page(title: str) -> Iterator[App]:
    """Draws everything around a page's own content.

    Args:
        title: Of the browser's tab, and the page's name in :data:`pages.shell.navigation.PAGES`.
    """
    st.set_page_config(page_title=f"{title} · Parc Fermé", page_icon=ICON, layout="wide")
    is_embedded = bool(st.context.is_embedded)
    # Where nothing is written to it there is no sidebar: an embedded view is the content alone.
    finder = None if is_embedded else navigation(title)
    try:
        app = _open()
    except Exception as error:
        explain(error)
        footer(is_short=is_embedded)
        st.stop()
    try:
        announce(app)
        if finder is not None:
            with finder:
                find(app.read, title)
        yield app
    except Exception as error:
        explain(error)
    footer(is_short=is_embedded)


def explain(error: Exception) -> None:
    """Says what is missing and what to do about it; never a traceback. What people typed is not taken for Markdown."""
    if not isinstance(error, ParcFermeError):
        get_logger(__name__).exception("page_failed", exc_info=error)
        st.error("This page could not be drawn; the server's log says why.", icon=":material/error:")
        return
    words = f"**{plain(error.message)}**"
    st.warning(f"{words}\n\n{error.hint}" if error.hint else words, icon=":material/info:")


def _open() -> App:
    settings = get_settings()
    clock = Clock.at(settings.clock) if settings.clock else Clock.system()
    app = App(clock, _workspace(active_settings(settings)))
    _ = app.snapshot_id  # nothing built yet: said here, once for all pages
    return app
