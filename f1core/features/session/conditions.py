"""What surrounded the laps: track evolution, traffic, interruptions and weather."""

from __future__ import annotations

import polars as pl

from f1core.features.session.registry import (
    CONDITIONS,
    QUALIFYING,
    SHORT_RUN_SESSIONS,
    SHORT_RUNS,
    Imputation,
    SessionFunction,
    Values,
    add,
    session_feature,
)
from f1core.features.session.view import PerDriver, SessionData, WeekendView, middle
from warehouse.vocab import WET_COMPOUNDS, SessionKind

LEAST_COMPARED = 5
WEATHER = {
    "weather_air_celsius": ("air_temperature_celsius", "°C", "air temperature"),
    "weather_track_celsius": ("track_temperature_celsius", "°C", "track temperature"),
    "weather_humidity_pct": ("humidity_pct", "%", "relative humidity"),
    "weather_pressure_hpa": ("pressure_hpa", "hPa", "air pressure"),
    "weather_wind_mps": ("wind_speed_mps", "m/s", "wind speed"),
    "weather_rain_share": ("is_raining", "share", "share of the time with rain"),
}


@session_feature(unit="%", group=CONDITIONS)
def practice_track_evolution_pct(view: WeekendView) -> Values:
    """Change of pace within the last practice; below zero is a track getting faster.

    Best push lap of its second half against the first, median over drivers who have both on one compound, if at least 5 do.
    Fuel and engine modes are not told apart.
    """
    found = [_evolution(one) for one in view.practices]
    return next((value for value in reversed(found) if value is not None), None)


def _evolution(one: SessionData) -> float | None:
    laps = one.push_laps.drop_nulls("lap_start_session_s")
    if laps.is_empty():
        return None
    every = one.laps["lap_start_session_s"].drop_nulls()
    begin, end = float(every.min()), float(every.max())  # type: ignore[arg-type]
    halves = (
        laps.with_columns(is_late=pl.col("lap_start_session_s") >= (begin + end) / 2)
        .group_by("driver_id", "compound")
        .agg(
            early=pl.col("lap_time_s").filter(~pl.col("is_late")).min(),
            late=pl.col("lap_time_s").filter(pl.col("is_late")).min(),
        )
        .drop_nulls()
        .select("driver_id", change=100 * (pl.col("late") / pl.col("early") - 1))
        .group_by("driver_id")
        .agg(pl.col("change").mean())
    )
    return middle(halves["change"].to_list(), LEAST_COMPARED)


@session_feature(unit="share", group=SHORT_RUNS, imputation=Imputation.FIELD)
def push_traffic_share(view: WeekendView) -> Values:
    """Share of his push laps in practice and sprint qualifying with another car close ahead.

    Close is less than 2 s at the line, or at the end of sector 1 or 2.
    """
    return _share(view, SHORT_RUN_SESSIONS, pl.col("is_in_traffic"), pl.col("is_push"))


@session_feature(unit="share", group=QUALIFYING, imputation=Imputation.FIELD)
def qualifying_traffic_share(view: WeekendView) -> Values:
    """Share of his push laps in qualifying with another car close ahead (less than 2 s at the line, sector 1 or 2)."""
    return _share(view, (SessionKind.QUALIFYING,), pl.col("is_in_traffic"), pl.col("is_push"))


_FLYING = ~pl.col("is_in_lap") & ~pl.col("is_out_lap") & ~pl.col("is_generated")


@session_feature(unit="share", group=CONDITIONS)
def interrupted_lap_share(view: WeekendView) -> Values:
    """Share of his laps on track (no in- or out-laps) of all sessions in which the track was not clear all the way."""
    return _share(view, tuple(SessionKind), ~pl.col("is_green"), _FLYING)


@session_feature(unit="share", group=CONDITIONS)
def out_lap_share(view: WeekendView) -> Values:
    """Share of his laps of all sessions that were in- or out-laps."""
    return _share(view, tuple(SessionKind), pl.col("is_in_lap") | pl.col("is_out_lap"), pl.lit(True))


@session_feature(unit="share", group=CONDITIONS)
def wet_lap_share(view: WeekendView) -> Values:
    """Share of all cars' laps of all sessions driven on intermediates or wets."""
    laps = [one.laps.select("compound") for one in view.sessions]
    every = pl.concat(laps)["compound"] if laps else pl.Series(dtype=pl.String)
    return float(every.is_in([str(one) for one in WET_COMPOUNDS]).mean()) if every.len() else None  # type: ignore[arg-type]


def _share(view: WeekendView, kinds: tuple[SessionKind, ...], what: pl.Expr, among: pl.Expr) -> PerDriver:
    laps = [one.laps.filter(among).select("driver_id", share=what.cast(pl.Float64)) for one in view.of(kinds)]
    if not laps:
        return view.per_driver({})
    rows = pl.concat(laps).group_by("driver_id").agg(pl.col("share").mean()).drop_nulls()
    return view.per_driver({str(driver): float(share) for driver, share in rows.iter_rows()})


def _mean_weather(column: str) -> SessionFunction:
    def compute(view: WeekendView) -> Values:
        measured = [one.weather[column].drop_nulls().cast(pl.Float64) for one in view.sessions]
        every = pl.concat(measured) if measured else pl.Series(dtype=pl.Float64)
        return float(every.mean()) if every.len() else None  # type: ignore[arg-type]

    return compute


for _name, (_column, _unit, _words) in WEATHER.items():
    add(
        _name,
        _unit,
        CONDITIONS,
        Imputation.NONE,
        f"Mean over all measurements of the known sessions: {_words}; the same for every driver.",
        _mean_weather(_column),
    )
