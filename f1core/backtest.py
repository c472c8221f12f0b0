"""Walk-forward backtest: every race, qualifying and sprint forecast by models that were fitted on earlier ones only.

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

from f1core.backtest_progress import PlaceProgress, ProgressKeeper
from f1core.distributions import ask
from f1core.parallel import run_tasks
from f1core.predict import BASELINE_VERSION, answer_of, assemble, fit_race_times
from f1core.settings import Settings
from f1core.targets import LEARNED, RULES, TargetRules, adapted, rules_of
from f1core.training import SEED, TrainingData, fit_model, models_version, placed_words, training_data
from f1core.workspace import Workspace, worker_workspace
from models.metrics import score_events
from models.protocol import RaceModel
from warehouse.errors import NotReady
from warehouse.files import write_atomically
from warehouse.queries.distributions import DISTRIBUTION_TABLES
from warehouse.store import Store
from warehouse.tables import TABLES
from warehouse.vocab import Stage, Target

STAGES = rules_of(Target.RACE).backtested
"""Stages of the race that are backtested; :mod:`f1core.targets` has those of the other targets."""
Places = tuple[tuple[Target, Stage], ...]
PLACES: Places = tuple((target, stage) for target, rules in RULES.items() for stage in rules.backtested)
"""Every target and stage that is backtested, the race first."""
REFIT_EVERY = 5
"""Trees are fitted again every so many races; baselines before every race."""
BUILD_RACES = 24
PARTS = {
    "heads": "backtest_predictions",
    "entries": "backtest_prediction_entries",
    **DISTRIBUTION_TABLES["backtest"],
    "scores": "backtest_scores",
}


@dataclass(frozen=True)
class BacktestReport:
    """What a run did.

    Attributes:
        count_done: Sessions and stages forecast in this run.
        count_kept: Sessions and stages that were there already.
        scores: Rows of ``backtest_scores`` that are in the tables now.
        stopped: Why it stopped before its end; empty when nothing is left.
    """

    count_done: int
    count_kept: int
    scores: pl.DataFrame
    stopped: str = ""


def comparable() -> tuple[str, ...]:
    """Models that are no longer in production but can still be fitted, to stand beside ours in the same run."""
    return tuple(name for name in LEARNED if name not in {rules.model for rules in RULES.values()})


class Backtest:
    """Runs and keeps the walk-forward backtest.

    Args:
        workspace: The installation.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.labels = workspace.labels
        self.held = {target: set(workspace.labels_of(target)["event_id"]) for target in RULES}
        self.root = workspace.settings.cache_root / "backtest"
        self.events = (
            self.labels.sort("known_at", maintain_order=True)["event_id"]
            .unique(maintain_order=True)
            .to_list()
        )
        self._code = models_version()

    @property
    def version(self) -> str:
        """Fingerprint of the code that models and forecasts are made by."""
        return self._code

    def chosen(
        self, *, from_season: int | None = None, until_season: int | None = None, last: int | None = None
    ) -> list[str]:
        """Events to forecast: all from a season on (and up to one), or the last so many.

        Raises:
            NotReady: No race was held since that season.
        """
        if from_season is not None:
            until = until_season or int(self.events[-1][:4])
            found = [event for event in self.events if from_season <= int(event[:4]) <= until]
            if not found:
                until_words = "" if until_season is None else f" until {until_season}"
                raise NotReady(
                    f"No race has been held since {from_season}{until_words}.",
                    hint="Choose an earlier season.",
                )
            return found
        return self.events[-(last or BUILD_RACES) :]

    def run(
        self,
        events: Sequence[str],
        *,
        places: Places = PLACES,
        compare: Sequence[str] = (),
        progress: Callable[[str, int], None] = lambda _words, _done: None,
        keeper: ProgressKeeper | None = None,
        stop: Callable[[], str] = lambda: "",
    ) -> BacktestReport:
        """Forecasts what is not there yet; call :meth:`publish` to put all of it into the tables.

        Args:
            events: Events, any order.
            places: Targets and stages; an event that had no such session is left out.
            compare: Models of :func:`comparable` that forecast races beside ours.
            progress: Told what was finished, and how many sessions and stages since the last call.
            keeper: Told the same, place by place.
            stop: Asked after every block; the reason to stop there, or nothing.
        """
        groups: dict[tuple[Target, Stage, int, str], list[tuple[Target, str]]] = {}
        kept, counted = 0, []
        for target, stage, name in _with_compared(places, compare):
            chosen = self.sessions(events, target)
            # Nothing was held before the first races of all; later blocks learn from these.
            todo = [
                event
                for event in chosen
                if self._block(event) and not self._is_done(event, target, stage, name)
            ]
            count = sum(self._is_done(event, target, stage, name) for event in chosen)
            kept += count
            counted.append(PlaceProgress(target, stage, name, count, count + len(todo)))
            progress(f"{placed_words(target, stage)}: {count} kept", len(chosen) - len(todo))
            for event in todo:
                # Targets that learn from the same results share the model of a block.
                place = (rules_of(target).learns_from, stage, self._block(event), name)
                groups.setdefault(place, []).append((target, event))
        if keeper is not None:
            keeper.begin(counted)
        tasks = [
            (
                self.workspace.settings,
                self.workspace.reader.snapshot.id,
                stage,
                tuple(items),
                self.workspace.clock.now(),
                name,
                self.version,
            )
            for (_, stage, _, name), items in groups.items()
        ]
        done, left = 0, len(tasks)
        reason = stop() if tasks else ""
        for stage, name, finished in run_tasks(
            _run_block, [] if reason else tasks, self.workspace.settings.workers
        ):
            done, left = done + len(finished), left - 1
            target, event = finished[-1]
            progress(f"{placed_words(target, stage)}: {event}", len(finished))
            if keeper is not None:
                keeper.finished(stage, name, finished, self.workspace.clock.now())
            reason = stop() if left else ""
            if reason:
                break
        return BacktestReport(done, kept, self.collect("scores"), reason)

    def sessions(self, events: Sequence[str], target: Target) -> list[str]:
        """Those of some events that had a session of a target, in order of time."""
        chosen = set(events) & self.held[target]
        return [event for event in self.events if event in chosen]

    def left(self, events: Sequence[str], places: Places = PLACES) -> int:
        """How many sessions and stages of some events are still to be forecast."""
        return sum(
            self._block(event) > 0 and not self._is_done(event, target, stage)
            for target, stage in places
            for event in self.sessions(events, target)
        )

    def run_block(
        self, stage: Stage, items: Sequence[tuple[Target, str]], now: dt.datetime, compared: str = ""
    ) -> list[tuple[Target, str]]:
        """Forecasts sessions of one block: the trees are fitted once, on what was known before the block's first one.

        Args:
            stage: The stage.
            items: Targets that learn from the same results, and events of one block, in order of time within a target.
            now: The real clock, stored as time of computation.
            compared: The one model to forecast with; empty for the one in production and its baselines.

        Returns:
            What was forecast.
        """
        target, event = items[0]
        rules = rules_of(target)
        data = training_data(self.workspace, stage, target)
        first = self.events[self._block(event) * REFIT_EVERY]
        # A sprint is held on the eve of the race whose models forecast it.
        ends = [
            self.workspace.features.get(first, stage, target=one).as_of
            for one in {rules.learns_from, *(target for target, _ in items)}
            if one is rules.learns_from or first in self.held[one]
        ]
        fitted = compared or rules.model
        model = fit_model(fitted, data.before(min(ends)), stage, target)
        version = f"{fitted}-{self._code}-before-{first}"
        for one, name in items:
            self._forecast(name, rules_of(one), stage, data, model, version, now, compared)
        return list(items)

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

    def collect(self, part: str, places: Places = PLACES) -> pl.DataFrame:
        """All finished rows of the present version of one of :data:`PARTS`."""
        table = TABLES[PARTS[part]]
        empty = pl.DataFrame(pl.from_arrow(table.schema.empty_table()))
        frames = [
            pl.read_parquet(path)
            for event in self.events
            for target, stage, name in _with_compared(places, comparable())
            if (path := self._path(event, target, stage, part, name)).exists()
            and self._is_done(event, target, stage, name)
        ]
        return pl.concat([empty, *(frame.cast(empty.schema) for frame in frames)]) if frames else empty

    def sweep(self) -> int:
        """Deletes finished races of versions that nothing asks for any more; answers how many folders."""
        used = {self._path(event, *PLACES[0], "scores").parent for event in self.events}
        stale = [folder for folder in self.root.glob("*") if folder.is_dir() and folder not in used]
        for folder in stale:
            shutil.rmtree(folder, ignore_errors=True)
        return len(stale)

    def _block(self, event: str) -> int:
        # Counted from the first race of all, so that a short and a long run refit before the same races.
        return self.events.index(event) // REFIT_EVERY

    def _forecast(
        self,
        event: str,
        rules: TargetRules,
        stage: Stage,
        data: TrainingData,
        model: RaceModel,
        version: str,
        now: dt.datetime,
        compared: str,
    ) -> None:
        target = rules.target
        features = self.workspace.features.get(event, stage, target=target)
        past = data.before(features.as_of)
        answers = [(compared or rules.model, version, ask(adapted(model, target), features.frame, seed=SEED))]
        for name in () if compared else rules.baselines[stage]:
            answer = answer_of(fit_model(name, past, stage), features, is_needed=False)
            if answer is not None:
                answers.append((name, BASELINE_VERSION, answer))
        times = fit_race_times(self.workspace.reader, features.as_of) if rules.has_times else None
        made = assemble(
            self.workspace.reader,
            features,
            answers,
            computed_at=now,
            is_provisional=False,
            times=times,
            target=target,
        )
        labels = self.workspace.labels_of(target).filter(pl.col("event_id") == event)
        scores = score_events(made.entries, labels).join(
            made.heads.select("event_id", "season", "target", "stage", "model", "model_version"),
            on=["event_id", "model"],
        )
        scores = scores.with_columns(known_at=pl.lit(labels["known_at"][0])).select(
            TABLES["backtest_scores"].column_names
        )
        # Scores last: a session counts as done when they are there.
        parts = {"heads": made.heads, "entries": made.entries, **made.distributions.frames, "scores": scores}
        for part, frame in parts.items():
            buffer = io.BytesIO()
            frame.write_parquet(buffer)
            write_atomically(
                self._path(event, target, stage, part, compared), buffer.getvalue(), durable=False
            )

    def _path(self, event: str, target: Target, stage: Stage, part: str, compared: str = "") -> Path:
        key = hashlib.sha256(
            f"{self._code}:{self.workspace.features.version(int(event[:4]))}".encode()
        ).hexdigest()[:12]
        beside = f".{compared}" if compared else ""
        return self.root / key / f"{event}.{target.value}.{stage.value}{beside}.{part}.parquet"

    def _is_done(self, event: str, target: Target, stage: Stage, compared: str = "") -> bool:
        return self._path(event, target, stage, "scores", compared).exists()


def _with_compared(places: Places, compare: Sequence[str]) -> list[tuple[Target, Stage, str]]:
    """Places with nothing beside the model in production, then those of the race with every compared model."""
    beside = [(target, stage, name) for name in compare for target, stage in places if target is Target.RACE]
    return [*((target, stage, "") for target, stage in places), *beside]


def _run_block(
    settings: Settings,
    snapshot: str,
    stage: Stage,
    items: tuple[tuple[Target, str], ...],
    now: dt.datetime,
    compared: str,
    version: str,
) -> tuple[Stage, str, list[tuple[Target, str]]]:
    backtest = Backtest(worker_workspace(settings, snapshot))
    if backtest.version != version:
        # A part made by other code would neither be found again nor fit to the rest.
        raise NotReady("The product's code changed while the backtest ran.", hint="Run it again.")
    return stage, compared, backtest.run_block(stage, items, now, compared)
