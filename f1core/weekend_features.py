"""The features of a race weekend: what its sessions showed, beside what history says, one row per driver of the field.

Sessions pass the same gate as every fact: only those known before the cut-off are opened. Whatever a later session holds, or
whether it is there at all, cannot change a bit of the result.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from f1core.features.registry import REGISTRY
from f1core.features.session.extract import code_version, session_features
from f1core.features.session.registry import SESSION_REGISTRY
from f1core.features.session.telemetry import SCHEMA, TELEMETRY_VALUES, telemetry_values
from f1core.features.session.view import RACE_LAPS, SessionData, WeekendView
from f1core.features.store import STAMP, FeatureSet
from f1core.predict import best_stage
from f1core.session_rows import SessionRows, read_session, session_known_at
from f1core.sources.bundle import Bundle
from f1core.workspace import Workspace
from warehouse.errors import SourceError
from warehouse.files import write_atomically
from warehouse.queries.events import event_head, session_starts
from warehouse.stages import cutoff as stage_end
from warehouse.vocab import SessionKind, Stage

KEYS = ("event_id", "season", "stage", "driver_id", "constructor_id")
QUALITY = (
    "session_feature_coverage",
    "count_imputed",
    "imputed_columns",
    "data_problems",
    "data_quality_flag",
    "history_quality_flag",
)
RACE_KM = 305.0
FLAGS = ("no_sessions", "no_laps", "partial", "suspect", "imputed", "ok")
"""Quality of a row, the worst first: no session is known; the driver has no lap in any; he has none in a kind of session in
which others drove; a sensor or reading of his car is in doubt; some values are not his own; nothing of the kind."""
NOTHING_DRIVEN = "no timed lap"
_CAR = re.compile(r"^car (\d+)\b", re.IGNORECASE)


@dataclass(frozen=True)
class WeekendFeatures:
    """Features of a weekend at a stage.

    Attributes:
        frame: One row per driver: keys (:data:`KEYS`), every session feature, every feature of the history, and how good
            they are (:data:`QUALITY`).
        event_id: The event.
        stage: The stage.
        as_of: Cut-off.
        sessions: Sessions used, with the version of what was read, in order of time.
        missing: Sessions held before the cut-off that are not used, with the reason.
        problems: What is odd about the sessions used, as (session, words).
        history: The features of the history that were joined.
    """

    frame: pl.DataFrame
    event_id: str
    stage: Stage
    as_of: dt.datetime
    sessions: Mapping[SessionKind, str]
    missing: Mapping[SessionKind, str]
    problems: tuple[tuple[SessionKind, str], ...]
    history: FeatureSet


def weekend_features(
    workspace: Workspace,
    event_id: str,
    bundles: Sequence[Bundle],
    *,
    stage: Stage | None = None,
    as_of: dt.datetime | None = None,
    reasons: Mapping[SessionKind, str] | None = None,
) -> WeekendFeatures:
    """Features of an event from its sessions and from history.

    Args:
        workspace: The installation.
        event_id: The event.
        bundles: Recorded sessions; those of other events, and those not known before the cut-off, are not opened.
        stage: What the rows may know; the furthest one whose facts are there when None.
        as_of: An earlier cut-off than the stage's own and than the clock; later ones are ignored.
        reasons: Why a session is not among the bundles, where the caller knows.

    Raises:
        NotReady: No field is known for the event at that time.
        UnknownEvent: No such event.
    """
    reader = workspace.reader
    stage, cut, is_early = weekend_cutoff(workspace, event_id, stage=stage, as_of=as_of)
    history = workspace.features.get(event_id, stage, as_of=cut if is_early else None)
    held = sessions_before(workspace, event_id, cut)
    newest = _newest(bundles, event_id)
    read: list[SessionRows] = []
    cars: dict[SessionKind, pl.DataFrame] = {}
    missing: dict[SessionKind, str] = {}
    for kind in held:
        if kind not in newest:
            missing[kind] = (reasons or {}).get(kind, "not loaded")
            continue
        try:
            rows = read_session(reader, newest[kind])
            cars[kind] = _telemetry(rows)
        except SourceError as error:
            # A damaged session is left out and told; the others still count.
            missing[kind] = error.message
            continue
        read.append(rows)
    entries = history.frame.select("driver_id", "constructor_id")
    view = WeekendView(
        tuple(entries["driver_id"].to_list()),
        dict(entries.iter_rows()),
        tuple(SessionData.of(rows, _by_driver(cars[rows.session])) for rows in read),
        held,
        _race_laps(workspace, event_id),
    )
    return WeekendFeatures(
        _frame(view, stage, history, _problems(view, read, cars, missing)),
        event_id,
        stage,
        cut,
        {rows.session: rows.bundle.version for rows in read},
        missing,
        tuple((rows.session, words) for rows in read for words in rows.problems),
        history,
    )


def weekend_cutoff(
    workspace: Workspace, event_id: str, *, stage: Stage | None = None, as_of: dt.datetime | None = None
) -> tuple[Stage, dt.datetime, bool]:
    """Stage, cut-off, and whether it lies before the stage's own end.

    Nothing is known after the workspace's clock, so that a rehearsed weekend cannot see its later sessions.

    Raises:
        NotReady: The calendar has no session times for the event.
        UnknownEvent: No such event.
    """
    now = workspace.clock.now()
    now = now if as_of is None else min(now, as_of)
    stage = stage or best_stage(workspace.reader, event_id, now)
    end = stage_end(event_id, session_starts(workspace.reader, event_id), stage)
    return stage, min(end, now), now < end


def sessions_before(workspace: Workspace, event_id: str, cut: dt.datetime) -> tuple[SessionKind, ...]:
    """Sessions of an event that were known before an instant, in order of time; the race is not among them."""
    known = session_known_at(workspace.reader, event_id)
    return tuple(
        kind
        for kind in sorted(known, key=lambda kind: (known[kind], kind))
        if known[kind] < cut and kind is not SessionKind.RACE
    )


def weekend_path(workspace: Workspace, event_id: str) -> Path:
    """File of a weekend's features."""
    return workspace.settings.features_root / event_id[:4] / f"{event_id}.weekend.parquet"


