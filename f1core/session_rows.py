"""A recorded session in the warehouse's words: rows of the session tables, made from a bundle.

What the feed gets wrong is not carried on: a reading outside its physical range becomes missing, a lap number that the
feed counts twice is mended, a car nobody of the season answers to keeps its number and has no driver. Each is told in
``problems``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from f1core.identity import identify_cars
from f1core.sources.bundle import Bundle
from f1core.sources.timing_request import NO_LAPS
from warehouse.errors import NotReady
from warehouse.frames import frame_schema
from warehouse.queries.events import sessions as sessions_of
from warehouse.reader import Reader
from warehouse.tables import TABLES
from warehouse.vocab import Compound, SessionKind

NAMES = ("driver_code", "first_name", "last_name", "full_name", "team_name")


@dataclass(frozen=True)
class SessionRows:
    """One session, ready for the tables and for features.

    Attributes:
        bundle: Where it was read from.
        known_at: When the world could know it, by the calendar's rule.
        results: The bundle's results with ``driver_id`` and ``constructor_id``.
        laps: Rows of ``session_laps``.
        weather: Rows of ``weather``.
        race_control: Rows of ``race_control``.
        track_status: The bundle's changes of the track's status.
        cars: ``car_number, driver_id, constructor_id``, one row per car.
        problems: What is missing or odd, in words.
    """

    bundle: Bundle
    known_at: dt.datetime
    results: pl.DataFrame
    laps: pl.DataFrame
    weather: pl.DataFrame
    race_control: pl.DataFrame
    track_status: pl.DataFrame
    cars: pl.DataFrame
    problems: tuple[str, ...]

    @property
    def event_id(self) -> str:
        """The event."""
        return self.bundle.meta.event_id

    @property
    def session(self) -> SessionKind:
        """The session."""
        return self.bundle.meta.session

    def telemetry(self) -> tuple[pl.DataFrame, list[str]]:
        """Rows of ``telemetry`` and what was odd about them; read when asked for, it is by far the largest part."""
        part = self.bundle.part("telemetry")
        rows = part.drop_nulls(["car_number", "lap_number"]).sort(
            "car_number", "lap_number", "session_s", maintain_order=True
        )
        rows = rows.with_columns(sample=pl.int_range(1, pl.len() + 1).over("car_number", "lap_number"))
        return _conform("telemetry", _keyed(self, rows.join(self.cars, on="car_number", how="left")))


def session_known_at(reader: Reader, event_id: str) -> dict[SessionKind, dt.datetime]:
    """When each session of an event became known, by the calendar's rule."""
    rows = sessions_of(reader, event_id).select("session", "known_at")
    return {SessionKind(session): known.astimezone(dt.UTC) for session, known in rows.iter_rows()}


def read_session(reader: Reader, bundle: Bundle) -> SessionRows:
    """Reads a bundle into the warehouse's words.

    Raises:
        NotReady: The calendar does not know the session.
        SourceError: A part of the bundle is missing or damaged.
    """
    meta = bundle.meta
    known = session_known_at(reader, meta.event_id).get(meta.session)
    if known is None:
        raise NotReady(
            f"The calendar has no {meta.session.label.lower()} for {meta.event_id}.",
            hint="Run `python -m jobs ingest` with newer facts; the recorded session is kept.",
        )
    problems = [words.rstrip(".") for words in meta.problems]
    raw = bundle.part("laps")
    listed = (
        bundle.part("results")
        .drop_nulls("car_number")
        .unique("car_number", keep="first", maintain_order=True)
    )
    cars = identify_cars(reader, meta.event_id, _with_unlisted(listed, raw))
    problems += cars["problem"].drop_nulls().to_list()
    if raw.is_empty():
        problems.append(NO_LAPS.rstrip("."))
    elif not bundle.has("race_control"):
        problems.append("no race-control messages: deleted laps are not marked")
    cars = cars.select("car_number", "driver_id", "constructor_id")
    rows = SessionRows(
        bundle,
        known,
        listed.join(cars, on="car_number", how="left", maintain_order="left"),
        pl.DataFrame(),
        pl.DataFrame(),
        pl.DataFrame(),
        bundle.part("track_status"),
        cars,
        (),
    )
    laps, odd = _laps(rows, raw, knows_deletions=bundle.has("race_control"))
    weather, odd_weather = _conform("weather", _keyed(rows, _numbered(bundle.part("weather"), "measurement")))
    messages = _numbered(
        bundle.part("race_control").filter(pl.col("message").is_not_null()), "message_number"
    )
    control, odd_control = _conform(
        "race_control", _keyed(rows, messages.join(cars.drop("constructor_id"), on="car_number", how="left"))
    )
    return SessionRows(
        bundle,
        known,
        rows.results,
        laps,
        weather.drop_nulls("session_s"),
        control,
        rows.track_status,
        cars,
        tuple(dict.fromkeys([*problems, *odd, *odd_weather, *odd_control])),
    )


