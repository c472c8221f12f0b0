"""What a session feature may look at: one weekend's field and its sessions known before the cut-off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

import polars as pl

from f1core.features.session.laps import LongRun, find_long_runs, with_lap_kinds
from f1core.session_rows import SessionRows
from warehouse.vocab import PRACTICES, SessionKind

WITHIN_PCT = 7.0
"""A gap beyond 7 % (the 107 % rule) is no pace: other weather, or no attempt."""
RACE_LAPS = 58.0
"""Laps of a race where the calendar does not say: 305 km on a lap of 5.3 km."""

PerDriver = dict[str, float | None]


@dataclass(frozen=True)
class SessionData:
    """One session as features see it.

    Attributes:
        session: The session.
        results: The source's results, with ``driver_id``.
        laps: Laps of identified drivers, with the kinds of :func:`f1core.features.session.laps.with_lap_kinds`.
        weather: Measurements.
        track_status: Changes of the track's status.
        telemetry: Values of each driver's telemetry, by name; drivers without telemetry are not in it.
        problems: What is missing or odd.
    """

    session: SessionKind
    results: pl.DataFrame
    laps: pl.DataFrame
    weather: pl.DataFrame
    track_status: pl.DataFrame
    telemetry: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, rows: SessionRows, telemetry: Mapping[str, Mapping[str, float | None]] | None = None
    ) -> SessionData:
        """A session from its rows; laps of cars without a known driver are left out (and told in ``problems``)."""
        return cls(
            rows.session,
            rows.results.filter(pl.col("driver_id").is_not_null()),
            with_lap_kinds(rows.laps.filter(pl.col("driver_id").is_not_null())),
            rows.weather,
            rows.track_status,
            telemetry or {},
            rows.problems,
        )

    @cached_property
    def push_laps(self) -> pl.DataFrame:
        """Laps driven for time."""
        return self.laps.filter(pl.col("is_push"))

    @cached_property
    def drivers(self) -> frozenset[str]:
        """Who drove at least one lap."""
        return frozenset(self.laps["driver_id"].to_list())

    def best(self, column: str) -> dict[str, float]:
        """Each driver's smallest value of a column over his push laps."""
        rows = self.push_laps.group_by("driver_id").agg(pl.col(column).min()).drop_nulls()
        return {str(driver): float(value) for driver, value in rows.iter_rows()}


@dataclass(frozen=True)
class WeekendView:
    """A weekend as a forecast may see it.

    Attributes:
        drivers: The field, ordered.
        constructors: Constructor of each driver.
        sessions: Sessions that are known and loaded, in order of time; the race is never among them.
        held: Sessions the calendar says were over before the cut-off, loaded or not.
        race_laps: Laps of the race as planned.
    """

    drivers: tuple[str, ...]
    constructors: Mapping[str, str]
    sessions: tuple[SessionData, ...]
    held: tuple[SessionKind, ...] = ()
    race_laps: float = RACE_LAPS

    def of(self, kinds: Iterable[SessionKind]) -> tuple[SessionData, ...]:
        """The known sessions of these kinds, in order of time."""
        wanted = set(kinds)
        return tuple(one for one in self.sessions if one.session in wanted)

    def one(self, kind: SessionKind) -> SessionData | None:
        """A known session, None when it is not known."""
        return next(iter(self.of((kind,))), None)

    @property
    def practices(self) -> tuple[SessionData, ...]:
        """The known practice sessions, in order of time."""
        return self.of(PRACTICES)

    @cached_property
    def team_mates(self) -> dict[str, tuple[str, ...]]:
        """The other drivers of each driver's constructor."""
        return {
            driver: tuple(
                other
                for other in self.drivers
                if other != driver and self.constructors[other] == self.constructors[driver]
            )
            for driver in self.drivers
        }

    @cached_property
    def long_runs(self) -> dict[SessionKind, tuple[LongRun, ...]]:
        """Long runs of each known session; of all who drove, not of the field alone."""
        return {one.session: find_long_runs(one.laps, self.race_laps) for one in self.sessions}

    def per_driver(self, values: Mapping[str, float | None]) -> PerDriver:
        """Values of the field's drivers; missing for who has none."""
        return {driver: values.get(driver) for driver in self.drivers}

    def against_team_mates(self, values: Mapping[str, float | None]) -> PerDriver:
        """Each driver's value minus the smallest of his team mates'."""
        found: PerDriver = {}
        for driver, mates in self.team_mates.items():
            own = values.get(driver)
            others = [value for mate in mates if (value := values.get(mate)) is not None]
            found[driver] = own - min(others) if own is not None and others else None
        return found


def within(change_pct: float) -> float | None:
    """A change or gap [%], missing beyond :data:`WITHIN_PCT` either way."""
    return change_pct if abs(change_pct) <= WITHIN_PCT else None


def gaps_pct(values: Mapping[str, float]) -> dict[str, float | None]:
    """Gap of each value to the smallest [%]; missing beyond :data:`WITHIN_PCT`."""
    best = min(values.values(), default=0.0)
    if best <= 0:
        return {}
    return {driver: within(100 * (value / best - 1)) for driver, value in values.items()}


def smallest(per_session: Iterable[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Each driver's smallest value over sessions."""
    return {driver: min(values) for driver, values in _collected(per_session).items()}


def newest(per_session: Iterable[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Each driver's value of the last session in which he has one (sessions in order of time)."""
    return {driver: values[-1] for driver, values in _collected(per_session).items()}


def average(per_session: Iterable[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Each driver's mean over the sessions in which he has a value."""
    return {driver: sum(values) / len(values) for driver, values in _collected(per_session).items()}


def middle(values: Iterable[float | None], at_least: int = 1) -> float | None:
    """Median of what is there; None of fewer than ``at_least`` values."""
    there = [value for value in values if value is not None]
    return median(there) if len(there) >= at_least else None


def _collected(per_session: Iterable[Mapping[str, float | None]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for values in per_session:
        for driver, value in values.items():
            if value is not None:
                found.setdefault(driver, []).append(value)
    return found
