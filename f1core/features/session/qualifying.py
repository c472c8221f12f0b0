"""Qualifying from its own timing: gaps by segment, progression, sectors, speeds, and what disturbed it.

Times of Q1, Q2 and Q3 are the official ones of the source's results; everything else is made from laps. Nothing stands in
for the pace of a driver who set no time: that it is missing says so.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from f1core.features.session.registry import (
    QUALIFYING,
    Imputation,
    SessionFunction,
    Values,
    add,
    session_feature,
)
from f1core.features.session.short_runs import (
    SECTORS,
    SPEEDS,
    against_field,
    theoretical_bests,
    theoretical_losses,
    top_speeds,
)
from f1core.features.session.view import PerDriver, SessionData, WeekendView, gaps_pct, middle, within
from warehouse.vocab import SessionKind

SEGMENTS = ("q1_s", "q2_s", "q3_s")
LAST_SEGMENT_CARS = 10
"""Cars in the last segment, since knock-out qualifying began with twenty and more cars."""
LEAST_COMPARED = 5
RED = "5"


def _session(view: WeekendView) -> SessionData | None:
    return view.one(SessionKind.QUALIFYING)


def segment_times(one: SessionData | None, segment: str) -> dict[str, float]:
    """Official times of a segment by driver [s]."""
    if one is None:
        return {}
    rows = one.results.select("driver_id", segment).drop_nulls()
    return {str(driver): float(time) for driver, time in rows.iter_rows()}


def segment_gaps(one: SessionData | None) -> dict[str, float | None]:
    """Each driver's gap to the best time of the last segment in which he set one [%]."""
    found: dict[str, float | None] = {}
    for segment in SEGMENTS:
        found.update(gaps_pct(segment_times(one, segment)))
    return found


def last_segments(one: SessionData | None) -> dict[str, float | None]:
    """The last segment each driver took part in: 1, 2 or 3.

    A driver who set no time in a segment took part in it if he is classified among its cars: the first ten in the last one,
    and in the second those before the half of the others that drops out.
    """
    if one is None or one.results.is_empty():
        return {}
    held = [bool(segment_times(one, segment)) for segment in SEGMENTS]
    count = one.results.height
    found: dict[str, float | None] = {}
    for row in one.results.iter_rows(named=True):
        timed = max((n for n, segment in enumerate(SEGMENTS, start=1) if row[segment] is not None), default=1)
        place = row["position"]
        if (
            place is not None
            and held[1]
            and place <= LAST_SEGMENT_CARS + max(0, count - LAST_SEGMENT_CARS) // 2
        ):
            timed = max(timed, 2)
        if place is not None and held[2] and place <= LAST_SEGMENT_CARS:
            timed = 3
        found[str(row["driver_id"])] = float(timed) if any(held) else None
    return found


def _pole_time(one: SessionData | None) -> float | None:
    times = [segment_times(one, segment) for segment in SEGMENTS]
    last = next((found for found in reversed(times) if found), {})
    return min(last.values(), default=None)


