"""Open-Meteo's weather forecast for a circuit, keyless; every forecast is kept as it came, with its issue time.

The free service is for non-commercial use and asks for at most 10,000 calls a day; a race weekend needs about a hundred.
Values are for full hours in UTC. Temperature, wind, humidity and cloud are those at the hour; precipitation and its
probability are those of the hour before.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from f1core.sources import http
from f1core.sources.contract import require_columns
from f1core.sources.exchange import host_of
from f1core.sources.keeping import keep
from f1core.sources.limits import Quota
from warehouse.errors import NotPublished, SourceError, SourceSchemaError

FORECAST_URL = "https://api.open-meteo.com/v1/forecast"
SOURCE = "open-meteo"
HORIZON_DAYS = 16
ATTRIBUTION = (
    "Weather forecasts by Open-Meteo.com (https://open-meteo.com/), licensed under CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/)."
)
"""To be shown wherever a forecast is."""
WEATHER = "weather"
FORMAT = 1
_HOUR = dt.timedelta(hours=1)
_CLOCK = "%Y-%m-%dT%H:%M"
_STAMP = "%Y%m%dT%H%M%SZ"
_HINT = "Open-Meteo's answer has changed or is damaged; the forecasts that are stored stay. Nothing was stored of this one."


class Variable(NamedTuple):
    """One measured quantity: our column, its unit, and the range outside which a value is nonsense."""

    column: str
    unit: str
    minimum: float
    maximum: float


VARIABLES: dict[str, Variable] = {
    "temperature_2m": Variable("air_temperature_celsius", "°C", -60, 65),
    "precipitation": Variable("precipitation_mm", "mm", 0, 500),
    "precipitation_probability": Variable("precipitation_probability_pct", "%", 0, 100),
    "wind_speed_10m": Variable("wind_speed_mps", "m/s", 0, 120),
    "relative_humidity_2m": Variable("humidity_pct", "%", 0, 100),
    "cloud_cover": Variable("cloud_cover_pct", "%", 0, 100),
}
"""What is asked for, under Open-Meteo's names."""
COLUMNS = tuple(variable.column for variable in VARIABLES.values())