def write_weekend(workspace: Workspace, found: WeekendFeatures) -> Path:
    """Writes a weekend's features as one small parquet file, in one step; its metadata say what they stand on."""
    stamp = {
        "event_id": found.event_id,
        "stage": found.stage.value,
        "as_of": found.as_of.isoformat(),
        "code_version": code_version(),
        "history_version": found.history.data_version,
        "lineup_source": found.history.lineup_source,
        "sessions": {kind.value: version for kind, version in found.sessions.items()},
        "missing": {kind.value: words for kind, words in found.missing.items()},
    }
    rows = found.frame.to_arrow().replace_schema_metadata({STAMP: json.dumps(stamp).encode()})
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    path = weekend_path(workspace, found.event_id)
    write_atomically(path, buffer.getvalue(), durable=False)
    return path


def read_weekend(path: Path) -> tuple[pl.DataFrame, dict[str, object]]:
    """A weekend's features and the stamp of what they stand on.

    Raises:
        SourceError: There is no such file, or it is none of ours.
    """
    try:
        with pq.ParquetFile(path) as file:
            rows = file.read()
        return pl.DataFrame(pl.from_arrow(rows)), dict(json.loads((rows.schema.metadata or {})[STAMP]))
    except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
        raise SourceError(
            f"{path} holds no weekend features.", hint="Run `python -m jobs extract` for the event."
        ) from error


def _newest(bundles: Sequence[Bundle], event_id: str) -> dict[SessionKind, Bundle]:
    found: dict[SessionKind, Bundle] = {}
    for bundle in sorted(bundles, key=lambda one: (one.meta.loaded_at, one.version)):
        if bundle.meta.event_id == event_id:
            found[bundle.meta.session] = bundle
    return found


def _telemetry(rows: SessionRows) -> pl.DataFrame:
    """Values of the telemetry of qualifying, one row per known driver; features read no other session's."""
    if rows.session is not SessionKind.QUALIFYING or not rows.bundle.has("telemetry"):
        return pl.DataFrame(schema={"driver_id": pl.String(), **SCHEMA})
    found = telemetry_values(rows.bundle.part("telemetry"), rows.bundle.part("laps"))
    return rows.cars.select("car_number", "driver_id").drop_nulls().join(found, on="car_number", how="inner")


def _by_driver(cars: pl.DataFrame) -> dict[str, dict[str, float | None]]:
    values = cars.select("driver_id", *TELEMETRY_VALUES)
    return {str(row.pop("driver_id")): row for row in values.iter_rows(named=True)}


