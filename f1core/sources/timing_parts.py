"""A session as FastF1 gives it, as the parts of a bundle: seconds, plain numbers and text, missing where not measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from f1core.sources.bundle import PARTS

Column = Callable[["pd.Series[Any]"], list[Any]]


def session_parts(session: Any) -> dict[str, pl.DataFrame]:
    """The parts that a loaded session has, telemetry left out; one that the source did not give is absent.

    Args:
        session: A loaded ``fastf1.core.Session``.

    Returns:
        Rows by part, as :data:`f1core.sources.bundle.PARTS` has them.
    """
    found = {
        "results": _rows("results", getattr(session, "_results", None), _RESULTS),
        "laps": _laps(getattr(session, "_laps", None)),
        "weather": _weather(getattr(session, "_weather_data", None)),
        "race_control": _rows(
            "race_control", getattr(session, "_race_control_messages", None), _RACE_CONTROL
        ),
        "track_status": _rows("track_status", getattr(session, "_track_status", None), _TRACK_STATUS),
        "session_status": _rows("session_status", getattr(session, "_session_status", None), _SESSION_STATUS),
    }
    return {name: rows for name, rows in found.items() if rows is not None}


def _rows(
    part: str, frame: pd.DataFrame | None, columns: dict[str, tuple[str, Column]]
) -> pl.DataFrame | None:
    if frame is None or frame.empty:
        return None
    schema = PARTS[part]
    data = {}
    for name, kind in schema.items():
        source, convert = columns[name]
        # FastF1 leaves out a column of which it knows nothing.
        values = convert(frame[source]) if source in frame else [None] * len(frame)
        data[name] = pl.Series(name, values, dtype=kind, strict=True)
    return pl.DataFrame(data)


def _laps(frame: pd.DataFrame | None) -> pl.DataFrame | None:
    rows = _rows("laps", frame, _LAPS)
    if rows is None:
        return None
    # FastF1 calls a tyre of which it knows nothing used.
    known = pl.col("compound").is_not_null() & ~pl.col("compound").is_in(["UNKNOWN", "TEST_UNKNOWN"])
    return rows.with_columns(pl.when(known).then(pl.col("is_fresh_tyre")).alias("is_fresh_tyre"))


def _weather(frame: pd.DataFrame | None) -> pl.DataFrame | None:
    rows = _rows("weather", frame, _WEATHER)
    if rows is None:
        return None
    # FastF1 writes 0 for a value that a message lacks. No air is without pressure or moisture: those are gaps, and a
    # message that lacks the pressure has no temperatures either.
    measured = pl.col("pressure_hpa") > 0
    temperatures = ("air_temperature_celsius", "track_temperature_celsius")
    return rows.with_columns(
        *(
            pl.when(measured | (pl.col(name) != 0)).then(pl.col(name)).alias(name)
            for name in (*temperatures, "wind_speed_mps", "wind_direction_deg")
        ),
        pl.when(measured).then(pl.col("pressure_hpa")).alias("pressure_hpa"),
        pl.when(pl.col("humidity_pct") > 0).then(pl.col("humidity_pct")).alias("humidity_pct"),
    )


# --- columns ----------------------------------------------------------------------------------------------------------


def _text(values: pd.Series[Any]) -> list[Any]:
    return [None if _is_missing(value) or not str(value).strip() else str(value) for value in values]


def _whole(values: pd.Series[Any]) -> list[Any]:
    return [None if _is_missing(value) else int(value) for value in values]


def _number(values: pd.Series[Any]) -> list[Any]:
    return [None if _is_missing(value) else float(value) for value in values]


def _flag(values: pd.Series[Any]) -> list[Any]:
    return [None if _is_missing(value) else bool(value) for value in values]


def _speed(values: pd.Series[Any]) -> list[Any]:
    """Speeds at a point of the track; 0 is a trap that did not measure."""
    return [None if value is None or value <= 0 else value for value in _number(values)]


def _seconds(values: pd.Series[Any]) -> list[Any]:
    """Time spans in seconds, exact to the nanosecond they are given in."""
    spans = pd.to_timedelta(values).to_numpy("timedelta64[ns]")
    return [None if np.isnat(span) else int(span.astype("int64")) / 1e9 for span in spans]


def _instant(values: pd.Series[Any]) -> list[Any]:
    moments = pd.to_datetime(values, utc=True)
    return [None if pd.isna(moment) else moment.to_pydatetime(warn=False) for moment in moments]


def _place(values: pd.Series[Any]) -> list[Any]:
    """A classified position: FastF1 has made ``1.0`` of some."""
    return [text and text.removesuffix(".0") for text in _text(values)]


def _is_missing(value: Any) -> bool:
    # A missing text that went through `astype(str)` reads "nan" or "None".
    return bool(pd.isna(value)) or (isinstance(value, str) and value in ("nan", "None", "NaT"))


_RESULTS: dict[str, tuple[str, Column]] = {
    "car_number": ("DriverNumber", _text),
    "driver_code": ("Abbreviation", _text),
    "source_driver_id": ("DriverId", _text),
    "first_name": ("FirstName", _text),
    "last_name": ("LastName", _text),
    "full_name": ("FullName", _text),
    "team_name": ("TeamName", _text),
    "source_team_id": ("TeamId", _text),
    "position": ("Position", _whole),
    "classified_position": ("ClassifiedPosition", _place),
    "grid_position": ("GridPosition", _whole),
    "q1_s": ("Q1", _seconds),
    "q2_s": ("Q2", _seconds),
    "q3_s": ("Q3", _seconds),
    "time_s": ("Time", _seconds),
    "status": ("Status", _text),
    "points": ("Points", _number),
    "laps": ("Laps", _whole),
}
_LAPS: dict[str, tuple[str, Column]] = {
    "car_number": ("DriverNumber", _text),
    "driver_code": ("Driver", _text),
    "team_name": ("Team", _text),
    "lap_number": ("LapNumber", _whole),
    "stint": ("Stint", _whole),
    "compound": ("Compound", _text),
    "tyre_life_laps": ("TyreLife", _whole),
    "is_fresh_tyre": ("FreshTyre", _flag),
    "lap_time_s": ("LapTime", _seconds),
    "lap_start_session_s": ("LapStartTime", _seconds),
    "lap_end_session_s": ("Time", _seconds),
    "pit_out_session_s": ("PitOutTime", _seconds),
    "pit_in_session_s": ("PitInTime", _seconds),
    "sector_1_s": ("Sector1Time", _seconds),
    "sector_2_s": ("Sector2Time", _seconds),
    "sector_3_s": ("Sector3Time", _seconds),
    "sector_1_session_s": ("Sector1SessionTime", _seconds),
    "sector_2_session_s": ("Sector2SessionTime", _seconds),
    "sector_3_session_s": ("Sector3SessionTime", _seconds),
    "speed_i1_kph": ("SpeedI1", _speed),
    "speed_i2_kph": ("SpeedI2", _speed),
    "speed_finish_kph": ("SpeedFL", _speed),
    "speed_trap_kph": ("SpeedST", _speed),
    "is_personal_best": ("IsPersonalBest", _flag),
    "track_status_codes": ("TrackStatus", _text),
    "position": ("Position", _whole),
    "is_deleted": ("Deleted", _flag),
    "deleted_reason": ("DeletedReason", _text),
    "is_accurate": ("IsAccurate", _flag),
    "is_generated": ("FastF1Generated", _flag),
}
_WEATHER: dict[str, tuple[str, Column]] = {
    "session_s": ("Time", _seconds),
    "air_temperature_celsius": ("AirTemp", _number),
    "track_temperature_celsius": ("TrackTemp", _number),
    "humidity_pct": ("Humidity", _number),
    "pressure_hpa": ("Pressure", _number),
    "wind_speed_mps": ("WindSpeed", _number),
    "wind_direction_deg": ("WindDirection", _whole),
    "is_raining": ("Rainfall", _flag),
}
_RACE_CONTROL: dict[str, tuple[str, Column]] = {
    "sent_at": ("Time", _instant),
    "lap_number": ("Lap", _whole),
    "category": ("Category", _text),
    "flag": ("Flag", _text),
    "scope": ("Scope", _text),
    "sector": ("Sector", _whole),
    "car_number": ("RacingNumber", _text),
    "status": ("Status", _text),
    "message": ("Message", _text),
}
_TRACK_STATUS: dict[str, tuple[str, Column]] = {
    "session_s": ("Time", _seconds),
    "status": ("Status", _text),
    "message": ("Message", _text),
}
_SESSION_STATUS: dict[str, tuple[str, Column]] = {
    "session_s": ("Time", _seconds),
    "status": ("Status", _text),
}
