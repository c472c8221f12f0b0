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

from f1core.backtest import STAGES, Backtest
from f1core.challenge import METRICS, MIN_RACES
from f1core.log import get_logger
from f1core.training import PRODUCTION_MODEL, recipe_of, recipe_version
from f1core.workspace import Workspace
from warehouse.errors import ModelArtifactError
from warehouse.files import write_atomically
from warehouse.queries.monitoring import sealed_scores
from warehouse.vocab import Stage

STANDS_FOR = {Stage.PRE_WEEKEND: Stage.PRE_QUALIFYING, Stage.POST_QUALIFYING: Stage.PRE_RACE}
"""A stage with too few walk-forward scores of its own is judged by the backtested one that is nearest in what it knows:
the recipe of all stages is the same."""

_KEPT = {
    "event_id": pl.String,
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
        self.labels = workspace.labels.filter(pl.col("known_at") < workspace.clock.now())
        self.results = result_marks(self.labels)

    def keep(self, scores: pl.DataFrame) -> None:
        """Keeps backtest scores of the present recipe; the caller holds the writer lock.

        Args:
            scores: Rows as in ``backtest_scores``; only those of the production model are kept.
        """
        new = (
            scores.filter(
                (pl.col("model") == PRODUCTION_MODEL) & pl.col("event_id").is_in(list(self.results))
            )
            .with_columns(result=self._result())
            .select(*_KEPT)
        )
        if new.is_empty():
            return
        others = self._kept(self.recipe).join(new, on=["event_id", "stage"], how="anti")
        buffer = io.BytesIO()
        pl.concat([others, new]).sort("stage", "event_id").write_parquet(buffer)
        write_atomically(self._path(self.recipe), buffer.getvalue())

    def keep_present(self, stage: Stage) -> None:
        """Keeps what the present recipe has been backtested on at a stage; the caller holds the writer lock."""
        self.keep(Backtest(self.workspace).collect("scores", (stage,)))

    def scores(self, recipe: str, stage: Stage) -> pl.DataFrame:
        """Scores of a recipe on the races of a stage, sealed ones before backtested ones.

        Scores that were made against a result which has been corrected since are left out.

        Returns:
            ``event_id``, ``kind`` and :data:`f1core.challenge.METRICS`.
        """
        kept = self._kept(recipe).filter(
            (pl.col("stage") == stage.value) & (pl.col("result") == self._result())
        )
        backtested = kept.with_columns(kind=pl.lit("backtest")).select(*_SCORES)
        sealed = self._sealed(recipe, stage)
        return pl.concat([sealed, backtested.join(sealed, on="event_id", how="anti")])

    def judged_on(self, champion_recipe: str, stage: Stage) -> Stage:
        """The stage whose races a challenge of a stage is judged by: its own, if the champion has enough of them."""
        if stage in STAGES or self.scores(champion_recipe, stage).height >= MIN_RACES:
            return stage
        return STANDS_FOR[stage]

    def pairs(
        self,
        champion_recipe: str,
        stage: Stage,
        progress: Callable[[str, int], None] = lambda _words, _done: None,
    ) -> pl.DataFrame:
        """Scores of a champion's recipe and of the present one on the same races, as :func:`f1core.challenge.judge` takes.

        Races of the champion that the present recipe has not forecast yet are forecast now.

        Args:
            champion_recipe: The champion's.
            stage: The stage whose races are compared.
            progress: Told what was finished.
        """
        champion = self.scores(champion_recipe, stage)
        challenger = self._present(champion["event_id"].to_list(), stage, progress)
        order = {event: place for place, event in enumerate(self.results)}
        return (
            champion.rename({metric: f"champion_{metric}" for metric in METRICS})
            .join(challenger.rename({metric: f"challenger_{metric}" for metric in METRICS}), on="event_id")
            .sort(pl.col("event_id").replace_strict(order, default=None, return_dtype=pl.Int64))
        )

    def _present(
        self, events: Sequence[str], stage: Stage, progress: Callable[[str, int], None]
    ) -> pl.DataFrame:
        backtest = Backtest(self.workspace)
        if events:
            backtest.run(events, stages=(stage,), progress=progress)
        scores = backtest.collect("scores", (stage,))
        return scores.filter(pl.col("model") == PRODUCTION_MODEL).select("event_id", *METRICS)

    def _sealed(self, recipe: str, stage: Stage) -> pl.DataFrame:
        rows = sealed_scores(self.workspace.reader, stage=stage.value)
        made_by = {version: self._recipe_of(version) for version in rows["model_version"].unique().to_list()}
        wanted = [version for version, own in made_by.items() if own == recipe and recipe]
        return (
            rows.filter(pl.col("model_version").is_in(wanted) & pl.col("event_id").is_in(list(self.results)))
            .unique("event_id", keep="last", maintain_order=True)
            .with_columns(kind=pl.lit("sealed"))
            .select(*_SCORES)
        )

    def _result(self) -> pl.Expr:
        return pl.col("event_id").replace_strict(self.results, default=None, return_dtype=pl.String)

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
            return pl.read_parquet(path).select(*_KEPT).cast(_KEPT)  # type: ignore[arg-type]
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
