"""How much of the weekend the features stand on."""

from __future__ import annotations

import polars as pl

from f1core.features.session.registry import COVERAGE, Values, session_feature
from f1core.features.session.view import PerDriver, WeekendView


@session_feature(unit="sessions", group=COVERAGE)
def sessions_used(view: WeekendView) -> Values:
    """Sessions with laps that the row stands on; the same for every driver."""
    return float(sum(not one.laps.is_empty() for one in view.sessions))


@session_feature(unit="share", group=COVERAGE)
def sessions_used_share(view: WeekendView) -> Values:
    """Sessions with laps as a share of those held before the cut-off; missing before the first one."""
    used = sum(not one.laps.is_empty() for one in view.sessions)
    return used / len(view.held) if view.held else None


@session_feature(unit="sessions", group=COVERAGE)
def sessions_driven(view: WeekendView) -> Values:
    """Sessions in which he has a lap."""
    if not view.sessions:
        return None
    return {d: float(sum(d in one.drivers for one in view.sessions)) for d in view.drivers}


@session_feature(unit="laps", group=COVERAGE)
def laps_driven(view: WeekendView) -> Values:
    """Laps of all sessions, in- and out-laps included."""
    return _counted(view, pl.lit(True))


@session_feature(unit="laps", group=COVERAGE)
def laps_clean(view: WeekendView) -> Values:
    """Laps that count for pace: timed, plausible, on a clear track, neither in- nor out-lap, not deleted."""
    return _counted(view, pl.col("is_clean"))


@session_feature(unit="laps", group=COVERAGE)
def laps_pushed(view: WeekendView) -> Values:
    """Laps driven for time: within 4 % of his best and 7 % of the session's best."""
    return _counted(view, pl.col("is_push"))


@session_feature(unit="compounds", group=COVERAGE)
def compounds_used(view: WeekendView) -> Values:
    """Different compounds he drove on."""
    laps = [
        one.laps.filter(pl.col("compound") != "unknown").select("driver_id", "compound")
        for one in view.sessions
    ]
    if not laps:
        return None
    rows = pl.concat(laps).group_by("driver_id").agg(pl.col("compound").n_unique())
    counts = {str(d): float(n) for d, n in rows.iter_rows()}
    return {driver: counts.get(driver, 0.0) for driver in view.drivers}


@session_feature(unit="laps", group=COVERAGE)
def longest_stint_laps(view: WeekendView) -> Values:
    """Laps of his longest stint of any session."""
    laps = [one.laps.drop_nulls("stint").group_by("driver_id", "stint").len() for one in view.sessions]
    if not laps:
        return None
    rows = pl.concat(laps).group_by("driver_id").agg(pl.col("len").max())
    return view.per_driver({str(d): float(n) for d, n in rows.iter_rows()})


def _counted(view: WeekendView, condition: pl.Expr) -> PerDriver | None:
    laps = [one.laps.filter(condition).select("driver_id") for one in view.sessions]
    if not laps:
        return None
    counts = {str(d): float(n) for d, n in pl.concat(laps).group_by("driver_id").len().iter_rows()}
    return {driver: counts.get(driver, 0.0) for driver in view.drivers}
