"""The sources of a real installation: F1DB and FastF1 over the network, the archive, Open-Meteo."""

from __future__ import annotations

from pathlib import Path

from f1core.clock import Clock
from f1core.ingest import IngestReport, ingest
from f1core.installation import choose_facts, is_demo
from f1core.job_sources import News
from f1core.settings import REPOSITORY, Settings
from f1core.sources.archive import find_archive
from f1core.sources.bundle import Bundle
from f1core.workspace import Workspace
from warehouse.errors import NotPublished, SourceError
from warehouse.vocab import SessionKind

OFFLINE = "No network source is asked (PARCFERME_OFFLINE)."
MADE_UP = "A made-up season has no source on the network."


class InstalledSources:
    """The outside world of a real installation (:class:`f1core.job_sources.Sources`).

    Args:
        settings: As they were read, whatever installation is in use.
        beside: Folder of the checkout, beside which an archive may lie.
    """

    def __init__(self, settings: Settings, *, beside: Path = REPOSITORY) -> None:
        self.settings = settings
        self.beside = beside

    def check_release(self, workspace: Workspace, *, force: bool = False) -> News:
        """The newest F1DB release, when it is newer than the one that was fetched before."""
        from f1core.sources.f1db_release import fetch_release
        from f1core.sources.limits import Quota

        if why := _not_asked(workspace):
            return News(0, why)
        found = fetch_release(
            workspace.settings,
            quota=Quota.of(workspace.settings),
            now=workspace.clock.now(),
            force=force,
        )
        return News(int(found.is_new), found.note)

    def fetch_schedule(self, workspace: Workspace, season: int) -> News:
        """The season's calendar as FastF1's schedule has it."""
        from f1core.sources.timing import fetch_schedule

        if why := _not_asked(workspace):
            return News(0, why)
        is_new = fetch_schedule(workspace.settings, season, now=workspace.clock.now())
        return News(int(is_new), f"The schedule of {season} {'is new' if is_new else 'is as it was'}.")

    def fetch_session(self, workspace: Workspace, event_id: str, session: SessionKind) -> Bundle:
        """A session by FastF1, recorded in the archive or over the network."""
        from f1core.sources.timing import SessionRef, fetch_session

        if is_demo(workspace.settings):
            raise NotPublished(MADE_UP)
        return fetch_session(
            workspace.settings,
            SessionRef(event_id, session),
            archive=self.archive(),
            network=not workspace.settings.offline,
            now=workspace.clock.now(),
        )

    def bring_facts(self, workspace: Workspace) -> IngestReport | None:
        """The archive and what jobs fetched, into the warehouse; a demo is brought up to the present."""
        now = Clock.system().now()
        if is_demo(workspace.settings):
            settings, place = choose_facts(self.settings, beside=self.beside, now=now)
            if place is None or not place.is_demo:
                raise SourceError(
                    "Real facts are here now; this installation still shows the demo.",
                    hint="Run `python3 run.py build`: it builds from them.",
                )
        else:
            settings, place = choose_facts(workspace.settings, beside=self.beside, now=now)
        return None if place is None else ingest(settings, place, now=now)

    def refresh_weather(self, workspace: Workspace) -> News:
        """The forecast of the coming sessions' weather by Open-Meteo."""
        from f1core.sources.limits import Quota
        from f1core.weather import refresh_weather

        done = refresh_weather(workspace, quota=Quota.of(workspace.settings), archive=self.archive())
        asked = f"Fetched: {', '.join(done.fetched)}." if done.fetched else "No forecast is newer."
        return News(done.rows, " ".join([asked, *done.problems]))

    def archive(self) -> Path | None:
        """Folder of the archive that the facts stand on; None without one."""
        try:
            return find_archive(self.settings, beside=self.beside).path
        except SourceError:
            return None


def _not_asked(workspace: Workspace) -> str:
    """Why no source on the network is asked, empty where one may be."""
    if is_demo(workspace.settings):
        return MADE_UP
    return OFFLINE if workspace.settings.offline else ""
