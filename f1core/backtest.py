"""Walk-forward backtest: every race forecast by models that were fitted on earlier races only.

Finished races are kept on disk as they are done, so a run that was stopped goes on where it was; the backtest tables are
replaced as a whole at the end. Backtests never mix with sealed or provisional forecasts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from f1core.parallel import run_tasks
from f1core.predict import BASELINE_VERSION, assemble, fit_race_times
from f1core.settings import Settings
from f1core.training import (
    PRODUCTION_MODEL,
    SEED,
    STAGE_BASELINES,
    TrainingData,
    fit_model,
    models_version,
    training_data,
)
from f1core.workspace import Workspace, worker_workspace
from models.metrics import score_events
from models.protocol import RaceModel
from warehouse.errors import NotReady
from warehouse.files import write_atomically
from warehouse.store import Store
from warehouse.tables import TABLES
from warehouse.vocab import Stage, Target

STAGES = (Stage.PRE_QUALIFYING, Stage.PRE_RACE)
REFIT_EVERY = 5
"""Trees are fitted again every so many races; baselines before every race."""
BUILD_RACES = 24
PARTS = {
    "heads": "backtest_predictions",
    "entries": "backtest_prediction_entries",
    "scores": "backtest_scores",
}


@dataclass(frozen=True)
class BacktestReport:
    """What a run did.

    Attributes:
        count_done: Races and stages forecast in this run.
        count_kept: Races and stages that were there already.
        scores: Rows of ``backtest_scores`` that are in the tables now.
    """

    count_done: int
    count_kept: int
    scores: pl.DataFrame


class Backtest:
    """Runs and keeps the walk-forward backtest.

    Args:
        workspace: The installation.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.labels = workspace.labels
        self.root = workspace.settings.cache_root / "backtest"
        self.events = (
            self.labels.sort("known_at", maintain_order=True)["event_id"]
            .unique(maintain_order=True)
            .to_list()
        )
        self._code = models_version()

    def chosen(self, *, from_season: int | None = None, last: int | None = None) -> list[str]:
        """Events to forecast: all from a season on, or the last so many.

        Raises:
            NotReady: No race was held since that season.
        """
        if from_season is not None:
            found = [event for event in self.events if int(event[:4]) >= from_season]
            if not found:
                raise NotReady(
                    f"No race has been held since {from_season}.", hint="Choose an earlier season."
                )
            return found
        return self.events[-(last or BUILD_RACES) :]

    def run(
        self,
        events: Sequence[str],
        *,
        stages: Sequence[Stage] = STAGES,
        progress: Callable[[str, int], None] = lambda _words, _done: None,
    ) -> BacktestReport:
        """Forecasts what is not there yet; call :meth:`publish` to put all of it into the tables.

        Args:
            events: Events, any order.
            stages: Stages.
            progress: Told what was finished, and how many races and stages since the last call.
        """
        chosen = set(events)
        tasks = []
        kept = 0
        for stage in stages:
            todo = [event for event in self.events if event in chosen and not self._is_done(event, stage)]
            kept += len(chosen) - len(todo)
            progress(f"{stage.label.lower()}: {len(chosen) - len(todo)} races kept", len(chosen) - len(todo))
            for block in sorted({self._block(event) for event in todo}):
                if block == 0:
                    # Nothing was held before the first races of all; later blocks learn from these.
                    continue
                mine = tuple(event for event in todo if self._block(event) == block)
                tasks.append(
                    (
                        self.workspace.settings,
                        self.workspace.reader.snapshot.id,
                        stage,
                        mine,
                        self.workspace.clock.now(),
                    )
                )
        done = 0
        for stage, finished in run_tasks(_run_block, tasks, self.workspace.settings.workers):
            done += len(finished)
            progress(f"{stage.label.lower()}: {finished[-1]}", len(finished))
        return BacktestReport(done, kept, self.collect("scores"))

    def run_block(self, stage: Stage, events: Sequence[str], now: dt.datetime) -> list[str]:
        """Forecasts races of one block: the trees are fitted once, on what was known before the block's first race.

        Args:
            stage: The stage.
            events: Events of one block, in order of time.
            now: The real clock, stored as time of computation.

        Returns:
            The events that were forecast.
        """
        data = training_data(self.workspace, stage)
        first = self.events[self._block(events[0]) * REFIT_EVERY]
        past = data.before(self.workspace.features.get(first, stage).as_of)
        model = fit_model(PRODUCTION_MODEL, past, stage)
        version = f"{PRODUCTION_MODEL}-{self._code}-before-{first}"
        for event in events:
            self._forecast(event, stage, data, model, version, now)
        return list(events)

    def publish(self, target: Store) -> dict[str, int]:
        """Replaces the backtest tables by all finished races of the present version.

        Args:
            target: The warehouse's store, under the writer lock; the caller publishes the snapshot.

        Returns:
            Rows per table.
        """
        rows = {}
        for part, table in PARTS.items():
            frame = self.collect(part)
            target.replace(table, frame.to_arrow().cast(TABLES[table].schema))
            rows[table] = frame.height
        return rows

    def collect(self, part: str, stages: Sequence[Stage] = STAGES) -> pl.DataFrame:
        """All finished rows of the present version: ``heads``, ``entries`` or ``scores``."""
        table = TABLES[PARTS[part]]
        empty = pl.DataFrame(pl.from_arrow(table.schema.empty_table()))
        frames = [
            pl.read_parquet(path)
            for event in self.events
            for stage in stages
            if (path := self._path(event, stage, part)).exists() and self._is_done(event, stage)
        ]
        return pl.concat([empty, *(frame.cast(empty.schema) for frame in frames)]) if frames else empty

    def sweep(self) -> int:
        """Deletes finished races of versions that nothing asks for any more; answers how many folders."""
        used = {self._path(event, STAGES[0], "scores").parent for event in self.events}
        stale = [folder for folder in self.root.glob("*") if folder.is_dir() and folder not in used]
        for folder in stale:
            shutil.rmtree(folder, ignore_errors=True)
        return len(stale)

    def _block(self, event: str) -> int:
        # Counted from the first race of all, so that a short and a long run refit before the same races.
        return self.events.index(event) // REFIT_EVERY

    def _forecast(
        self, event: str, stage: Stage, data: TrainingData, model: RaceModel, version: str, now: dt.datetime
    ) -> None:
        features = self.workspace.features.get(event, stage)
        past = data.before(features.as_of)
        answers = [(PRODUCTION_MODEL, version, model.predict(features.frame, seed=SEED))]
        for name in STAGE_BASELINES[stage]:
            answers.append(
                (name, BASELINE_VERSION, fit_model(name, past, stage).predict(features.frame, seed=SEED))
            )
        times = fit_race_times(self.workspace.reader, features.as_of)
        made = assemble(
            self.workspace.reader, features, answers, computed_at=now, is_provisional=False, times=times
        )
        labels = self.labels.filter(pl.col("event_id") == event)
        scores = score_events(made.entries, labels).join(
            made.heads.select("event_id", "season", "target", "stage", "model", "model_version"),
            on=["event_id", "model"],
        )
        scores = scores.with_columns(
            known_at=pl.lit(labels["known_at"][0]), target=pl.lit(Target.RACE.value)
        ).select(TABLES["backtest_scores"].column_names)
        # Scores last: a race counts as done when they are there.
        for part, frame in (("heads", made.heads), ("entries", made.entries), ("scores", scores)):
            buffer = io.BytesIO()
            frame.write_parquet(buffer)
            write_atomically(self._path(event, stage, part), buffer.getvalue(), durable=False)

    def _path(self, event: str, stage: Stage, part: str) -> Path:
        key = hashlib.sha256(
            f"{self._code}:{self.workspace.features.version(int(event[:4]))}".encode()
        ).hexdigest()[:12]
        return self.root / key / f"{event}.{stage.value}.{part}.parquet"

    def _is_done(self, event: str, stage: Stage) -> bool:
        return self._path(event, stage, "scores").exists()


def _run_block(
    settings: Settings, snapshot: str, stage: Stage, events: tuple[str, ...], now: dt.datetime
) -> tuple[Stage, list[str]]:
    return stage, Backtest(worker_workspace(settings, snapshot)).run_block(stage, events, now)
