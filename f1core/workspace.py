"""Everything a use case works with, opened when first needed: warehouse, features, models, clock."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path

import polars as pl

from f1core.clock import Clock
from f1core.features.facts import FeatureFacts
from f1core.features.store import FeatureStore
from f1core.rehearsal.marker import is_rehearsal
from f1core.settings import Settings
from f1core.targets import rules_of
from models.registry import ModelRegistry
from warehouse.errors import WarehouseError
from warehouse.lock import writer_lock
from warehouse.queries.history import GATED_TABLES, load_facts
from warehouse.reader import Reader
from warehouse.store import Store
from warehouse.vocab import Target


def reader_as_of(root: Path, known_by: dt.datetime) -> Reader:
    """The warehouse without the results that became known after an instant; see :data:`warehouse.reader.RESULTS`."""
    return Reader(root, known_by)


class Workspace:
    """The product's data folder, opened for one command.

    Args:
        settings: Where the data lies.
        clock: What time it is taken to be.
        rehearsal: Whether this is a rehearsal in a data folder of its own.

    Raises:
        WarehouseError: A rehearsal was asked for in a folder that is not marked as one, or by the machine's real clock.
    """

    def __init__(self, settings: Settings, clock: Clock, *, rehearsal: bool = False) -> None:
        if rehearsal and not is_rehearsal(settings.data):
            raise WarehouseError(
                f"{settings.data} is no rehearsal's data folder: a simulated clock writes nothing there.",
                hint="Run `python -m jobs rehearse`, which makes a folder of its own.",
            )
        if rehearsal and not clock.is_simulated:
            raise WarehouseError("A rehearsal runs on a simulated clock, never on the machine's real one.")
        self.settings = settings
        self.clock = clock
        self.rehearsal = rehearsal
        self._kept_facts: dict[str, FeatureFacts] = {}
        self._labels: dict[Target, pl.DataFrame] = {}

    @property
    def is_live(self) -> bool:
        """Whether forecasts may be stored, sealed and settled here.

        By the machine's real clock in a real data folder, or by a simulated one in a rehearsal's own. A rehearsal's
        folder that is opened like a real one can be read only.
        """
        if self.rehearsal:
            return True
        return not self.clock.is_simulated and not is_rehearsal(self.settings.data)

    def again(self) -> Workspace:
        """The same installation opened afresh: features and labels of what is published by now.

        The reader is shared: it notices by itself what was published. Facts that have not changed are not read again.
        """
        other = Workspace(self.settings, self.clock, rehearsal=self.rehearsal)
        other.__dict__["reader"] = self.reader
        other._kept_facts = self._kept_facts
        return other

    @cached_property
    def reader(self) -> Reader:
        """The warehouse, read."""
        return Reader(self.settings.warehouse_root)

    @cached_property
    def features(self) -> FeatureStore:
        """Features of the facts that are published now."""
        return FeatureStore(self.settings.features_root, self.reader.snapshot, self._facts)

    def _facts(self) -> FeatureFacts:
        """The facts of the published snapshot, read once for all workspaces that were opened from one another."""
        snapshot = self.reader.snapshot
        tables = (*GATED_TABLES, "events", "sessions", "circuits")
        version = json.dumps(
            [[snapshot.versions.get(name) for name in tables], snapshot.notes.get("digests")], sort_keys=True
        )
        if version not in self._kept_facts:
            self._kept_facts.clear()
            self._kept_facts[version] = FeatureFacts(load_facts(self.reader))
        return self._kept_facts[version]

    @cached_property
    def registry(self) -> ModelRegistry:
        """Trained models."""
        return ModelRegistry(self.settings.models_root)

    @cached_property
    def labels(self) -> pl.DataFrame:
        """Labels of all races that models learn from."""
        return rules_of(Target.RACE).labels(self.reader)

    def labels_of(self, target: Target) -> pl.DataFrame:
        """Labels of all sessions of a target that models learn from; those of the race are ``labels``."""
        if target is Target.RACE:
            return self.labels
        if target not in self._labels:
            self._labels[target] = rules_of(target).labels(self.reader)
        return self._labels[target]

    @contextmanager
    def writing(self, holder: str) -> Iterator[Store]:
        """The warehouse, written: holds the writer lock; the caller publishes.

        Raises:
            LockHeld: Another process is writing.
        """
        with writer_lock(self.settings.locks_root, holder=holder):
            yield Store(self.settings.warehouse_root)


@lru_cache(maxsize=1)
def worker_workspace(settings: Settings, snapshot_id: str) -> Workspace:
    """The workspace of a worker process, kept between its tasks for as long as the snapshot is the same."""
    return Workspace(settings, Clock.system())
