"""Scores of every race, model and reference that ``benchmarks/accuracy.py`` compares, from the backtest tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from f1core.accuracy import BOOTSTRAP_SEED, Races, scores_of
from f1core.labels import FIRST_SEASON, load_labels
from models.metrics import DNF_CLIP, PairedDifference, paired_difference, reliability, score_events
from models.race_time import RaceTimes
from warehouse.errors import NotReady
from warehouse.queries.accuracy import backtest_entries
from warehouse.queries.results import past_gaps, past_races
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """How a metric is printed."""

    title: str
    decimals: int = 3


METRICS: dict[str, Metric] = {
    "win_log_loss": Metric("win log loss"),
    "win_brier": Metric("win Brier, summed"),
    "winner_right": Metric("winner right"),
    "podium_overlap": Metric("podium overlap"),
    "mae_ranked": Metric("MAE ranked"),
    "mae_raw": Metric("MAE raw"),
    "mae_raw_finishers": Metric("MAE finishers, raw"),
    "spearman": Metric("Spearman"),
    "top_ten_brier": Metric("top-10 Brier", 4),
    "top_ten_accuracy": Metric("top-10 accuracy"),
    "dnf_log_loss": Metric("DNF log loss", 4),
    "ece_win": Metric("ECE win", 4),
    "ece_top_ten": Metric("ECE top 10", 4),
    "interval_coverage": Metric("80 % covers"),
    "gap_mae_s": Metric("gap MAE s", 2),
}
CALIBRATION = {"ece_win": "win", "ece_top_ten": "top_ten"}
"""Metrics that are no mean over races: calibration is computed over all starters of all races."""
MEANS = tuple(metric for metric in METRICS if metric not in CALIBRATION)
FORM = 5
"""Qualifyings behind the recent average."""
YEARS = 3
"""Seasons before the present one behind the base rate of retirements."""
DRAWS = 5_000


@dataclass(frozen=True)
class Values:
    """Scores per race.

    Attributes:
        model: Ours.
        rows: ``event_id, season, model`` and :data:`MEANS`, in order of time.
        bins: By model, outcome and event: count, sum of probabilities and of hits per bin of probability (3 x bins).
    """

    model: str
    rows: pl.DataFrame
    bins: dict[tuple[str, str], dict[str, Floats]]

    def within(self, first: int, last: int) -> Values:
        """The races of some seasons."""
        return replace(self, rows=self.rows.filter(pl.col("season").is_between(first, last)))

    def has(self, model: str) -> bool:
        """Whether a model has races here."""
        return self.count(model) > 0

    def count(self, model: str) -> int:
        """Races of a model."""
        return self.rows.filter(pl.col("model") == model).height

    def mean(self, model: str, metric: str) -> float | None:
        """Mean over races, those without a value left out; for calibration the error over all of them."""
        mine = self.rows.filter(pl.col("model") == model)
        if metric in CALIBRATION:
            bins = self._bins(model, metric, mine["event_id"].to_list())
            return None if bins is None else float(_calibration_error(bins.sum(axis=0)))
        value = mine[metric].mean()
        return value if isinstance(value, float) else None

    def difference(self, one: str, other: str, metric: str) -> PairedDifference | None:
        """Mean difference on the same races, with its 90 % bootstrap; None where no race has both."""
        pairs = self.rows.filter(pl.col("model") == one).join(
            self.rows.filter(pl.col("model") == other), on="event_id", suffix="_other", maintain_order="left"
        )
        if metric in CALIBRATION:
            events = pairs["event_id"].to_list()
            mine, theirs = self._bins(one, metric, events), self._bins(other, metric, events)
            return None if mine is None or theirs is None else _paired_calibration(mine, theirs)
        both = pairs.select(metric, f"{metric}_other").drop_nulls()
        return paired_difference(both[metric].to_numpy(), both[f"{metric}_other"].to_numpy(), BOOTSTRAP_SEED)

    def beside(self, other: Values) -> Values:
        """Our forecasts of two stages as if they were two models, named by their stages."""
        rows, bins = [], {}
        for values in (self, other):
            stage = values.rows["stage"][0]
            mine = values.rows.filter(pl.col("model") == values.model)
            rows.append(mine.with_columns(model=pl.lit(stage)))
            bins |= {
                (stage, what): found for (name, what), found in values.bins.items() if name == values.model
            }
        return Values("", pl.concat(rows), bins)

    def _bins(self, model: str, metric: str, events: Sequence[str]) -> Floats | None:
        """Bins of a model, one block per event; None unless it has all of these events."""
        kept = self.bins.get((model, CALIBRATION[metric]), {})
        if not events or any(event not in kept for event in events):
            return None
        return np.stack([kept[event] for event in events])


def load_values(reader: Reader, target: Target, stage: Stage, models: Sequence[str]) -> Values:
    """Scores of our model (the first) and of others of a target and stage, with the references it is held against."""
    scores = scores_of(reader, Races(stage.value, target=target.value)).filter(pl.col("model").is_in(models))
    labels = load_labels(reader, target, from_season=FIRST_SEASON)
    bins: dict[tuple[str, str], dict[str, Floats]] = {}
    entries = {
        model: backtest_entries(reader, stage=stage.value, model=model, target=target.value)
        for model in dict.fromkeys(models)
    }
    for model, made in entries.items():
        for outcome in CALIBRATION.values():
            bins[model, outcome] = {
                str(event): _event_bins(rows, labels, outcome)
                for (event,), rows in made.group_by(["event_id"], maintain_order=True)
            }
    keys = ["event_id", "season", "stage", "model"]
    parts = [scores.select(*keys, *MEANS)]
    cutoffs = dict(
        reader.query(
            "select distinct event_id, as_of from backtest_predictions where target = $target and stage = $stage",
            {"target": target.value, "stage": stage.value},
        ).iter_rows()
    )
    events = scores.select("event_id", "season").unique(maintain_order=True)
    told = events.with_columns(as_of=pl.col("event_id").replace_strict(cutoffs, default=None))
    if target is Target.QUALIFYING:
        references = [_recent_average(told, labels), _last_practice(reader, told, labels)]
    else:
        references = [_base_rate(told, labels)]
        if target is Target.RACE:
            references.append(_median_gap(reader, told, entries[models[0]], labels))
    for rows in references:
        if not rows.is_empty():
            # A reference has a few metrics; of the others it says nothing.
            missing = [pl.lit(None, pl.Float64).alias(name) for name in MEANS if name not in rows.columns]
            parts.append(rows.with_columns(*missing, stage=pl.lit(stage.value)).select(*keys, *MEANS))
    return Values(models[0], pl.concat(parts, how="vertical_relaxed"), bins)


# References -----------------------------------------------------------------------------------------------------------


def _base_rate(told: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Retirements at their rate over the previous three seasons and the present one so far."""
    rows = []
    for event, season, as_of in told.iter_rows():
        known = (pl.col("known_at") < as_of) & (pl.col("season") >= season - YEARS)
        rate = labels.filter(known)["is_dnf"].mean()
        happened = labels.filter(pl.col("event_id") == event)["is_dnf"].drop_nulls().to_numpy()
        if isinstance(rate, float) and len(happened):
            said = float(np.clip(rate, DNF_CLIP, 1 - DNF_CLIP))
            loss = -np.log(np.where(happened, said, 1 - said)).mean()
            rows.append((event, season, "base_rate", float(loss)))
    return _frame(rows, "dnf_log_loss")