@dataclass(frozen=True)
class SessionTime:
    """A session and when it is driven (UTC)."""

    session: str
    starts_at: dt.datetime
    ends_at: dt.datetime

    @property
    def hours(self) -> list[dt.datetime]:
        """Full hours from the one in which it starts to the one by which it has ended."""
        first = self.starts_at.replace(minute=0, second=0, microsecond=0)
        return [first + _HOUR * n for n in range(int(-((first - self.ends_at) // _HOUR)) + 1)]


@dataclass(frozen=True)
class Subject:
    """What a forecast is for: an event's coming sessions and the place."""

    event_id: str
    season: int
    circuit_id: str
    latitude: float
    longitude: float
    sessions: tuple[SessionTime, ...]


@dataclass(frozen=True)
class Issue:
    """A forecast as it was issued.

    Attributes:
        subject: What it is for.
        issued_at: When it was fetched (UTC, full seconds, rounded up).
        answer: Open-Meteo's answer, as it came.
    """

    subject: Subject
    issued_at: dt.datetime
    answer: Mapping[str, Any]


# --- asking -----------------------------------------------------------------------------------------------------------


def horizon(now: dt.datetime) -> dt.datetime:
    """The last hour that can be forecast: 16 days are given, and today is the first of them."""
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + dt.timedelta(days=HORIZON_DAYS) - _HOUR


def fetch_issue(
    subject: Subject, *, quota: Quota, now: Callable[[], dt.datetime], url: str = FORECAST_URL
) -> Issue:
    """Fetches the present forecast of an event's sessions, as far as they lie within the horizon: one request.

    Args:
        subject: The sessions and the place.
        quota: The record of requests.
        now: The real clock; the forecast is issued when the answer is here.
        url: Where to ask.

    Raises:
        SourceUnavailable: Open-Meteo cannot be asked now.
        NotPublished: There is no forecast for these hours yet.
        SourceSchemaError: The answer has another form.
    """
    asked_at = now().astimezone(dt.UTC)
    last = horizon(asked_at)
    hours = [hour for session in subject.sessions for hour in session.hours if asked_at <= hour <= last]
    if not hours:
        raise NotPublished(
            f"No session of {subject.event_id} lies within the next {HORIZON_DAYS} days.",
            hint="A forecast is fetched when they come nearer.",
        )
    answer = http.get(
        url,
        quota=quota,
        params={
            "latitude": f"{subject.latitude:.4f}",
            "longitude": f"{subject.longitude:.4f}",
            "hourly": ",".join(VARIABLES),
            "timezone": "UTC",
            "wind_speed_unit": "ms",
            "start_hour": min(hours).strftime(_CLOCK),
            "end_hour": max(hours).strftime(_CLOCK),
        },
        expect_json=True,
    ).json()
    # Rounded up: a forecast must not look as if it was known before it was.
    issued_at = (now().astimezone(dt.UTC) + dt.timedelta(microseconds=999_999)).replace(microsecond=0)
    issue = Issue(subject, issued_at, answer)
    if rows_of(issue, host_of(url)).is_empty():
        raise NotPublished(
            f"Open-Meteo has no forecast for the sessions of {subject.event_id} yet.",
            hint="It is asked again later.",
        )
    return issue


# --- reading ----------------------------------------------------------------------------------------------------------


def parse(answer: Any, source: str = SOURCE) -> pl.DataFrame:
    """Reads an answer into one row per hour: ``valid_at`` [UTC] and :data:`COLUMNS`; missing values are null.

    Args:
        answer: The JSON answer.
        source: Where it came from, for messages.

    Raises:
        SourceSchemaError: A column is missing, has another unit or length, or a value that cannot be.
    """
    hourly, units = (
        answer.get(name) if isinstance(answer, dict) else None for name in ("hourly", "hourly_units")
    )
    if not isinstance(hourly, dict) or not isinstance(units, dict):
        raise SourceSchemaError(f"{source}: no hourly forecast is in the answer.", hint=_HINT)
    if answer.get("utc_offset_seconds") != 0:
        raise SourceSchemaError(
            f"{source}: the hours are {answer.get('utc_offset_seconds')!r} s away from UTC, 0 was asked for.",
            hint=_HINT,
        )
    require_columns(f"{source} hourly", list(hourly), {"time": "text", **dict.fromkeys(VARIABLES, "float")})
    hours = _hours(hourly["time"], source)
    columns: dict[str, list[float | None]] = {}
    for name, variable in VARIABLES.items():
        if units.get(name) != variable.unit:
            raise SourceSchemaError(
                f"{source}: '{name}' is in {units.get(name)!r}, {variable.unit!r} was asked for.", hint=_HINT
            )
        columns[variable.column] = _values(hourly[name], name, variable, len(hours), source)
    return pl.DataFrame(
        {"valid_at": hours, **columns},
        schema={"valid_at": pl.Datetime("us", "UTC"), **dict.fromkeys(COLUMNS, pl.Float64)},
    )


def _hours(values: Any, source: str) -> list[dt.datetime]:
    try:
        hours = [dt.datetime.strptime(value, _CLOCK).replace(tzinfo=dt.UTC) for value in values]
    except (TypeError, ValueError):
        raise SourceSchemaError(
            f"{source}: 'time' holds something else than hours (YYYY-MM-DDTHH:MM).", hint=_HINT
        ) from None
    if any(hour.minute for hour in hours) or any(b <= a for a, b in itertools.pairwise(hours)):
        raise SourceSchemaError(f"{source}: 'time' is not one full hour after the other.", hint=_HINT)
    return hours


def _values(values: Any, name: str, variable: Variable, count: int, source: str) -> list[float | None]:
    if not isinstance(values, list) or len(values) != count:
        raise SourceSchemaError(
            f"{source}: '{name}' has not one value for each of {count} hours.", hint=_HINT
        )
    for value in values:
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SourceSchemaError(f"{source}: '{name}' holds {value!r}, which is no number.", hint=_HINT)
        if not variable.minimum <= value <= variable.maximum:
            raise SourceSchemaError(
                f"{source}: '{name}' holds {value!r} {variable.unit}, which cannot be.", hint=_HINT
            )
    return [None if value is None else float(value) for value in values]


def rows_of(issue: Issue, source: str = SOURCE) -> pl.DataFrame:
    """An issue as rows of ``weather_forecasts``: the hours of its sessions from the issue on, where any value is known.

    Raises:
        SourceSchemaError: As :func:`parse`.
    """
    subject = issue.subject
    wanted = pl.DataFrame(
        [(s.session, hour) for s in subject.sessions for hour in s.hours if hour >= issue.issued_at],
        schema={"session": pl.String, "valid_at": pl.Datetime("us", "UTC")},
        orient="row",
    )
    issued_at = pl.lit(issue.issued_at).cast(pl.Datetime("us", "UTC"))
    return (
        wanted.join(parse(issue.answer, source), on="valid_at", how="inner")
        .filter(pl.any_horizontal(pl.col(COLUMNS).is_not_null()))
        .sort("valid_at", "session")
        .select(
            event_id=pl.lit(subject.event_id),
            season=pl.lit(subject.season, pl.Int32),
            session="session",
            circuit_id=pl.lit(subject.circuit_id),
            issued_at=issued_at,
            valid_at="valid_at",
            lead_time_h=(pl.col("valid_at") - issued_at).dt.total_seconds() / 3600,
            **{name: pl.col(name) for name in COLUMNS},
            source=pl.lit(SOURCE),
            known_at=issued_at,
        )
    )


# --- keeping ----------------------------------------------------------------------------------------------------------


def issue_path(root: Path, event_id: str, issued_at: dt.datetime) -> Path:
    """Where an issue lies under an archive or ``data/fetched``."""
    return root / WEATHER / event_id / f"{issued_at.astimezone(dt.UTC):{_STAMP}}.json"


def has_issue(root: Path, event_id: str, now: dt.datetime) -> bool:
    """Whether a forecast of an event was already stored in this hour."""
    return any((root / WEATHER / event_id).glob(f"{now.astimezone(dt.UTC):%Y%m%dT%H}*.json"))


def write_issue(root: Path, issue: Issue) -> Path:
    """Keeps an issue, whole.

    Raises:
        WarehouseError: The disk refuses.
    """
    subject = issue.subject
    content = {
        "format": FORMAT,
        "source": SOURCE,
        "event_id": subject.event_id,
        "season": subject.season,
        "circuit_id": subject.circuit_id,
        "latitude": subject.latitude,
        "longitude": subject.longitude,
        "issued_at": issue.issued_at.isoformat(),
        "sessions": [[s.session, s.starts_at.isoformat(), s.ends_at.isoformat()] for s in subject.sessions],
        "answer": issue.answer,
    }
    path = issue_path(root, subject.event_id, issue.issued_at)
    keep(path, json.dumps(content, ensure_ascii=False, sort_keys=True).encode())
    return path


def list_issues(roots: Sequence[Path]) -> dict[tuple[str, dt.datetime], Path]:
    """Files of kept issues by event and issue time; the first folder that has one gives it."""
    found: dict[tuple[str, dt.datetime], Path] = {}
    for root in roots:
        for path in sorted((root / WEATHER).glob("*/*.json")):
            try:
                issued_at = dt.datetime.strptime(path.stem, _STAMP).replace(tzinfo=dt.UTC)
            except ValueError:
                continue
            found.setdefault((path.parent.name, issued_at), path)
    return found


def read_issue(path: Path) -> Issue:
    """Reads a kept issue.

    Raises:
        SourceError: The file is damaged or of another format.
    """
    try:
        data = json.loads(path.read_bytes())
        if data["format"] != FORMAT:
            raise SourceError(f"{path} has format {data['format']}; this version reads {FORMAT}.")
        subject = Subject(
            data["event_id"],
            data["season"],
            data["circuit_id"],
            data["latitude"],
            data["longitude"],
            tuple(
                SessionTime(name, dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end))
                for name, start, end in data["sessions"]
            ),
        )
        return Issue(subject, dt.datetime.fromisoformat(data["issued_at"]), data["answer"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path} is damaged ({error}).", hint="Remove it; other forecasts stay.") from error