def _race_laps(workspace: Workspace, event_id: str) -> float:
    event = event_head(workspace.reader, event_id)
    if event["scheduled_laps"]:
        return float(event["scheduled_laps"])
    return RACE_KM / event["course_length_km"] if event["course_length_km"] else RACE_LAPS


def _frame(
    view: WeekendView, stage: Stage, history: FeatureSet, told: tuple[dict[str, list[str]], set[str]]
) -> pl.DataFrame:
    made = session_features(view, stage)
    expected = [one.name for one in SESSION_REGISTRY.values() if one.known_at_stage(stage)]
    counts = [
        sum(row[name] is not None for name in expected) - len(made.imputed[str(row["driver_id"])])
        for row in made.frame.iter_rows(named=True)
    ]
    problems, suspects = told
    past = history.frame.rename({"data_quality_flag": "history_quality_flag"})
    frame = past.select(KEYS).join(made.frame, on="driver_id", how="left", maintain_order="left")
    frame = frame.join(
        past.select("driver_id", *REGISTRY, "feature_coverage", "history_quality_flag"),
        on="driver_id",
        how="left",
        maintain_order="left",
    )
    quality = {
        "session_feature_coverage": pl.Series(
            [count / len(expected) if expected else None for count in counts], dtype=pl.Float64
        ),
        "count_imputed": pl.Series([len(made.imputed[d]) for d in view.drivers], dtype=pl.Int32),
        "imputed_columns": pl.Series([";".join(made.imputed[d]) for d in view.drivers], dtype=pl.String),
        "data_problems": pl.Series(["; ".join(problems[d]) or None for d in view.drivers], dtype=pl.String),
        "data_quality_flag": pl.Series(
            [_flag(view, d, made.imputed[d], d in suspects) for d in view.drivers], dtype=pl.String
        ),
    }
    columns = [name for name in frame.columns if name != "history_quality_flag"]
    return frame.select(
        *columns,
        *[values.alias(name) for name, values in quality.items()],
        "history_quality_flag",
    )


def _problems(
    view: WeekendView,
    read: Sequence[SessionRows],
    cars: Mapping[SessionKind, pl.DataFrame],
    missing: Mapping[SessionKind, str],
) -> tuple[dict[str, list[str]], set[str]]:
    """What is odd about each driver's row, in words; and the drivers whose car's readings are in doubt."""
    found: dict[str, list[str]] = {driver: [] for driver in view.drivers}
    suspects: set[str] = set()
    for kind, words in missing.items():
        for driver in view.drivers:
            found[driver].append(f"{kind.value}: {words.rstrip('.')}")
    for rows, one in zip(read, view.sessions, strict=True):
        numbers = dict(rows.cars.select("car_number", "driver_id").iter_rows())
        told: list[tuple[str | None, str]] = [
            (numbers.get(car[1]) if (car := _CAR.match(words)) else None, words) for words in rows.problems
        ]
        told += [
            (driver, f"telemetry: {words}")
            for driver, words in cars[one.session]
            .select("driver_id", "telemetry_problem")
            .drop_nulls()
            .iter_rows()
        ]
        for whom, words in told:
            if whom is not None and whom in found:
                found[whom].append(f"{one.session.value}: {words}")
                if not words.endswith(NOTHING_DRIVEN):
                    suspects.add(whom)
            elif _CAR.match(words) is None:
                for other in view.drivers:
                    found[other].append(f"{one.session.value}: {words}")
        for driver in view.drivers:
            if driver not in one.drivers and not one.laps.is_empty():
                found[driver].append(f"{one.session.value}: no lap")
    return found, suspects


def _flag(view: WeekendView, driver: str, imputed: Sequence[str], is_suspect: bool) -> str:
    driven = [one for one in view.sessions if not one.laps.is_empty()]
    if not driven:
        return "no_sessions"
    if not any(driver in one.drivers for one in driven):
        return "no_laps"
    before = [one for one in driven if one.session not in (SessionKind.QUALIFYING, SessionKind.SPRINT)]
    qualifying = [one for one in driven if one.session is SessionKind.QUALIFYING]
    for part in (before, qualifying):
        if part and not any(driver in one.drivers for one in part):
            return "partial"
    if is_suspect:
        return "suspect"
    return "imputed" if imputed else "ok"
