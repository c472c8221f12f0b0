"""How good the backtested forecasts were: comparisons with the baselines, in numbers and in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from f1core.labels import load_labels
from f1core.wording import (
    BASELINE_NAMES,
    COMPARED_NAMES,
    OUR_MODEL,
    SCORE_BY_COLUMN,
    SCORES,
    Score,
    model_name,
    model_order,
)
from models.metrics import OUTCOMES, calibration_error, paired_difference, pool, reliability, rolling
from warehouse.queries.accuracy import backtest_entries, backtest_scores, predictions_with_outcome
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

FROM_SEASON = 2022
"""The full backtest begins with this season: the present technical era and the reference's test races."""
ROLLING_RACES = 5
BOOTSTRAP_SEED = 1950
HEADLINE_SCORES = ("winner_right", "podium_overlap", "top_ten_accuracy", "mae_ranked", "win_log_loss")
CHART_SCORES = (
    "winner_right",
    "podium_overlap",
    "top_ten_accuracy",
    "mae_ranked",
    "mae_ranked_finishers",
    "win_log_loss",
    "top_ten_brier",
    "gap_mae_s",
)


@dataclass(frozen=True)
class Races:
    """Which backtested races are looked at.

    Attributes:
        stage: The stage.
        seasons: Only these; all when empty.
        until: Only races whose result was known by then; all when None.
        target: What is forecast.
    """

    stage: str
    seasons: tuple[int, ...] = ()
    until: dt.datetime | None = None
    target: str = "race"

    def of_seasons(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows (with ``season``) of the chosen seasons."""
        return rows.filter(pl.col("season").is_in(self.seasons)) if self.seasons else rows

    def known(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows (with ``known_at``) that were known in time."""
        return rows if self.until is None else rows.filter(pl.col("known_at") <= self.until)

    def among(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of the chosen seasons that were known in time."""
        return self.known(self.of_seasons(rows))


@dataclass(frozen=True)
class Comparison:
    """Our model against one baseline on one score, over the same races.

    Attributes:
        score: The score.
        baseline: The baseline.
        ours: Our mean.
        theirs: The baseline's mean.
        advantage: By how much we are better, as a share of the baseline's score; negative when worse.
        low: Lower end of its 90 % bootstrap interval over races.
        high: Upper end.
        count: Races.
    """

    score: Score
    baseline: str
    ours: float
    theirs: float
    advantage: float
    low: float
    high: float
    count: int

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, or ``level`` when the interval holds zero: too few races to tell."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "level"


def scores_of(reader: Reader, races: Races) -> pl.DataFrame:
    """Backtest scores of chosen races, oldest first; see :func:`warehouse.queries.accuracy.backtest_scores`."""
    return races.among(backtest_scores(reader, stage=races.stage, target=races.target))


def compare(scores: pl.DataFrame, columns: Sequence[str] = CHART_SCORES) -> list[Comparison]:
    """Compares our model with every baseline of the same races; scores without a positive baseline are left out.

    Args:
        scores: As in :func:`scores_of`.
        columns: Scores to compare.
    """
    models = model_order(scores["model"])
    if len(models) < 2:
        return []
    ours = scores.filter(pl.col("model") == models[0])
    found = []
    for baseline in models[1:]:
        pairs = ours.join(scores.filter(pl.col("model") == baseline), on="event_id", suffix="_theirs")
        for column in columns:
            score = SCORE_BY_COLUMN[column]
            both = pairs.select(ours=column, theirs=f"{column}_theirs").drop_nulls()
            theirs = both["theirs"].mean() if both.height else None
            if not isinstance(theirs, float) or theirs <= 0:
                continue
            sign = 1.0 if score.is_higher_better else -1.0
            gain = paired_difference(
                both["ours"].to_numpy() * sign, both["theirs"].to_numpy() * sign, BOOTSTRAP_SEED
            )
            assert gain is not None  # there is at least one pair
            found.append(
                Comparison(
                    score,
                    baseline,
                    theirs + sign * gain.mean,
                    theirs,
                    gain.mean / theirs,
                    gain.low / theirs,
                    gain.high / theirs,
                    gain.count,
                )
            )
    return found


def comparisons_of(reader: Reader, races: Races) -> list[Comparison]:
    """Our model against every baseline over the races of :func:`scores_of`; see :func:`compare`."""
    return compare(scores_of(reader, races))


def comparison_table(comparisons: Sequence[Comparison]) -> pl.DataFrame:
    """Comparisons as rows: ``score, baseline, ours, theirs, advantage, low, high, verdict, count``."""
    schema = {"score": pl.String, "baseline": pl.String, "ours": pl.String, "theirs": pl.String}
    numbers = {"advantage": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(
        [
            {
                "score": found.score.name,
                "baseline": model_name(found.baseline),
                "ours": found.score.text(found.ours),
                "theirs": found.score.text(found.theirs),
                "advantage": found.advantage,
                "low": found.low,
                "high": found.high,
                "verdict": found.verdict,
                "count": found.count,
            }
            for found in comparisons
        ],
        schema={**schema, **numbers, "verdict": pl.String, "count": pl.Int64},
    )


def headline(comparisons: Sequence[Comparison], baseline: str) -> str:
    """How our model does against one baseline, in plain words (Markdown); empty when they were not compared."""
    chosen = [
        found for found in comparisons if found.baseline == baseline and found.score.column in HEADLINE_SCORES
    ]
    if not chosen:
        return ""
    verdicts = {
        verdict: [found.score.subject for found in chosen if found.verdict == verdict]
        for verdict in ("better", "worse", "level")
    }
    better, worse, level = (_listed(verdicts[name]) for name in ("better", "worse", "level"))
    parts = []
    if better:
        parts.append(f"**better** at {better}")
    if worse:
        parts.append(f"**worse** at {worse}")
    if level:
        parts.append(f"**too close to call** on {level}")
    return f"{'; '.join(parts)}."


def by_season(scores: pl.DataFrame) -> pl.DataFrame:
    """Means over races per season and model, newest season first, with a line ``All`` per model on top.

    Returns:
        ``season`` (text), ``model`` (for people), ``count_events`` and every score.
    """
    if scores.is_empty():
        return pl.DataFrame()
    parts = [pool(scores).with_columns(season=pl.lit("All"))]
    if scores["season"].n_unique() > 1:
        seasons = pool(scores, ("season", "model")).sort("season", descending=True, maintain_order=True)
        parts.append(seasons.with_columns(pl.col("season").cast(pl.String)))
    rows = pl.concat(parts, how="diagonal")
    order = {name: place for place, name in enumerate(model_order(rows["model"]))}
    seasons_seen = rows["season"].unique(maintain_order=True).to_list()
    return (
        rows.with_columns(
            _season=pl.col("season").replace_strict({s: i for i, s in enumerate(seasons_seen)}),
            _model=pl.col("model").replace_strict(order),
        )
        .sort("_season", "_model")
        .with_columns(model=pl.col("model").map_elements(model_name, return_dtype=pl.String))
        .select("season", "model", "count_events", *(score.column for score in SCORES))
    )


def season_table(reader: Reader, races: Races) -> pl.DataFrame:
    """Means per season and model over the races of :func:`scores_of`; see :func:`by_season`."""
    return by_season(scores_of(reader, races))


def season_advantages(scores: pl.DataFrame, column: str) -> pl.DataFrame:
    """Our advantage over every baseline on one score, season by season: ``season`` and as :func:`comparison_table`."""
    parts = [
        comparison_table(compare(rows, (column,))).with_columns(season=pl.lit(str(season)))
        for (season,), rows in scores.group_by(["season"], maintain_order=True)
    ]
    return pl.concat(parts) if parts else comparison_table([]).with_columns(season=pl.lit("").str.head(0))


def rolling_scores(scores: pl.DataFrame) -> pl.DataFrame:
    """Means over the last five races: ``race`` (1.. in order), ``grand_prix_name, season, model`` and every score."""
    steps = scores.select("event_id").unique(maintain_order=True).with_row_index("race", offset=1)
    return (
        rolling(scores, ROLLING_RACES)
        .join(steps, on="event_id", maintain_order="left")
        .filter(pl.col("mae_ranked").is_not_null())
        .with_columns(model=pl.col("model").map_elements(model_name, return_dtype=pl.String))
        .select("race", "event_id", "season", "grand_prix_name", "model", *(score.column for score in SCORES))
    )


def reliability_curves(reader: Reader, races: Races, model: str) -> pl.DataFrame:
    """Reliability curves of one model: ``outcome`` (win, podium, top_ten), ``error`` (calibration error), and the bins.

    Bins are those of :func:`models.metrics.reliability`; empty ones are left out. ``low`` and ``high`` are the 90 %
    Wilson interval of the frequency.
    """
    entries = races.of_seasons(backtest_entries(reader, stage=races.stage, model=model, target=races.target))
    oldest = entries["season"].min()
    since = oldest if isinstance(oldest, int) else FROM_SEASON
    labels = races.known(load_labels(reader, Target(races.target), from_season=since))
    entries = entries.filter(pl.col("event_id").is_in(set(labels["event_id"])))
    parts = []
    for outcome in OUTCOMES:
        curve = reliability(entries, labels, outcome)
        parts.append(curve.with_columns(outcome=pl.lit(outcome), error=pl.lit(calibration_error(curve))))
    return _with_interval(pl.concat(parts).filter(pl.col("count") > 0))


def misses(reader: Reader, races: Races, model: str) -> pl.DataFrame:
    """Every forecast of a starter with what happened, the farthest off first.

    Returns:
        As :func:`warehouse.queries.accuracy.predictions_with_outcome`, plus ``is_classified``.
    """
    rows = races.among(predictions_with_outcome(reader, stage=races.stage, model=model, target=races.target))
    return rows.with_columns(is_classified=pl.col("status") == "classified").sort(
        pl.col("miss").abs(), pl.col("race_date"), descending=True, maintain_order=True
    )


def backtest_stages(scores: pl.DataFrame) -> list[str]:
    """Stages that are backtested, from the one that knows most."""
    found = set(scores["stage"])
    return [stage.value for stage in reversed(Stage) if stage.value in found]


def score_lines(scores: pl.DataFrame, model: str = "model") -> pl.DataFrame:
    """Scores turned for reading: a line per score, a column per model, the best value of a line in bold (Markdown).

    Args:
        scores: One row per model; scores that no model has are left out.
        model: Column that names the model, by its own name or by the one for people.
    """
    rows = {row[model]: row for row in scores.to_dicts()}
    people = {*BASELINE_NAMES.values(), *COMPARED_NAMES.values(), OUR_MODEL}
    names = {name: name if name in people else model_name(name) for name in rows}
    lines = []
    for score in SCORES:
        values = {name: row[score.column] for name, row in rows.items()}
        known = [value for value in values.values() if value is not None]
        if not known:
            continue
        best = (max if score.is_higher_better else min)(known) if score.is_skill else None
        line = {"Score": score.title}
        for name, value in values.items():
            text = score.number(value)
            line[names[name]] = f"**{text}**" if best is not None and value == best else text
        lines.append(line)
    return pl.DataFrame(lines)


def _with_interval(curve: pl.DataFrame, z: float = 1.645) -> pl.DataFrame:
    n, p = pl.col("count"), pl.col("frequency")
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)).sqrt()
    return curve.with_columns(low=(middle - half).clip(0, 1), high=(middle + half).clip(0, 1))


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