def _median_gap(
    reader: Reader, told: pl.DataFrame, entries: pl.DataFrame, labels: pl.DataFrame
) -> pl.DataFrame:
    """Our order with the median gap per place of the races before."""
    circuits = dict(reader.query("select event_id, circuit_id from events").iter_rows())
    rows = []
    for event, season, as_of in told.iter_rows():
        try:
            times = RaceTimes.fit(past_races(reader, as_of), past_gaps(reader, as_of, FIRST_SEASON))
        except NotReady:
            continue
        mine = entries.filter(pl.col("event_id") == event)
        if mine.is_empty():
            continue
        dropped = [name for name in mine.columns if name.startswith(("gap_", "race_time_"))]
        timed = times.add_to(mine.drop(dropped), circuits[event], None)
        error = score_events(timed, labels.filter(pl.col("event_id") == event))["gap_mae_s"][0]
        rows.append((event, season, "median_gap", error))
    return _frame(rows, "gap_mae_s")


def _recent_average(told: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Qualifying in the order of everyone's mean place in his last five; newcomers last."""
    rows = []
    for event, season, as_of in told.iter_rows():
        past = labels.filter(pl.col("known_at") < as_of).sort("known_at")
        form = past.group_by("driver_id").agg(order=pl.col("position").tail(FORM).mean())
        rows.append((event, season, "recent_average", *_against(labels, event, form)))
    return _frame(rows, "mae_ranked", "winner_right")


def _last_practice(reader: Reader, told: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Qualifying in the order of the last practice before it; who did not take part last."""
    practices = reader.table("practice_results")
    rows = []
    for event, season, as_of in told.iter_rows():
        mine = practices.filter((pl.col("event_id") == event) & (pl.col("known_at") < as_of))
        if mine.is_empty():
            continue
        last = mine.filter(pl.col("known_at") == mine["known_at"].max())
        order = last.group_by("driver_id").agg(order=pl.col("display_order").min().cast(pl.Float64))
        rows.append((event, season, "last_practice", *_against(labels, event, order)))
    return _frame(rows, "mae_ranked", "winner_right")


def _against(labels: pl.DataFrame, event: str, order: pl.DataFrame) -> tuple[float, float]:
    """Places off, and whether the first was first, of an order (``driver_id, order``) held against a result."""
    field = (
        labels.filter(pl.col("event_id") == event)
        .select("driver_id", "position")
        .join(order, on="driver_id", how="left")
        .with_columns(pl.col("order").fill_null(float("inf")))
        .sort("driver_id")
    )
    rank = field["order"].rank("average").to_numpy()
    actual = field["position"].to_numpy()
    return float(np.abs(rank - actual).mean()), float(actual[int(np.argmin(rank))] == 1)


def _frame(rows: list[tuple[object, ...]], *metrics: str) -> pl.DataFrame:
    schema = {"event_id": pl.String, "season": pl.Int32, "model": pl.String}
    return pl.DataFrame(rows, schema={**schema, **dict.fromkeys(metrics, pl.Float64)}, orient="row")


# Calibration ----------------------------------------------------------------------------------------------------------


def _event_bins(forecast: pl.DataFrame, labels: pl.DataFrame, outcome: str) -> Floats:
    event = forecast["event_id"][0]
    curve = reliability(forecast, labels.filter(pl.col("event_id") == event), outcome)
    count = curve["count"].cast(pl.Float64).to_numpy()
    sums = [(curve[name].fill_null(0.0).to_numpy() * count) for name in ("mean_probability", "frequency")]
    return np.stack([count, *sums])


def _calibration_error(bins: Floats) -> Floats:
    """Error of bins (… x 3 x bins): distance of said and seen, weighted by count."""
    return np.asarray(np.abs(bins[..., 1, :] - bins[..., 2, :]).sum(axis=-1) / bins[..., 0, :].sum(axis=-1))


def _paired_calibration(mine: Floats, theirs: Floats) -> PairedDifference:
    n = len(mine)
    drawn = (
        np.random.default_rng(BOOTSTRAP_SEED).multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(np.float64)
    )
    errors = [_calibration_error(np.tensordot(drawn, bins, axes=1)) for bins in (mine, theirs)]
    low, high = np.quantile(errors[0] - errors[1], (0.05, 0.95))
    mean = _calibration_error(mine.sum(axis=0)) - _calibration_error(theirs.sum(axis=0))
    return PairedDifference(float(mean), float(low), float(high), n)
