"""Walk-forward scores by recipe: what challenges are judged by.

A recipe is the code that makes models, whatever they learn from. Its score on a race is that of a forecast made by a model
that had seen only earlier races: from the backtest, or, where a model of the recipe sealed a forecast that was settled
since, from that. A recipe's code is gone after an update, so its scores are kept beside the models
(``data/models/scores/<recipe>.parquet``) as soon as they are made.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from f1core.backtest import PLACES, Backtest
from f1core.challenge import METRICS, MIN_RACES
from f1core.log import get_logger
from f1core.targets import RULES, rules_of
from f1core.training import recipe_of, recipe_version
from f1core.workspace import Workspace
from models.metrics import SCORE_NAMES, pool
from warehouse.errors import ModelArtifactError
from warehouse.files import write_atomically
from warehouse.queries.monitoring import sealed_scores
from warehouse.vocab import Stage, Target

STANDS_FOR = {Stage.PRE_WEEKEND: Stage.PRE_QUALIFYING, Stage.POST_QUALIFYING: Stage.PRE_RACE}
"""A stage with too few walk-forward scores of its own is judged by the backtested one that is nearest in what it knows:
the recipe of all stages is the same."""

_KEPT = {
    "event_id": pl.String,
    "target": pl.String,
    "stage": pl.String,
    "result": pl.String,
    **dict.fromkeys(METRICS, pl.Float64),
}
_SCORES = {"event_id": pl.String, "kind": pl.String, **dict.fromkeys(METRICS, pl.Float64)}


class WalkForward:
    """Keeps and compares walk-forward scores of an installation's recipes.

    Args:
        workspace: The installation. Races whose result its clock does not know yet are left out of every answer.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.root = workspace.settings.models_root / "scores"
        self.recipe = recipe_version()
        self._results: dict[Target, dict[str, str]] = {}

    def results(self, target: Target) -> dict[str, str]:
        """Marks of a target's results that the clock knows; see :func:`result_marks`."""
        if target not in self._results:
            known = pl.col("known_at") < self.workspace.clock.now()
            self._results[target] = result_marks(self.workspace.labels_of(target).filter(known))
        return self._results[target]

    def keep(self, scores: pl.DataFrame) -> None:
        """Keeps backtest scores of the present recipe; the caller holds the writer lock.

        Args:
            scores: Rows as in ``backtest_scores``; only those of the production model are kept.
        """
        new = pl.concat(
            scores.filter(
                (pl.col("model") == rules.model)
                & (pl.col("target") == target.value)
                & pl.col("event_id").is_in(list(self.results(target)))
            )
            .with_columns(result=self._result(target))
            .select(*_KEPT)
            for target, rules in RULES.items()
        )
        if new.is_empty():
            return
        others = self._kept(self.recipe).join(new, on=["event_id", "target", "stage"], how="anti")
        buffer = io.BytesIO()
        pl.concat([others, new]).sort("target", "stage", "event_id").write_parquet(buffer)
        write_atomically(self._path(self.recipe), buffer.getvalue())

    def keep_present(self, stage: Stage, target: Target = Target.RACE) -> None:
        """Keeps what the present recipe has been backtested on at a stage; the caller holds the writer lock."""
        self.keep(Backtest(self.workspace).collect("scores", ((target, stage),)))

    def measured(self, stage: Stage, target: Target = Target.RACE) -> dict[str, dict[str, float | None]]:
        """What the present recipe and its baselines scored walk-forward at a stage of their own, by model.

        Returns:
            Mean of every score over the races, and ``count_races``; null where the score has nothing to be measured on,
            no entry for a model that was not backtested here.
        """
        scores = Backtest(self.workspace).collect("scores", ((target, stage),))
        known = scores.filter(pl.col("event_id").is_in(list(self.results(target))))
        return {
            str(row["model"]): {"count_races": float(row["count_events"]), **{n: row[n] for n in SCORE_NAMES}}
            for row in pool(known).to_dicts()
        }

    def scores(self, recipe: str, stage: Stage, target: Target = Target.RACE) -> pl.DataFrame:
        """Scores of a recipe on the races of a target and stage, sealed ones before backtested ones.

        Scores that were made against a result which has been corrected since are left out.

        Returns:
            ``event_id``, ``kind`` and :data:`f1core.challenge.METRICS`.
        """
        kept = self._kept(recipe).filter(
            (pl.col("target") == target.value)
            & (pl.col("stage") == stage.value)
            & (pl.col("result") == self._result(target))
        )
        backtested = kept.with_columns(kind=pl.lit("backtest")).select(*_SCORES)
        sealed = self._sealed(recipe, stage, target)
        return pl.concat([sealed, backtested.join(sealed, on="event_id", how="anti")])

    def judged_on(self, champion_recipe: str, stage: Stage, target: Target = Target.RACE) -> Stage:
        """The stage whose races a challenge of a stage is judged by: its own, if the champion has enough of them."""
        own = self.scores(champion_recipe, stage, target)
        if (target, stage) in PLACES or own.height >= MIN_RACES:
            return stage
        return STANDS_FOR[stage]

    def pairs(
        self,
        champion_recipe: str,
        stage: Stage,
        progress: Callable[[str, int], None] = lambda _words, _done: None,
        target: Target = Target.RACE,
    ) -> pl.DataFrame:
        """Scores of a champion's recipe and of the present one on the same races, as :func:`f1core.challenge.judge` takes.

        Races of the champion that the present recipe has not forecast yet are forecast now.

        Args:
            champion_recipe: The champion's.
            stage: The stage whose races are compared.
            progress: Told what was finished.
            target: What is forecast.
        """
        champion = self.scores(champion_recipe, stage, target)
        challenger = self._present(champion["event_id"].to_list(), stage, progress, target)
        order = {event: place for place, event in enumerate(self.results(target))}
        return (
            champion.rename({metric: f"champion_{metric}" for metric in METRICS})
            .join(challenger.rename({metric: f"challenger_{metric}" for metric in METRICS}), on="event_id")
            .sort(pl.col("event_id").replace_strict(order, default=None, return_dtype=pl.Int64))
        )

    def _present(
        self, events: Sequence[str], stage: Stage, progress: Callable[[str, int], None], target: Target
    ) -> pl.DataFrame:
        backtest = Backtest(self.workspace)
        if events:
            backtest.run(events, places=((target, stage),), progress=progress)
        scores = backtest.collect("scores", ((target, stage),))
        return scores.filter(pl.col("model") == rules_of(target).model).select("event_id", *METRICS)

    def _sealed(self, recipe: str, stage: Stage, target: Target) -> pl.DataFrame:
        rows = sealed_scores(self.workspace.reader, stage=stage.value, target=target.value)
        made_by = {version: self._recipe_of(version) for version in rows["model_version"].unique().to_list()}
        wanted = [version for version, own in made_by.items() if own == recipe and recipe]
        return (
            rows.filter(
                pl.col("model_version").is_in(wanted) & pl.col("event_id").is_in(list(self.results(target)))
            )
            .unique("event_id", keep="last", maintain_order=True)
            .with_columns(kind=pl.lit("sealed"))
            .select(*_SCORES)
        )

    def _result(self, target: Target) -> pl.Expr:
        return pl.col("event_id").replace_strict(self.results(target), default=None, return_dtype=pl.String)

    def _recipe_of(self, version: str) -> str:
        try:
            return recipe_of(self.workspace.registry.manifest(version))
        except ModelArtifactError:
            # A baseline, or a model that was deleted since it sealed.
            return ""

    def _kept(self, recipe: str) -> pl.DataFrame:
        path = self._path(recipe)
        if not recipe or not path.exists():
            return pl.DataFrame(schema=_KEPT)
        try:
            rows = pl.read_parquet(path)
            if "target" not in rows.columns:
                # Kept when races alone were forecast.
                rows = rows.with_columns(target=pl.lit(Target.RACE.value))
            return rows.select(*_KEPT).cast(_KEPT)  # type: ignore[arg-type]
        except (OSError, pl.exceptions.PolarsError) as error:
            get_logger(__name__).warning("scores_unreadable", path=str(path), error=str(error))
            return pl.DataFrame(schema=_KEPT)

    def _path(self, recipe: str) -> Path:
        return self.root / f"{recipe}.parquet"


def result_marks(labels: pl.DataFrame) -> dict[str, str]:
    """A fingerprint of each event's finishing order, in order of time: scores against other results do not compare."""
    return {
        str(event_id): hashlib.sha256(
            "|".join(rows.sort("position")["driver_id"].to_list()).encode()
        ).hexdigest()[:12]
        for (event_id,), rows in labels.sort("known_at", maintain_order=True).group_by(
            ["event_id"], maintain_order=True
        )
    }
