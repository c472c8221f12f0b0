"""A session as it was recorded: a folder of small parquet files and ``meta.json``, in the timing feed's own words.

``sessions/<event_id>/<session>/`` under an archive or under ``data/fetched``. Units are fixed here (seconds, km/h, metres);
names of drivers and teams are still the feed's. A bundle is written whole: a folder without ``meta.json`` does not exist.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from f1core.sources.contract import fingerprint
from warehouse.errors import SourceError, SourceSchemaError
from warehouse.vocab import SessionKind

FORMAT = "parcferme/session/1"
SESSIONS = "sessions"
META = "meta.json"

_TEXT, _INT, _FLOAT, _BOOL = pl.String(), pl.Int32(), pl.Float64(), pl.Boolean()
_UTC = pl.Datetime("us", "UTC")

PARTS: dict[str, dict[str, pl.DataType]] = {
    # One row per car. `position` of practice is missing; `classified_position` is the feed's text (1, 2, R, D, W …).
    "results": {
        "car_number": _TEXT,
        "driver_code": _TEXT,
        "source_driver_id": _TEXT,
        "first_name": _TEXT,
        "last_name": _TEXT,
        "full_name": _TEXT,
        "team_name": _TEXT,
        "source_team_id": _TEXT,
        "position": _INT,
        "classified_position": _TEXT,
        "grid_position": _INT,
        "q1_s": _FLOAT,
        "q2_s": _FLOAT,
        "q3_s": _FLOAT,
        "time_s": _FLOAT,
        "status": _TEXT,
        "points": _FLOAT,
        "laps": _INT,
    },
    # One row per car and lap, as `Session.laps`; session times count from the start of the feed.
    "laps": {
        "car_number": _TEXT,
        "driver_code": _TEXT,
        "team_name": _TEXT,
        "lap_number": _INT,
        "stint": _INT,
        "compound": _TEXT,
        "tyre_life_laps": _INT,
        "is_fresh_tyre": _BOOL,
        "lap_time_s": _FLOAT,
        "lap_start_session_s": _FLOAT,
        "lap_end_session_s": _FLOAT,
        "pit_out_session_s": _FLOAT,
        "pit_in_session_s": _FLOAT,
        "sector_1_s": _FLOAT,
        "sector_2_s": _FLOAT,
        "sector_3_s": _FLOAT,
        "sector_1_session_s": _FLOAT,
        "sector_2_session_s": _FLOAT,
        "sector_3_session_s": _FLOAT,
        "speed_i1_kph": _FLOAT,
        "speed_i2_kph": _FLOAT,
        "speed_finish_kph": _FLOAT,
        "speed_trap_kph": _FLOAT,
        "is_personal_best": _BOOL,
        "track_status_codes": _TEXT,
        "position": _INT,
        "is_deleted": _BOOL,
        "deleted_reason": _TEXT,
        "is_accurate": _BOOL,
        "is_generated": _BOOL,
    },
    # One row per measurement, about one a minute.
    "weather": {
        "session_s": _FLOAT,
        "air_temperature_celsius": _FLOAT,
        "track_temperature_celsius": _FLOAT,
        "humidity_pct": _FLOAT,
        "pressure_hpa": _FLOAT,
        "wind_speed_mps": _FLOAT,
        "wind_direction_deg": _INT,
        "is_raining": _BOOL,
    },
    # One row per message.
    "race_control": {
        "sent_at": _UTC,
        "lap_number": _INT,
        "category": _TEXT,
        "flag": _TEXT,
        "scope": _TEXT,
        "sector": _INT,
        "car_number": _TEXT,
        "status": _TEXT,
        "message": _TEXT,
    },
    # One row per change of the track's status (codes: 1 clear, 2 yellow, 4 safety car, 5 red, 6/7 virtual safety car).
    "track_status": {"session_s": _FLOAT, "status": _TEXT, "message": _TEXT},
    # One row per change of the session's status (Started, Aborted, Finished, Finalised, Ends …).
    "session_status": {"session_s": _FLOAT, "status": _TEXT},
    # One row per car channel sample of a chosen lap (each driver's best lap of the session and of Q1, Q2, Q3).
    # Channels are missing (null), never zero, where the feed has no measurement.
    "telemetry": {
        "car_number": _TEXT,
        "driver_code": _TEXT,
        "lap_number": _INT,
        "session_s": _FLOAT,
        "lap_s": _FLOAT,
        "distance_m": _FLOAT,
        "speed_kph": _FLOAT,
        "rpm": _FLOAT,
        "gear": _INT,
        "throttle_pct": _FLOAT,
        "is_braking": _BOOL,
        "drs": _INT,
        "x_m": _FLOAT,
        "y_m": _FLOAT,
    },
}
"""The parts of a bundle with their columns; a part the source did not have is absent, not empty."""


@dataclass(frozen=True)
class BundleMeta:
    """What a bundle is and where it came from.

    Attributes:
        event_id: The event.
        session: Its session.
        event_name: The event's name in the source.
        source: ``fastf1``.
        source_version: Version of the library that read it.
        origin: ``recorded`` (from an archive's frozen cache) or ``network``.
        loaded_at: When it was read (UTC, real clock).
        starts_at: Scheduled start (UTC), as far as the source knows.
        problems: What is missing or odd, in words; shown, never swallowed.
        counts: Rows of each part.
        hashes: SHA-256 of each part's file.
    """

    event_id: str
    session: SessionKind
    event_name: str
    source: str
    source_version: str
    origin: str
    loaded_at: dt.datetime
    starts_at: dt.datetime | None = None
    problems: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bundle:
    """A recorded session on disk; parts are read when asked for."""

    folder: Path
    meta: BundleMeta

    def has(self, part: str) -> bool:
        """Whether the source had this part, with at least one row."""
        return self.meta.counts.get(part, 0) > 0

    def part(self, name: str) -> pl.DataFrame:
        """Rows of a part; empty (with its columns) where the source had none.

        Raises:
            SourceError: The file is missing or damaged.
        """
        if name not in self.meta.counts:
            return pl.DataFrame(schema=PARTS[name])
        path = self.folder / f"{name}.parquet"
        try:
            body = path.read_bytes()
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}.", hint=FETCH_AGAIN) from error
        if hashlib.sha256(body).hexdigest() != self.meta.hashes.get(name):
            raise SourceError(f"{path} is damaged.", hint=FETCH_AGAIN)
        return pl.read_parquet(io.BytesIO(body))

    @cached_property
    def version(self) -> str:
        """Fingerprint of the bundle's content, whenever it was loaded."""
        text = json.dumps(
            [FORMAT, self.meta.event_id, self.meta.session.value, sorted(self.meta.hashes.items())]
        )
        return hashlib.sha256(text.encode()).hexdigest()[:12]


FETCH_AGAIN = "Delete its folder; the next job reads the session again."


def bundle_folder(root: Path, event_id: str, session: SessionKind) -> Path:
    """Where a session's bundle lies under an archive or ``data/fetched``."""
    return root / SESSIONS / event_id / session.value


def write_bundle(root: Path, meta: BundleMeta, parts: Mapping[str, pl.DataFrame]) -> Bundle:
    """Writes a bundle whole, in place of an older one.

    Args:
        root: Archive folder or ``data/fetched``.
        meta: Without counts and hashes, which are filled in here.
        parts: Rows by part; columns and types as in :data:`PARTS`.

    Raises:
        SourceSchemaError: A part lacks a column or has another type.
    """
    target = bundle_folder(root, meta.event_id, meta.session)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        counts, hashes = {}, {}
        for name, rows in parts.items():
            wanted = PARTS[name]
            if dict(rows.schema) != wanted:
                raise SourceSchemaError(
                    f"{meta.event_id} {meta.session}: part '{name}' has columns {dict(rows.schema)}, not {wanted}."
                )
            path = draft / f"{name}.parquet"
            rows.write_parquet(path, compression="zstd")
            counts[name], hashes[name] = rows.height, fingerprint(path)
        content = {
            "format": FORMAT,
            "event_id": meta.event_id,
            "session": meta.session.value,
            "event_name": meta.event_name,
            "source": meta.source,
            "source_version": meta.source_version,
            "origin": meta.origin,
            "loaded_at": meta.loaded_at.astimezone(dt.UTC).isoformat(),
            "starts_at": meta.starts_at.astimezone(dt.UTC).isoformat() if meta.starts_at else None,
            "problems": list(meta.problems),
            "counts": counts,
            "hashes": hashes,
        }
        (draft / META).write_text(json.dumps(content, indent=1, sort_keys=True))
        os.chmod(draft, 0o755)
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
        if target.exists():
            target.rename(old / target.name)
        draft.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return read_bundle(target)


def read_bundle(folder: Path) -> Bundle:
    """Opens a bundle.

    Raises:
        SourceError: There is none, or its ``meta.json`` is damaged or of another format.
    """
    path = folder / META
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        if data["format"] != FORMAT:
            raise SourceError(
                f"{path} has format {data['format']}; this version reads {FORMAT}.", hint=FETCH_AGAIN
            )
        meta = BundleMeta(
            event_id=data["event_id"],
            session=SessionKind(data["session"]),
            event_name=data["event_name"],
            source=data["source"],
            source_version=data["source_version"],
            origin=data["origin"],
            loaded_at=dt.datetime.fromisoformat(data["loaded_at"]),
            starts_at=dt.datetime.fromisoformat(data["starts_at"]) if data["starts_at"] else None,
            problems=tuple(data["problems"]),
            counts=data["counts"],
            hashes=data["hashes"],
        )
    except FileNotFoundError:
        raise SourceError(f"There is no session in {folder}.", hint=FETCH_AGAIN) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path} is damaged ({error}).", hint=FETCH_AGAIN) from error
    return Bundle(folder, meta)


def list_bundles(root: Path) -> list[Bundle]:
    """All readable bundles under an archive or ``data/fetched``, by event and session; damaged ones are left out."""
    found = []
    for path in sorted((root / SESSIONS).glob(f"*/*/{META}")):
        if path.parent.name.startswith("."):
            continue
        try:
            found.append(read_bundle(path.parent))
        except SourceError:
            continue
    return found
