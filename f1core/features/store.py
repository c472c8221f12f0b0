"""Extracted features on disk: one small parquet per event and stage, stale as soon as its facts or its code changed.

A sprint has files of its own; qualifying is forecast from those of the race.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from f1core.features.extract import extract, registry_version, stage_cutoff
from f1core.features.facts import FeatureFacts
from f1core.targets import rules_of
from warehouse.errors import NotReady
from warehouse.files import write_atomically
from warehouse.queries.history import GATED_TABLES
from warehouse.snapshot import Snapshot
from warehouse.vocab import Stage, Target

STAMP = b"parcferme"


@dataclass(frozen=True)
class FeatureSet:
    """Features of one event and stage, with what they stand on.

    Attributes:
        frame: One row per driver.
        event_id: The event.
        stage: The stage.
        as_of: Cut-off.
        lineup_source: Where the field was read from.
        data_version: Fingerprint of facts and feature code.
        data_through: When the newest fact used became known.
    """

    frame: pl.DataFrame
    event_id: str
    stage: Stage
    as_of: dt.datetime
    lineup_source: str
    data_version: str
    data_through: dt.datetime


def data_version(snapshot: Snapshot, season: int) -> str:
    """Fingerprint of all facts up to a season and of the code that makes features of them.

    Facts of later seasons cannot matter to an event, so a result of this week leaves the features of past seasons valid.
    """
    digests: Mapping[str, Mapping[str, str]] = snapshot.notes.get("digests", {})
    kept = [
        (name, year, digest)
        for name in (*GATED_TABLES, "events", "sessions")
        for year, digest in sorted(digests.get(name, {}).items())
        if int(year) <= season
    ]
    return hashlib.sha256(json.dumps([registry_version(), kept]).encode()).hexdigest()[:12]


class FeatureStore:
    """Keeps features of events and stages under a folder.

    Args:
        root: The folder (``data/features``).
        snapshot: The published facts.
        load_facts: Gives the facts; called only when something must be extracted.
    """

    def __init__(self, root: Path, snapshot: Snapshot, load_facts: Callable[[], FeatureFacts]) -> None:
        self.root = root
        self.snapshot = snapshot
        self._load_facts = load_facts
        self._facts: FeatureFacts | None = None
        self._versions: dict[int, str] = {}

    @property
    def facts(self) -> FeatureFacts:
        """The facts, loaded when first needed."""
        if self._facts is None:
            self._facts = self._load_facts()
        return self._facts

    def version(self, season: int) -> str:
        """Data version that features of this season must have."""
        if season not in self._versions:
            self._versions[season] = data_version(self.snapshot, season)
        return self._versions[season]

    def path(self, event_id: str, stage: Stage, target: Target = Target.RACE) -> Path:
        """File of an event, stage and target."""
        stored = rules_of(target).features_of
        name = event_id if stored is Target.RACE else f"{event_id}.{stored.value}"
        return self.root / event_id[:4] / f"{name}.{stage.value}.parquet"

    def get(
        self,
        event_id: str,
        stage: Stage,
        *,
        target: Target = Target.RACE,
        as_of: dt.datetime | None = None,
    ) -> FeatureSet:
        """Features of an event and stage: from disk when they are current, else extracted and kept.

        Args:
            event_id: The event.
            stage: The stage.
            target: What is forecast.
            as_of: A rehearsed clock before the stage's own cut-off; such features are never kept.

        Raises:
            NotReady: The stage has not been reached, no field is known, or the event has no such session.
            UnknownEvent: No such event.
        """
        if as_of is None:
            stored = self._read(event_id, stage, target)
            if stored is not None:
                return stored
        facts = self.facts
        seen = rules_of(target).features_of
        frame, lineup = extract(facts, event_id, stage, target=seen, as_of=as_of)
        end = stage_cutoff(facts, event_id, stage, seen)
        cut = end if as_of is None else min(end, as_of)
        through = facts.facts.history(cut).data_through
        if through is None:
            raise NotReady(f"Nothing was known before {event_id}.")
        found = FeatureSet(
            frame,
            event_id,
            stage,
            cut,
            lineup.source,
            self.version(int(event_id[:4])),
            through.astimezone(dt.UTC),
        )
        if as_of is None or as_of >= end:
            self._write(found, target)
        return found

    def is_current(self, event_id: str, stage: Stage, target: Target = Target.RACE) -> bool:
        """Whether stored features are there and made from the present facts and code; reads the file's header only."""
        stamp = self._stamp(self.path(event_id, stage, target))
        return stamp is not None and stamp["data_version"] == self.version(int(event_id[:4]))

    def _stamp(self, path: Path) -> dict[str, str] | None:
        try:
            metadata = pq.read_schema(path).metadata or {}
            return dict(json.loads(metadata[STAMP]))
        except (OSError, pa.ArrowInvalid, KeyError, ValueError):
            return None

    def get_all(
        self,
        event_ids: Iterable[str],
        stage: Stage,
        progress: Callable[[int], None] = lambda _: None,
        *,
        target: Target = Target.RACE,
    ) -> list[FeatureSet]:
        """Features of many events of one stage; events for which nothing was known are left out."""
        found = []
        for event_id in event_ids:
            try:
                found.append(self.get(event_id, stage, target=target))
            except NotReady:
                continue
            finally:
                progress(1)
        return found

    def _read(self, event_id: str, stage: Stage, target: Target) -> FeatureSet | None:
        path = self.path(event_id, stage, target)
        try:
            # Not read_table: it loads pandas, which a prediction has no other use for (50 MB).
            with pq.ParquetFile(path) as file:
                rows = file.read()
            stamp = json.loads((rows.schema.metadata or {})[STAMP])
        except (OSError, pa.ArrowInvalid, KeyError, ValueError):
            # Missing, half-written by another version or foreign: extracted again.
            return None
        if stamp.get("data_version") != self.version(int(event_id[:4])):
            return None
        return FeatureSet(
            pl.DataFrame(pl.from_arrow(rows)),
            event_id,
            stage,
            dt.datetime.fromisoformat(stamp["as_of"]),
            stamp["lineup_source"],
            stamp["data_version"],
            dt.datetime.fromisoformat(stamp["data_through"]),
        )

    def _write(self, found: FeatureSet, target: Target) -> None:
        stamp = {
            "data_version": found.data_version,
            "as_of": found.as_of.isoformat(),
            "lineup_source": found.lineup_source,
            "data_through": found.data_through.isoformat(),
        }
        rows = found.frame.to_arrow().replace_schema_metadata({STAMP: json.dumps(stamp).encode()})
        buffer = io.BytesIO()
        pq.write_table(rows, buffer, compression="zstd")
        path = self.path(found.event_id, found.stage, target)
        write_atomically(path, buffer.getvalue(), durable=False)