def _last_times(one: SessionData | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for segment in SEGMENTS:
        found.update(segment_times(one, segment))
    return found


def _against_mates(view: WeekendView, one: SessionData | None, *, as_pct: bool) -> PerDriver:
    """Own time against the fastest team mate's, in the last segment in which both set one."""
    times = [segment_times(one, segment) for segment in SEGMENTS]
    found: PerDriver = {}
    for driver, mates in view.team_mates.items():
        found[driver] = None
        for segment in reversed(times):
            others = [segment[mate] for mate in mates if mate in segment]
            if driver in segment and others:
                own, best = segment[driver], min(others)
                gap = within(100 * (own / best - 1))
                found[driver] = None if gap is None else gap if as_pct else own - best
                break
    return found


@session_feature(unit="s", group=QUALIFYING)
def pole_gap_s(view: WeekendView) -> Values:
    """His time of the last segment in which he set one, minus the pole time; missing beyond 7 %.

    The pole time is the best of the last segment that was held.
    """
    pole, times = _pole_time(_session(view)), _last_times(_session(view))
    if not pole:
        return None
    return view.per_driver(
        {d: None if within(100 * (time / pole - 1)) is None else time - pole for d, time in times.items()}
    )


@session_feature(unit="%", group=QUALIFYING)
def pole_gap_pct(view: WeekendView) -> Values:
    """As `pole_gap_s`, in per cent of the pole time."""
    pole, times = _pole_time(_session(view)), _last_times(_session(view))
    if not pole:
        return None
    return view.per_driver({d: within(100 * (time / pole - 1)) for d, time in times.items()})


@session_feature(unit="%", group=QUALIFYING)
def segment_gap_pct(view: WeekendView) -> Values:
    """Gap to the best time of the last segment in which he set one: free of the track's evolution; missing beyond 7 %."""
    return view.per_driver(segment_gaps(_session(view)))


@session_feature(unit="s", group=QUALIFYING)
def team_mate_segment_gap_s(view: WeekendView) -> Values:
    """His time minus the fastest team mate's in the last segment in which both set one; missing beyond 7 % either way."""
    return _against_mates(view, _session(view), as_pct=False)


@session_feature(unit="%", group=QUALIFYING)
def team_mate_segment_gap_pct(view: WeekendView) -> Values:
    """As `team_mate_segment_gap_s`, in per cent."""
    return _against_mates(view, _session(view), as_pct=True)


def _segment_gap(segment: str) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        return view.per_driver(gaps_pct(segment_times(_session(view), segment)))

    return compute


def _progress(before: str, after: str) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        return view.per_driver(_changes(_session(view), before, after))

    return compute


def _field_progress(before: str, after: str) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        return middle(_changes(_session(view), before, after).values(), LEAST_COMPARED)

    return compute


def _changes(one: SessionData | None, before: str, after: str) -> dict[str, float | None]:
    first, second = segment_times(one, before), segment_times(one, after)
    return {d: within(100 * (second[d] / first[d] - 1)) for d in first if d in second}


for _segment in SEGMENTS:
    _name = _segment.removesuffix("_s")
    add(
        f"{_name}_gap_pct",
        "%",
        QUALIFYING,
        Imputation.NONE,
        f"Gap to the best time of {_name.upper()}; missing for who set none, and beyond 7 %.",
        _segment_gap(_segment),
    )
for _before, _after in (("q1_s", "q2_s"), ("q2_s", "q3_s")):
    _from, _to = _before.removesuffix("_s"), _after.removesuffix("_s")
    add(
        f"{_from}_to_{_to}_pct",
        "%",
        QUALIFYING,
        Imputation.NONE,
        f"Change of his time from {_from.upper()} to {_to.upper()}; below zero is faster; missing beyond 7 % either way.",
        _progress(_before, _after),
    )
    add(
        f"field_{_from}_to_{_to}_pct",
        "%",
        QUALIFYING,
        Imputation.NONE,
        f"Track evolution: median change from {_from.upper()} to {_to.upper()} of all who set both, if at least 5 did.",
        _field_progress(_before, _after),
    )


@session_feature(unit="segment", group=QUALIFYING)
def last_qualifying_segment(view: WeekendView) -> Values:
    """The last segment he took part in: 1, 2 or 3."""
    return view.per_driver(last_segments(_session(view)))


@session_feature(unit="place", group=QUALIFYING)
def qualifying_timing_position(view: WeekendView) -> Values:
    """Place in qualifying by the timing source (`qualifying_position` is the results source's)."""
    one = _session(view)
    rows = [] if one is None else one.results.select("driver_id", "position").rows()
    return view.per_driver({d: None if place is None else float(place) for d, place in rows})


@session_feature(unit="laps", group=QUALIFYING)
def qualifying_laps(view: WeekendView) -> Values:
    """Laps driven in qualifying; 0 for who took part and drove none."""
    return _count(view, pl.lit(True))


@session_feature(unit="laps", group=QUALIFYING)
def qualifying_push_laps(view: WeekendView) -> Values:
    """Laps driven for time in qualifying."""
    return _count(view, pl.col("is_push"))


@session_feature(unit="laps", group=QUALIFYING)
def qualifying_deleted_laps(view: WeekendView) -> Values:
    """Laps of qualifying that race control deleted; missing for all without race-control messages."""
    one = _session(view)
    if one is None or one.laps["is_deleted"].null_count() == one.laps.height:
        return None
    return _count(view, pl.col("is_deleted").fill_null(False))


@session_feature(unit="sets", group=QUALIFYING)
def qualifying_fresh_sets(view: WeekendView) -> Values:
    """Sets of tyres that were new when fitted in qualifying."""
    one = _session(view)
    if one is None:
        return None
    fresh = one.laps.filter(pl.col("is_fresh_tyre").fill_null(False) & pl.col("stint").is_not_null())
    rows = fresh.group_by("driver_id").agg(pl.col("stint").n_unique())
    return _zero_filled(view, one, {str(d): float(n) for d, n in rows.iter_rows()})


def _count(view: WeekendView, condition: pl.Expr) -> Values:
    one = _session(view)
    if one is None:
        return None
    rows = one.laps.filter(condition).group_by("driver_id").len()
    return _zero_filled(view, one, {str(d): float(n) for d, n in rows.iter_rows()})


def _zero_filled(view: WeekendView, one: SessionData, counts: Mapping[str, float]) -> PerDriver:
    return {d: counts.get(d, 0.0) if d in one.drivers else None for d in view.drivers}


@session_feature(unit="%", group=QUALIFYING)
def qualifying_theoretical_gap_pct(view: WeekendView) -> Values:
    """Gap of the sum of his best sectors in qualifying to the field's best sum; missing beyond 7 %."""
    one = _session(view)
    return None if one is None else view.per_driver(gaps_pct(theoretical_bests(one)))


@session_feature(unit="s", group=QUALIFYING, imputation=Imputation.FIELD)
def qualifying_theoretical_loss_s(view: WeekendView) -> Values:
    """His best push lap of qualifying minus the sum of his best sectors."""
    one = _session(view)
    return None if one is None else view.per_driver(theoretical_losses(one))


def _sector_gap(column: str) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        one = _session(view)
        return None if one is None else view.per_driver(gaps_pct(one.best(column)))

    return compute


def _speed_delta(place: str) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        one = _session(view)
        return None if one is None else view.per_driver(against_field(top_speeds(one, place)))

    return compute


for _number, _column in enumerate(SECTORS, start=1):
    add(
        f"qualifying_sector_{_number}_gap_pct",
        "%",
        QUALIFYING,
        Imputation.NONE,
        f"Gap of his best sector {_number} of qualifying to the best of all; missing beyond 7 %.",
        _sector_gap(_column),
    )
for _place, _words in SPEEDS.items():
    add(
        f"qualifying_speed_{_place}_delta_kph",
        "km/h",
        QUALIFYING,
        Imputation.TEAM_MATE,
        f"Speed {_words} in qualifying (median of his three highest) minus the field's median.",
        _speed_delta(_place),
    )


@session_feature(unit="count", group=QUALIFYING)
def qualifying_red_flags(view: WeekendView) -> Values:
    """How often qualifying was stopped; missing without a record of the track's status."""
    one = _session(view)
    if one is None or one.track_status.is_empty():
        return None
    return float((one.track_status["status"] == RED).sum())


def _best_laps(one: SessionData) -> pl.DataFrame:
    """Each driver's fastest push lap, with the lap before it."""
    laps = one.laps.sort("driver_id", "lap_number").with_columns(
        after_out_lap=pl.col("is_out_lap").shift(1).over("driver_id"),
        before_s=(pl.col("lap_end_session_s") - pl.col("pit_out_session_s")).shift(1).over("driver_id"),
    )
    return laps.filter("is_push").sort("lap_time_s").unique("driver_id", keep="first", maintain_order=True)


@session_feature(unit="flag", group=QUALIFYING)
def is_best_lap_after_out_lap(view: WeekendView) -> Values:
    """1 when his best lap of qualifying came straight after the out-lap, 0 when a preparation or earlier lap lay between."""
    one = _session(view)
    if one is None:
        return None
    rows = _best_laps(one).select("driver_id", "after_out_lap").drop_nulls()
    return view.per_driver({str(d): float(after) for d, after in rows.iter_rows()})


@session_feature(unit="%", group=QUALIFYING)
def best_out_lap_delta_pct(view: WeekendView) -> Values:
    """Time of the out-lap (pit exit to the line) before his best lap of qualifying, against the field's median.

    Missing where the best lap did not come straight after an out-lap.
    """
    one = _session(view)
    if one is None:
        return None
    rows = _best_laps(one).filter(pl.col("after_out_lap").fill_null(False)).select("driver_id", "before_s")
    times = {str(d): float(time) for d, time in rows.drop_nulls().iter_rows()}
    field = middle(times.values(), LEAST_COMPARED)
    return None if not field else view.per_driver({d: 100 * (time / field - 1) for d, time in times.items()})


@session_feature(unit="flag", group=QUALIFYING)
def is_best_lap_in_traffic(view: WeekendView) -> Values:
    """1 when another car was less than 2 s ahead at the line or the end of sector 1 or 2 of his best lap of qualifying."""
    one = _session(view)
    if one is None:
        return None
    rows = _best_laps(one).select("driver_id", "is_in_traffic")
    return view.per_driver({str(d): float(close) for d, close in rows.iter_rows()})
