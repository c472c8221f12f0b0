"""One-lap pace from practice: best laps, what the best sectors would add up to, sector strengths and top speeds."""

from __future__ import annotations

import polars as pl

from f1core.features.session.registry import (
    SHORT_RUN_SESSIONS,
    SHORT_RUNS,
    Imputation,
    SessionFunction,
    Values,
    add,
    session_feature,
)
from f1core.features.session.view import (
    SessionData,
    WeekendView,
    average,
    gaps_pct,
    middle,
    newest,
    smallest,
)

SECTORS = ("sector_1_s", "sector_2_s", "sector_3_s")
SPEEDS = {
    "trap": "on the longest straight",
    "i1": "at the first intermediate",
    "i2": "at the second intermediate",
    "finish": "at the finish line",
}
FASTEST_READINGS = 3
"""A single highest speed is a slipstream; the median of the three highest is less so."""


def theoretical_bests(one: SessionData) -> dict[str, float]:
    """Each driver's sum of his best sectors over his push laps of a session [s]."""
    rows = one.push_laps.group_by("driver_id").agg(pl.col(SECTORS).min()).drop_nulls()
    return {str(driver): float(sum(sectors)) for driver, *sectors in rows.iter_rows()}


def top_speeds(one: SessionData, place: str) -> dict[str, float]:
    """Each driver's speed at a place of the track: median of his three highest readings of a session [km/h]."""
    column = f"speed_{place}_kph"
    rows = (
        one.laps.drop_nulls(column)
        .group_by("driver_id")
        .agg(pl.col(column).top_k(FASTEST_READINGS).median())
        .drop_nulls()
    )
    return {str(driver): float(speed) for driver, speed in rows.iter_rows()}


def against_field(values: dict[str, float]) -> dict[str, float | None]:
    """Each value minus the median of all."""
    field = middle(values.values())
    return {driver: None if field is None else value - field for driver, value in values.items()}


def _short(view: WeekendView) -> tuple[SessionData, ...]:
    return view.of(SHORT_RUN_SESSIONS)


def short_run_gaps(view: WeekendView) -> dict[str, float | None]:
    """Each driver's smallest gap to the best lap of a session [%]; of all who drove."""
    return smallest(gaps_pct(one.best("lap_time_s")) for one in _short(view))


@session_feature(unit="s", group=SHORT_RUNS, imputation=Imputation.TEAM_MATE)
def short_run_best_s(view: WeekendView) -> Values:
    """Best push lap of the last practice (or sprint qualifying) in which the driver has one."""
    return view.per_driver(newest(one.best("lap_time_s") for one in _short(view)))


@session_feature(unit="%", group=SHORT_RUNS, imputation=Imputation.TEAM_MATE)
def short_run_gap_pct(view: WeekendView) -> Values:
    """Smallest gap of his best push lap to the best lap of a session; missing beyond 7 %."""
    return view.per_driver(short_run_gaps(view))


@session_feature(unit="%", group=SHORT_RUNS, imputation=Imputation.TEAM_MATE)
def short_run_last_gap_pct(view: WeekendView) -> Values:
    """Gap of his best push lap to the best lap in the last session in which he has one; missing beyond 7 %."""
    return view.per_driver(newest(gaps_pct(one.best("lap_time_s")) for one in _short(view)))


@session_feature(unit="%", group=SHORT_RUNS)
def short_run_team_mate_gap_pct(view: WeekendView) -> Values:
    """Short-run gap minus that of the fastest team mate."""
    return view.against_team_mates(short_run_gaps(view))


@session_feature(unit="s", group=SHORT_RUNS, imputation=Imputation.TEAM_MATE)
def theoretical_best_s(view: WeekendView) -> Values:
    """Sum of his best sectors over the push laps of the last session in which he has all three."""
    return view.per_driver(newest(theoretical_bests(one) for one in _short(view)))


@session_feature(unit="%", group=SHORT_RUNS, imputation=Imputation.TEAM_MATE)
def theoretical_gap_pct(view: WeekendView) -> Values:
    """Smallest gap of his theoretical best to the field's best one of a session; missing beyond 7 %."""
    return view.per_driver(smallest(gaps_pct(theoretical_bests(one)) for one in _short(view)))


@session_feature(unit="s", group=SHORT_RUNS, imputation=Imputation.FIELD)
def theoretical_loss_s(view: WeekendView) -> Values:
    """Best push lap minus the theoretical best of the same session, the last in which he has both."""
    return view.per_driver(newest(theoretical_losses(one) for one in _short(view)))


def theoretical_losses(one: SessionData) -> dict[str, float]:
    """Each driver's best push lap minus his theoretical best [s]; not below zero, where rounded sectors could put it."""
    best, ideal = one.best("lap_time_s"), theoretical_bests(one)
    return {driver: max(0.0, best[driver] - ideal[driver]) for driver in best if driver in ideal}


def _sector_gap(column: str) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        return view.per_driver(average(gaps_pct(one.best(column)) for one in _short(view)))

    return compute


for _number, _column in enumerate(SECTORS, start=1):
    add(
        f"practice_sector_{_number}_gap_pct",
        "%",
        SHORT_RUNS,
        Imputation.TEAM_MATE,
        f"Gap of his best sector {_number} to the best of the session, mean over sessions; missing beyond 7 %.",
        _sector_gap(_column),
    )


@session_feature(unit="km/h", group=SHORT_RUNS, imputation=Imputation.TEAM_MATE)
def practice_speed_trap_kph(view: WeekendView) -> Values:
    """Speed on the longest straight, median of his three highest readings in the last session with readings."""
    return view.per_driver(newest(top_speeds(one, "trap") for one in _short(view)))


def _speed_delta(place: str) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        return view.per_driver(average(against_field(top_speeds(one, place)) for one in _short(view)))

    return compute


for _place, _words in SPEEDS.items():
    add(
        f"practice_speed_{_place}_delta_kph",
        "km/h",
        SHORT_RUNS,
        Imputation.TEAM_MATE,
        f"Speed {_words} (median of his three highest) minus the field's median, mean over sessions.",
        _speed_delta(_place),
    )
