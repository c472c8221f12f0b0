"""Answers of the Open-Meteo forecast service, made up.

No recorded answer of the service is at hand. The form is written from its documentation (open-meteo.com/en/docs: JSON
return object, hourly parameter definition, errors); the numbers are invented.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from tests.local_server import Reply, Request

UNITS = {
    "time": "iso8601",
    "temperature_2m": "°C",
    "precipitation": "mm",
    "precipitation_probability": "%",
    "wind_speed_10m": "m/s",
    "relative_humidity_2m": "%",
    "cloud_cover": "%",
}


def value(name: str, hour: dt.datetime) -> float | int:
    """The invented forecast of an hour: anyone can work it out again."""
    return {
        "temperature_2m": 15.0 + hour.hour / 2,
        "precipitation": 0.4 if hour.hour == 14 else 0.0,
        "precipitation_probability": 5 * hour.hour % 100,
        "wind_speed_10m": 2.5 + hour.day / 10,
        "relative_humidity_2m": 80 - hour.hour,
        "cloud_cover": 4 * hour.hour,
    }[name]


def answer(query: dict[str, str]) -> dict[str, Any]:
    """What the service answers to a query for hours of some variables."""
    first, last = (
        dt.datetime.strptime(query[name], "%Y-%m-%dT%H:%M").replace(tzinfo=dt.UTC)
        for name in ("start_hour", "end_hour")
    )
    hours = [first + dt.timedelta(hours=n) for n in range(int((last - first).total_seconds() // 3600) + 1)]
    names = query["hourly"].split(",")
    units = dict(UNITS)
    if query.get("wind_speed_unit") != "ms":
        units["wind_speed_10m"] = "km/h"
    return {
        "latitude": round(float(query["latitude"]) * 16) / 16,
        "longitude": round(float(query["longitude"]) * 16) / 16,
        "generationtime_ms": 0.21,
        "utc_offset_seconds": 0,
        "timezone": query["timezone"],
        "timezone_abbreviation": query["timezone"],
        "elevation": 38.0,
        "hourly_units": {name: units[name] for name in ["time", *names]},
        "hourly": {
            "time": [hour.strftime("%Y-%m-%dT%H:%M") for hour in hours],
            **{name: [value(name, hour) for hour in hours] for name in names},
        },
    }


def serve(request: Request) -> Reply:
    """The service as a route of the local server."""
    return Reply(json.dumps(answer(request.query)).encode(), headers={"Content-Type": "application/json"})
