"""Weather forecasts, each kept with the instant it was issued."""

from __future__ import annotations

from warehouse.tables.contract import EVENT_ID, SEASON, Column, Table, required
from warehouse.vocab import SessionKind

WEATHER_FORECASTS = Table(
    "weather_forecasts",
    "one row per event, session, issue of the forecast and hour: the weather expected at the circuit",
    ("event_id", "session", "issued_at", "valid_at"),
    (
        EVENT_ID,
        SEASON,
        required("session", "text", "The session the hour belongs to.", allowed=tuple(SessionKind)),
        required("circuit_id", "text", "The circuit whose coordinates were asked for."),
        required("issued_at", "timestamp", "When the forecast was fetched.", unit="UTC"),
        required("valid_at", "timestamp", "The full hour it is for.", unit="UTC"),
        required("lead_time_h", "float", "From the issue to the hour.", unit="h", minimum=0, maximum=16 * 24),
        Column(
            "air_temperature_celsius",
            "float",
            "Air temperature 2 m above ground, at the hour.",
            unit="°C",
            minimum=-60,
            maximum=65,
        ),
        Column(
            "precipitation_mm",
            "float",
            "Rain, showers and snow of the hour that ends at `valid_at`.",
            unit="mm",
            minimum=0,
            maximum=500,
        ),
        Column(
            "precipitation_probability_pct",
            "float",
            "Probability of more than 0.1 mm in the hour that ends at `valid_at`.",
            unit="%",
            minimum=0,
            maximum=100,
        ),
        Column(
            "wind_speed_mps",
            "float",
            "Wind speed 10 m above ground, at the hour.",
            unit="m/s",
            minimum=0,
            maximum=120,
        ),
        Column("humidity_pct", "float", "Relative humidity, at the hour.", unit="%", minimum=0, maximum=100),
        Column(
            "cloud_cover_pct",
            "float",
            "Share of sky in cloud, at the hour.",
            unit="%",
            minimum=0,
            maximum=100,
        ),
        required("source", "text", "Who forecasts.", allowed=("open-meteo",)),
        required("known_at", "timestamp", "When it could be known: when it was issued.", unit="UTC"),
    ),
    source="Open-Meteo forecasts, fetched by jobs (CC BY 4.0)",
    group="Weather",
    partitioned=True,
    checks={
        "known_at = issued_at": "a forecast is known when it is issued",
        "valid_at = date_trunc('hour', valid_at)": "a forecast is for a full hour",
    },
    parents={"event_id": "events.event_id", "circuit_id": "circuits.circuit_id"},
)

WEATHER_TABLES: tuple[Table, ...] = (WEATHER_FORECASTS,)
