"""Keeps the weather forecasts of the coming sessions in the warehouse; none is ever replaced by a later one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from f1core.sources import open_meteo
from f1core.sources.limits import Quota
from f1core.sources.open_meteo import ATTRIBUTION, SessionTime, Subject
from f1core.workspace import Workspace
from warehouse.errors import NotPublished, NotReady, SourceError
from warehouse.queries.weather import coming_sessions, stored_issues
from warehouse.tables import TABLES

__all__ = ["ATTRIBUTION", "WeatherReport", "publish_weather", "refresh_weather"]

TABLE = "weather_forecasts"


@dataclass(frozen=True)
class WeatherReport:
    """What a refresh did.

    Attributes:
        rows: Rows that are new in ``weather_forecasts``.
        fetched: Events whose forecast was fetched.
        problems: What could not be forecast, in words.
    """

    rows: int
    fetched: tuple[str, ...]
    problems: tuple[str, ...]


def refresh_weather(
    workspace: Workspace, *, quota: Quota, archive: Path | None = None, url: str = open_meteo.FORECAST_URL
) -> WeatherReport:
    """Fetches the forecast of every event that has a session within the next 16 days, and stores it with its issue time.

    An event is asked for once an hour at most: repeating it in the same hour changes nothing. In a rehearsal nothing is
    fetched, because a forecast of today was not known then; forecasts kept from that time are published as they were issued.

    Args:
        workspace: The installation.
        quota: The record of requests.
        archive: The archive the facts stand on; forecasts kept in it are published too.
        url: Where to ask.

    Returns:
        What is new.

    Raises:
        NotReady: The clock is simulated outside a rehearsal: nothing may be stored.
        SourceUnavailable: Open-Meteo cannot be asked now; what was fetched before that is stored.
        SourceError: Its answer cannot be used; what was fetched before that is stored.
        LockHeld: Another process writes the warehouse; what was fetched is kept and published by the next run.
    """
    if not workspace.is_live:
        raise NotReady("Weather forecasts of a simulated clock are not stored.", hint="Leave --as-of out.")
    now, root = workspace.clock.now(), workspace.settings.fetched_root
    fetched: list[str] = []
    problems: list[str] = []
    fault: SourceError | None = None
    if not workspace.clock.is_simulated:
        subjects, problems = _subjects(workspace, now)
        for subject in subjects:
            if open_meteo.has_issue(root, subject.event_id, now):
                continue
            try:
                issue = open_meteo.fetch_issue(subject, quota=quota, now=workspace.clock.now, url=url)
            except NotPublished as error:
                problems.append(error.message)
                continue
            except SourceError as error:
                fault = error  # the same source would fail for the others, too
                break
            open_meteo.write_issue(root, issue)
            fetched.append(subject.event_id)
    rows, damaged = publish_weather(workspace, [root] if archive is None else [archive, root])
    if fault is not None:
        raise fault
    return WeatherReport(rows, tuple(fetched), (*problems, *damaged))


def publish_weather(workspace: Workspace, roots: Sequence[Path]) -> tuple[int, list[str]]:
    """Adds kept forecasts to the warehouse that are not in it; a simulated clock sees those issued by its time.

    Args:
        workspace: The installation.
        roots: Folders with a ``weather`` folder: the archive, ``data/fetched``.

    Returns:
        Rows added, and what is wrong with files that were left out.

    Raises:
        LockHeld: Another process writes the warehouse.
    """
    now = workspace.clock.now()
    stored = stored_issues(workspace.reader)
    frames, problems = [], []
    for key, path in open_meteo.list_issues(roots).items():
        if key in stored or (workspace.clock.is_simulated and key[1] > now):
            continue
        try:
            frames.append(open_meteo.rows_of(open_meteo.read_issue(path), str(path)))
        except SourceError as error:
            problems.append(error.message)
    found = pl.concat(frames) if frames else pl.DataFrame()
    if found.is_empty():
        return 0, problems
    with workspace.writing("weather") as store:
        old = pl.DataFrame(pl.from_arrow(store.read(TABLE)))
        schema = found.schema
        added = found.join(old.cast(schema), on=TABLES[TABLE].key, how="anti", nulls_equal=True)
        seasons = sorted(set(added["season"].to_list()))
        rows = pl.concat([old.cast(schema).filter(pl.col("season").is_in(seasons)), added])
        if store.replace(TABLE, rows.to_arrow().cast(TABLES[TABLE].schema), seasons=seasons):
            store.publish(now=now)
    return added.height, problems


def _subjects(workspace: Workspace, now: dt.datetime) -> tuple[list[Subject], list[str]]:
    """What to ask for, event by event, and what cannot be asked for."""
    rows = coming_sessions(workspace.reader, now, open_meteo.horizon(now))
    problems = []
    for (event_id, session), _ in rows.filter(pl.col("is_time_estimated")).group_by(
        "event_id", "session", maintain_order=True
    ):
        problems.append(f"{event_id}: no source has the start of {session}, so its hours are not known.")
    rows = rows.filter(~pl.col("is_time_estimated"))
    subjects = []
    for (event_id,), sessions in rows.group_by("event_id", maintain_order=True):
        place = sessions.row(0, named=True)
        if place["latitude"] is None or place["longitude"] is None:
            problems.append(f"{event_id}: the coordinates of {place['circuit_id']} are not known.")
            continue
        times = tuple(
            SessionTime(row["session"], row["starts_at"], row["ends_at"])
            for row in sessions.iter_rows(named=True)
        )
        subjects.append(
            Subject(
                str(event_id),
                place["season"],
                place["circuit_id"],
                place["latitude"],
                place["longitude"],
                times,
            )
        )
    return subjects, problems
