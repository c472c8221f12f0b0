"""Sessions that nobody recorded, put together from what the facts still tell of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from f1core.sources.bundle import PARTS, Bundle, BundleMeta, write_bundle
from warehouse.errors import NotPublished, SourceError
from warehouse.reader import Reader
from warehouse.vocab import PRACTICES, SessionKind

SOURCE = "facts"
"""Source of a session that was put together from the facts."""
ONLY_RESULT = "no recording of this session is here: it was put together from the facts"
FEED_MARKS = {
    "retired": "R",
    "disqualified": "D",
    "excluded": "E",
    "did_not_start": "W",
    "did_not_qualify": "F",
    "not_classified": "N",
}
"""How the timing feed marks a car without a position."""


def facts_bundle(origin: Reader, root: Path, event_id: str, session: SessionKind, now: dt.datetime) -> Bundle:
    """Writes what the facts tell of a session as its bundle.

    Args:
        origin: Warehouse of the installation that is rehearsed.
        root: The rehearsal's folder of fetched sessions.
        event_id: The event.
        session: The session; its result is known by now.
        now: The rehearsal's instant, noted as the time of loading.

    Raises:
        NotPublished: The facts tell nothing of the session.
    """
    parts = _parts(origin, event_id, session)
    if parts["results"].is_empty():
        raise NotPublished(f"Nothing tells of the {session.label.lower()} of {event_id}.")
    meta = BundleMeta(
        event_id=event_id,
        session=session,
        event_name=event_id,
        source=SOURCE,
        source_version="",
        origin="recorded",
        loaded_at=now,
        problems=(ONLY_RESULT,),
    )
    return write_bundle(root, meta, {name: rows for name, rows in parts.items() if rows.height})


def _parts(origin: Reader, event_id: str, session: SessionKind) -> dict[str, pl.DataFrame]:
    parts = {"results": _results(origin, event_id, session)}
    if session in (SessionKind.RACE, SessionKind.SPRINT):
        parts["laps"] = _laps(origin, event_id, session)
    return parts


def _results(origin: Reader, event_id: str, session: SessionKind) -> pl.DataFrame:
    table = "practice_results" if session in PRACTICES else "qualifying_results"
    if session in (SessionKind.RACE, SessionKind.SPRINT):
        table = "race_results"
    lines = origin.query(
        f"""
        select lines.*, drivers.driver_code, drivers.first_name, drivers.last_name, drivers.driver_name as full_name,
            constructors.constructor_name as team_name
        from "{table}" as lines
        inner join drivers using (driver_id)
        inner join constructors using (constructor_id)
        where event_id = $event_id and session = $session
        order by display_order
        """,  # noqa: S608
        {"event_id": event_id, "session": session.value},
    )
    status = pl.col("status") if "status" in lines.columns else pl.lit("classified")
    mark = status.replace_strict(FEED_MARKS, default=None, return_dtype=pl.String)
    lines = lines.with_columns(
        classified_position=pl.coalesce(pl.col("position").cast(pl.String), mark),
        # The feed lists cars without a classified position behind the others, in order.
        position=None if session in PRACTICES else pl.col("display_order"),
        status=status,
    )
    return _as_part("results", lines)


def _laps(origin: Reader, event_id: str, session: SessionKind) -> pl.DataFrame:
    rows = origin.query(
        """
        select laps.*, constructors.constructor_name as team_name
        from laps
        inner join constructors using (constructor_id)
        where event_id = $event_id and session = $session and not is_generated
        order by car_number, lap_number
        """,
        {"event_id": event_id, "session": session.value},
    )
    return _as_part("laps", rows.with_columns(compound=pl.col("compound").str.to_uppercase()))


def _as_part(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in the columns of a bundle's part; what the facts do not tell is missing."""
    try:
        return rows.select(
            (pl.col(column) if column in rows.columns else pl.lit(None)).cast(kind).alias(column)
            for column, kind in PARTS[name].items()
        )
    except pl.exceptions.PolarsError as error:
        raise SourceError(f"The facts cannot be put together as a session's {name}: {error}") from error
