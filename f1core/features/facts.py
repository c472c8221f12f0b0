"""Facts prepared for features: gated tables as arrays, with what can be said of a row from its own event alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from f1core.features.arrays import Seen, TableArrays
from f1core.labels import race_labels
from f1core.ratings import GAP_LIMIT_PCT
from warehouse.queries.history import Facts

TIME_LIMIT_PCT = GAP_LIMIT_PCT


def _starts(facts: Facts) -> pl.DataFrame:
    """One row per race start: the label's columns plus grid, points, circuit, field size and the race's running number."""
    results = facts.tables["race_results"].filter(pl.col("session") == "race")
    best = results.sort("known_at", "event_id", "display_order").unique(
        ["event_id", "driver_id"], keep="first", maintain_order=True
    )
    return (
        race_labels(facts.tables["race_results"])
        .join(
            best.select("event_id", "driver_id", "points", "grid_position", "is_pit_lane_start"),
            on=["event_id", "driver_id"],
            how="left",
            maintain_order="left",
        )
        .join(
            facts.calendar.select("event_id", "circuit_id"), on="event_id", how="left", maintain_order="left"
        )
        .with_columns(
            start_slot=pl.col("grid_position").fill_null(pl.len().over("event_id")),
            count_starters=pl.len().over("event_id"),
        )
        .with_columns(places_gained=pl.col("start_slot") - pl.col("position"))
        .sort("known_at", "event_id", "position")
        .with_columns(race_number=pl.col("event_id").rle_id())
    )


def _qualifyings(facts: Facts) -> pl.DataFrame:
    """One row per driver in a qualifying or sprint qualifying, with his rank and gap to the best [%]."""
    rows = facts.tables["qualifying_results"].sort("known_at", "event_id", "session", "display_order")
    rows = rows.unique(["event_id", "session", "driver_id"], keep="first", maintain_order=True)
    return _with_gap(rows, "best_time_s").with_columns(
        rank=pl.int_range(1, pl.len() + 1).over("event_id", "session"),
    )


def _practices(facts: Facts) -> pl.DataFrame:
    """One row per driver in a practice session, with his rank and gap to the best [%]."""
    rows = facts.tables["practice_results"].sort("known_at", "event_id", "session", "display_order")
    rows = rows.unique(["event_id", "session", "driver_id"], keep="first", maintain_order=True)
    return _with_gap(rows, "time_s").with_columns(
        rank=pl.int_range(1, pl.len() + 1).over("event_id", "session")
    )


def _with_gap(rows: pl.DataFrame, time: str) -> pl.DataFrame:
    valid = pl.when(pl.col(time) > 0).then(pl.col(time))
    gap = 100.0 * (valid / valid.min().over("event_id", "session") - 1.0)
    return rows.with_columns(gap_pct=pl.when(gap <= TIME_LIMIT_PCT).then(gap))


@dataclass(frozen=True)
class FeatureFacts:
    """Facts in the form in which features read them.

    Attributes:
        facts: The facts.
    """

    facts: Facts

    @cached_property
    def tables(self) -> dict[str, TableArrays]:
        """Gated tables by name; every row carries its own ``known_at``."""
        gated = self.facts.tables
        frames = {
            "starts": _starts(self.facts),
            "qualifyings": _qualifyings(self.facts),
            "practices": _practices(self.facts),
            "grids": gated["starting_grids"].sort("known_at", "event_id", "session", "display_order"),
            "sprints": gated["race_results"].filter(pl.col("session") == "sprint"),
            "driver_standings": gated["driver_standings"],
            "constructor_standings": gated["constructor_standings"],
            "ratings": gated["ratings"],
            "summaries": gated["session_summaries"],
        }
        return {name: TableArrays(frame) for name, frame in frames.items()}

    @cached_property
    def events(self) -> dict[str, dict[str, object]]:
        """What is public of every event before its weekend, by id."""
        return {row["event_id"]: row for row in self.facts.calendar.iter_rows(named=True)}

    @cached_property
    def starts_at(self) -> dict[str, dict[str, dt.datetime]]:
        """Start of every session [UTC] by event and session."""
        found: dict[str, dict[str, dt.datetime]] = {}
        for event_id, session, starts in self.facts.sessions.select(
            "event_id", "session", "starts_at"
        ).iter_rows():
            found.setdefault(event_id, {})[session] = starts
        return found

    @cached_property
    def rounds(self) -> dict[int, int]:
        """Number of events in each season's calendar."""
        return dict(self.facts.calendar.group_by("season").len().iter_rows())

    @cached_property
    def circuits(self) -> dict[str, dict[str, object]]:
        """Circuits by id."""
        return {row["circuit_id"]: row for row in self.facts.circuits.iter_rows(named=True)}

    def seen(self, name: str, as_of: dt.datetime) -> Seen:
        """A table as it was known strictly before an instant."""
        arrays = self.tables[name]
        return Seen(arrays, arrays.end(as_of))