def load_row(rows: SessionRows, telemetry: pl.DataFrame, more: Iterable[str] = ()) -> pl.DataFrame:
    """The session's row of ``session_loads``."""
    meta = rows.bundle.meta
    problems = "; ".join(dict.fromkeys([*rows.problems, *more]))
    values = {
        "event_id": meta.event_id,
        "season": int(meta.event_id[:4]),
        "session": meta.session.value,
        "source": meta.source,
        "source_version": meta.source_version,
        "origin": meta.origin,
        "bundle_version": rows.bundle.version,
        "loaded_at": meta.loaded_at,
        "count_cars": rows.cars.height,
        "count_unknown_cars": rows.cars["driver_id"].null_count(),
        "count_laps": rows.laps.height,
        "count_timed_laps": rows.laps["lap_time_s"].drop_nulls().len(),
        "count_telemetry_laps": telemetry.select("car_number", "lap_number").n_unique()
        if telemetry.height
        else 0,
        "count_telemetry_samples": telemetry.height,
        "count_weather": rows.weather.height,
        "count_race_control": rows.race_control.height,
        "problems": problems or None,
        "known_at": rows.known_at,
    }
    return pl.DataFrame([values], schema=frame_schema(TABLES["session_loads"]), orient="row")


def _with_unlisted(listed: pl.DataFrame, laps: pl.DataFrame) -> pl.DataFrame:
    """The cars to identify: those of the results, and those that only drove."""
    wanted = ("car_number", *NAMES)
    drove = (
        laps.select("car_number", "driver_code", "team_name")
        .drop_nulls("car_number")
        .unique("car_number", keep="first", maintain_order=True)
        .join(listed, on="car_number", how="anti")
    )
    return pl.concat([listed.select(wanted), drove], how="diagonal").select(wanted)


def _laps(rows: SessionRows, raw: pl.DataFrame, *, knows_deletions: bool) -> tuple[pl.DataFrame, list[str]]:
    problems = []
    laps = raw.drop_nulls("car_number").sort(
        "car_number", "lap_number", "lap_end_session_s", nulls_last=True, maintain_order=True
    )
    if laps.height < raw.height:
        problems.append(f"{raw.height - laps.height} laps without a car left out")
    numbers = _renumbered(laps["car_number"].to_list(), laps["lap_number"].to_list())
    moved = sum(new != old for new, old in zip(numbers, laps["lap_number"].to_list(), strict=True))
    if moved:
        problems.append(f"{moved} laps renumbered: the feed counts a lap twice")
    compounds = pl.col("compound").fill_null("").str.to_lowercase()
    laps = laps.with_columns(
        lap_number=pl.Series(numbers, dtype=pl.Int32),
        # Words that are no side-wall name (TEST_UNKNOWN, a blank) mean that nobody knows.
        compound=pl.when(compounds.is_in([str(one) for one in Compound]))
        .then(compounds)
        .otherwise(pl.lit(Compound.UNKNOWN.value)),
        is_in_lap=pl.col("pit_in_session_s").is_not_null(),
        is_out_lap=pl.col("pit_out_session_s").is_not_null(),
        is_green=(pl.col("track_status_codes") == "1").fill_null(False),
        is_deleted=pl.col("is_deleted") if knows_deletions else pl.lit(None, dtype=pl.Boolean()),
        is_accurate=pl.col("is_accurate").fill_null(False),
        is_generated=pl.col("is_generated").fill_null(False),
    )
    found, odd = _conform("session_laps", _keyed(rows, laps.join(rows.cars, on="car_number", how="left")))
    return found, [*problems, *odd]


def _renumbered(cars: list[str], numbers: list[int | None]) -> list[int]:
    """Lap numbers that rise within each car: a lap counted twice moves on, and pushes what it runs into."""
    found: list[int] = []
    before, last = None, 0
    for car, number in zip(cars, numbers, strict=True):
        last = 0 if car != before else last
        last = max(last + 1, number or 0)
        found.append(last)
        before = car
    return found


def _numbered(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias(name))


def _keyed(rows: SessionRows, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        event_id=pl.lit(rows.event_id),
        season=pl.lit(int(rows.event_id[:4]), dtype=pl.Int32),
        session=pl.lit(rows.session.value),
        known_at=pl.lit(rows.known_at, dtype=pl.Datetime("us", "UTC")),
    )


def _conform(name: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """A table's columns; what is outside a column's range becomes missing, and is told."""
    table, problems = TABLES[name], []
    frame = frame.select([pl.col(c).cast(kind) for c, kind in frame_schema(table).items()])
    for column in table.columns:
        if column.required:
            continue
        value, fine = pl.col(column.name), pl.lit(True)
        if column.type == "float":
            fine &= value.is_finite()
        if column.minimum is not None:
            fine &= value >= column.minimum
        if column.maximum is not None:
            fine &= value <= column.maximum
        wrong = frame.select((value.is_not_null() & ~fine).sum()).item()
        if wrong:
            problems.append(f"{name}: {wrong} readings of {column.name} out of range")
            frame = frame.with_columns(pl.when(fine).then(value).alias(column.name))
    return frame, problems
