"""Reads of forecasts, backtested predictions and their scores, and of what a forecast may stand on."""

from __future__ import annotations

import datetime as dt

import polars as pl

from warehouse.reader import Reader

KINDS = {
    "provisional": ("forecasts", "forecast_entries"),
    "backtest": ("backtest_predictions", "backtest_prediction_entries"),
    "sealed": ("predictions", "prediction_entries"),
}
"""The three kinds of stored predictions; they are never mixed in one answer."""


def stage_evidence(
    reader: Reader, event_id: str, now: dt.datetime, *, grid: str = "race", qualifying: str = "qualifying"
) -> list[str]:
    """Which of grid, qualifying and practice of an event were known before an instant, as the gate has it.

    Args:
        reader: The warehouse.
        event_id: The event.
        now: The instant.
        grid: The session whose grid is meant.
        qualifying: The session that sets it.
    """
    # Naming the season leaves the files of all others closed.
    return reader.query(
        """
        select 'grid' as evidence from starting_grids
        where season = $season and event_id = $event_id and session = $grid and known_at < $now
        union
        select 'qualifying' from qualifying_results
        where season = $season and event_id = $event_id and session = $qualifying and known_at < $now
        union
        select 'practice' from practice_results
        where season = $season and event_id = $event_id and known_at < $now
        """,
        {
            "season": int(event_id[:4]),
            "event_id": event_id,
            "now": now,
            "grid": str(grid),
            "qualifying": str(qualifying),
        },
    )["evidence"].to_list()


def newest_known_event(reader: Reader, as_of: dt.datetime) -> str:
    """The newest event whose result was known before an instant; empty when none was."""
    found = reader.query(
        "select event_id from session_summaries where session = 'race' and known_at < $as_of order by known_at desc limit 1",
        {"as_of": as_of},
    )["event_id"].to_list()
    return str(found[0]) if found else ""


def events_without_result(reader: Reader, event_id: str, as_of: dt.datetime) -> list[str]:
    """Earlier events of the calendar that should have been raced before an instant but have no result here.

    Args:
        reader: The warehouse.
        event_id: The event that is forecast; it and later ones do not count.
        as_of: The instant.
    """
    return reader.query(
        """
        select events.event_id
        from events
        inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
        where sessions.known_at <= $as_of and events.event_id <> $event_id and events.status = 'scheduled'
        order by sessions.starts_at
        """,
        {"event_id": event_id, "as_of": as_of},
    )["event_id"].to_list()


def prediction_heads(
    reader: Reader, kind: str, event_id: str | None = None, *, target: str | None = "race"
) -> pl.DataFrame:
    """Heads of stored predictions of a kind, newest event first; of one target, or of all when None."""
    heads, _ = KINDS[kind]
    return reader.query(
        f"""
        select heads.*, events.grand_prix_name, events.round, events.race_date
        from {heads} as heads
        inner join events using (event_id)
        where ($event_id is null or heads.event_id = $event_id) and ($target is null or heads.target = $target)
        order by events.race_date desc, heads.target, heads.stage, heads.model
        """,
        {"event_id": event_id, "target": target},
    )


def prediction_entries(
    reader: Reader, kind: str, event_id: str, stage: str, model: str | None = None, target: str = "race"
) -> pl.DataFrame:
    """A stored prediction, one row per model and driver with names, in predicted order."""
    _, entries = KINDS[kind]
    return reader.query(
        f"""
        select entries.*, drivers.driver_name, drivers.last_name, drivers.driver_code, constructors.constructor_name
        from {entries} as entries
        inner join drivers using (driver_id)
        inner join constructors using (constructor_id)
        where entries.event_id = $event_id and entries.stage = $stage and entries.target = $target
            and ($model is null or entries.model = $model)
        order by entries.model, entries.predicted_position
        """,
        {"event_id": event_id, "stage": stage, "target": target, "model": model},
    )


def stored_events(reader: Reader, kind: str, *, target: str = "race") -> pl.DataFrame:
    """Events with stored predictions of a kind and target, newest first.

    Returns:
        ``event_id, season, round, grand_prix_name, race_date, stages``.
    """
    heads, _ = KINDS[kind]
    return reader.query(
        f"""
        select events.event_id, events.season, events.round, events.grand_prix_name, events.race_date,
            list(distinct heads.stage) as stages
        from {heads} as heads
        inner join events using (event_id)
        where heads.target = $target
        group by all
        order by events.race_date desc
        """,
        {"target": target},
    )
