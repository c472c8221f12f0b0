"""How good a forecast was: the product's definitions of every score.

Starters are the rows of the labels; actual positions are the official order, retirements and
disqualifications last. Forecast and starters may differ:

* a driver in the forecast who did not start is dropped: the ranks close up and the probabilities are scaled
  to their totals again;
* a starter without a forecast counts as forecast last (several share the mean of the last ranks) in ranked
  and raw error, with probability zero before clipping, and outside any interval.

Scores of one event are averaged over events by ``pool``: every race counts the same. Only calibration is
computed over all starters of all races together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.probabilities import scale_to_total
from warehouse.errors import ContractViolation, NotReady

Floats = NDArray[np.float64]

WIN_CLIP = 1e-4
"""Win probabilities are raised to this and normalised again before they are scored."""

SCORE_NAMES: tuple[str, ...] = (
    "winner_right",
    "winner_in_top_three",
    "win_log_loss",
    "win_brier",
    "podium_overlap",
    "mae_ranked",
    "mae_raw",
    "mae_ranked_finishers",
    "mae_raw_finishers",
    "spearman",
    "top_ten_accuracy",
    "top_ten_brier",
    "interval_coverage",
    "gap_mae_s",
    "time_mae_s",
    "dnf_log_loss",
)

DNF_CLIP = 1e-3
"""Probabilities of a retirement are kept this far from zero and one before they are scored."""

CALIBRATION_BINS = 10
OUTCOMES = {
    "win": ("win_probability", 1),
    "podium": ("podium_probability", 3),
    "top_ten": ("points_probability", 10),
}
"""Probability column of each outcome, and the worst position that fulfils it."""


def score_event(forecast: pl.DataFrame, labels: pl.DataFrame) -> dict[str, float | None]:
    """Scores of one event's forecast.

    Args:
        forecast: The rows of one event and model; ``gap_s`` and ``race_time_s`` are scored if present.
        labels: The event's starters: ``driver_id``, ``position``, ``is_classified``, and ``gap_s``,
            ``race_time_s`` for those on the lead lap; ``is_dnf`` if ``dnf_probability`` is to be scored.

    Returns:
        ``SCORE_NAMES`` and ``count_starters``, ``count_missing`` (starters without a forecast). A score that
        has nothing to be measured on is None.

    Raises:
        NotReady: There is no result.
        ContractViolation: Forecast or labels hold several events, or a driver twice.
    """
    field = align(forecast, labels)
    n = field.height
    actual = field["position"].cast(pl.Float64).to_numpy()
    finished = field["is_classified"].to_numpy().astype(bool)
    rank = field["predicted_position"].to_numpy()
    raw = field["median_position"].to_numpy()
    win = clipped_win(field["win_probability"].to_numpy())
    points = field["points_probability"].to_numpy()
    won, scored = actual == 1, actual <= 10
    favourite = np.lexsort((rank, -field["win_probability"].to_numpy()))[0]
    podium = np.lexsort((rank, -field["podium_probability"].to_numpy()))[: min(3, n)]
    picked = np.zeros(n, dtype=bool)
    picked[np.lexsort((rank, -points))[: min(10, n)]] = True
    inside = (field["position_low"].to_numpy() <= actual) & (actual <= field["position_high"].to_numpy())
    return {
        "winner_right": float(won[favourite]),
        "winner_in_top_three": float(np.any(rank[won] <= 3)),
        "win_log_loss": float(-np.log(win[won].sum())),
        "win_brier": float(((win - won) ** 2).sum()),
        "podium_overlap": float((actual[podium] <= 3).mean()),
        "mae_ranked": _mean(np.abs(rank - actual)),
        "mae_raw": _mean(np.abs(raw - actual)),
        "mae_ranked_finishers": _mean(np.abs(rank - actual)[finished]),
        "mae_raw_finishers": _mean(np.abs(raw - actual)[finished]),
        "spearman": _correlation(rank, actual),
        "top_ten_accuracy": float((picked == scored).mean()),
        "top_ten_brier": float(((points - scored) ** 2).mean()),
        "interval_coverage": float(inside.mean()),
        "gap_mae_s": _column_error(field, "gap_s"),
        "time_mae_s": _column_error(field, "race_time_s"),
        "dnf_log_loss": _dnf_log_loss(field),
        "count_starters": float(n),
        "count_missing": float(field["is_missing"].sum()),
    }


def score_events(forecasts: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Scores of many forecasts: one row per event and model.

    Args:
        forecasts: Forecast rows of any number of events and models.
        labels: Label rows of at least those events.

    Raises:
        NotReady: An event has no result.
    """
    results = labels.partition_by("event_id", as_dict=True)
    rows = []
    for (event_id, model), forecast in forecasts.group_by(["event_id", "model"], maintain_order=True):
        known = results.get((event_id,), labels.clear())
        rows.append({"event_id": event_id, "model": model, **score_event(forecast, known)})
    names = (*SCORE_NAMES, "count_starters", "count_missing")
    keys = {"event_id": pl.String, "model": pl.String}
    return pl.DataFrame(rows, schema={**keys, **dict.fromkeys(names, pl.Float64)}).with_columns(
        pl.col("count_starters", "count_missing").cast(pl.Int64)
    )


def pool(scores: pl.DataFrame, by: tuple[str, ...] = ("model",)) -> pl.DataFrame:
    """Mean of each score over events, unknown ones left out, and ``count_events``: one row per group."""
    means = [pl.col(name).mean() for name in SCORE_NAMES if name in scores.columns]
    return scores.group_by(list(by), maintain_order=True).agg(pl.len().alias("count_events"), *means)


def rolling(scores: pl.DataFrame, window: int = 5) -> pl.DataFrame:
    """Means over each event and the ``window - 1`` before it, per model; null until there are that many.

    ``scores`` must be in order of time.
    """
    means = [
        pl.col(name).rolling_mean(window).over("model") for name in SCORE_NAMES if name in scores.columns
    ]
    return scores.with_columns(means)


def align(forecast: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """One row per starter with his forecast, by this module's rules; ``is_missing`` marks those without.

    Raises:
        NotReady: There is no result.
        ContractViolation: More than one event, or a driver twice.
    """
    if labels.is_empty():
        event = forecast["event_id"][0] if forecast.height else "the event"
        raise NotReady(
            f"{event} has no result yet, so its forecast cannot be scored", hint="Ingest newer results."
        )
    for frame, what in ((forecast, "forecast"), (labels, "result")):
        if frame["event_id"].n_unique() > 1 or frame["driver_id"].is_duplicated().any():
            raise ContractViolation(f"the {what} to be scored must hold each driver of one event once")
    measured = [column for column in ("gap_s", "race_time_s") if column in forecast.columns]
    renamed = forecast.drop("event_id").rename({column: f"predicted_{column}" for column in measured})
    overlap = [column for column in renamed.columns if column in labels.columns and column != "driver_id"]
    field = labels.join(renamed.drop(overlap), on="driver_id", how="left", maintain_order="left")
    n, missing = field.height, field["predicted_position"].is_null()
    present = n - int(missing.sum())
    shared_last = (present + 1 + n) / 2
    changed = present != forecast.height or present != n
    field = field.with_columns(
        pl.col("predicted_position").rank("ordinal").fill_null(shared_last).cast(pl.Float64),
        pl.col("median_position").fill_null(shared_last),
        *(pl.col(column).fill_null(0.0) for column, _ in OUTCOMES.values()),
        pl.col("position_low", "position_high").fill_null(0),
        is_missing=missing,
    )
    if not changed or present == 0:
        return field
    rows = np.flatnonzero(~missing.to_numpy())
    scaled = []
    for column, places in OUTCOMES.values():
        values = field[column].to_numpy().copy()
        values[rows] = scale_to_total(values[rows], min(places, present))
        scaled.append(pl.Series(column, values))
    return field.with_columns(scaled)


def clipped_win(probability: Floats) -> Floats:
    """Win probabilities of a field raised to at least ``WIN_CLIP`` and normalised."""
    raised = np.maximum(probability, WIN_CLIP)
    return np.asarray(raised / raised.sum())


def reliability(forecasts: pl.DataFrame, labels: pl.DataFrame, outcome: str) -> pl.DataFrame:
    """The reliability curve: how often it happened when the forecast said so.

    Args:
        forecasts: Forecasts of one model, any number of events.
        labels: Results of those events.
        outcome: ``win``, ``podium`` or ``top_ten``.

    Returns:
        One row per equal-width bin of probability, also the empty ones: ``bin_low``, ``bin_high``, ``count``,
        ``mean_probability`` and ``frequency`` (null when empty). Starters without a forecast are left out.
    """
    column, places = OUTCOMES[outcome]
    results = labels.partition_by("event_id", as_dict=True)
    pieces = [
        align(forecast, results[(event_id,)]).filter(~pl.col("is_missing")).select(column, "position")
        for (event_id,), forecast in forecasts.group_by(["event_id"], maintain_order=True)
    ]
    frame = pl.concat(pieces) if pieces else pl.DataFrame(schema={column: pl.Float64, "position": pl.Int64})
    probability = frame[column].to_numpy()
    happened = (frame["position"] <= places).to_numpy().astype(np.float64)
    # a probability of exactly one belongs to the last bin
    index = np.minimum((probability * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    count = np.bincount(index, minlength=CALIBRATION_BINS)
    edges = np.arange(CALIBRATION_BINS + 1) / CALIBRATION_BINS
    table = pl.DataFrame(
        {
            "bin_low": edges[:-1],
            "bin_high": edges[1:],
            "count": count,
            "mean_probability": np.bincount(index, weights=probability, minlength=CALIBRATION_BINS),
            "frequency": np.bincount(index, weights=happened, minlength=CALIBRATION_BINS),
        }
    )
    share = pl.when(pl.col("count") > 0).then(pl.col("mean_probability", "frequency") / pl.col("count"))
    return table.with_columns(share)


def calibration_error(curve: pl.DataFrame) -> float | None:
    """Expected calibration error of a ``reliability`` curve: distance of said and seen, weighted by count."""
    total = curve["count"].sum()
    if not total:
        return None
    distance = (curve["mean_probability"] - curve["frequency"]).abs() * curve["count"]
    return float(distance.sum()) / float(total)


@dataclass(frozen=True)
class PairedDifference:
    """Mean difference of two models' scores on the same events, with its 90 % bootstrap interval."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def is_certain(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def paired_difference(a: Floats, b: Floats, seed: int, *, draws: int = 5_000) -> PairedDifference | None:
    """Bootstrap of ``a - b`` over events.

    Args:
        a: One model's score per event; NaN where unknown.
        b: The other's, same events in the same order.
        seed: Of the resampling.
        draws: Resamples.

    Returns:
        None when no event has both scores.

    Raises:
        ValueError: The two have different lengths.
    """
    if len(a) != len(b):
        raise ValueError(f"paired scores must belong to the same events: {len(a)} and {len(b)}")
    difference = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    difference = difference[np.isfinite(difference)]
    n = len(difference)
    if n == 0:
        return None
    chosen = np.random.default_rng(seed).integers(0, n, size=(draws, n))
    low, high = np.quantile(difference[chosen].mean(axis=1), (0.05, 0.95))
    return PairedDifference(float(difference.mean()), float(low), float(high), n)


def _dnf_log_loss(field: pl.DataFrame) -> float | None:
    """Mean over the starters that have a probability and can retire; None when nobody does."""
    if "dnf_probability" not in field.columns or "is_dnf" not in field.columns:
        return None
    known = field.drop_nulls(["dnf_probability", "is_dnf"])
    said = np.clip(known["dnf_probability"].cast(pl.Float64).to_numpy(), DNF_CLIP, 1 - DNF_CLIP)
    happened = known["is_dnf"].to_numpy().astype(bool)
    return _mean(-np.log(np.where(happened, said, 1 - said)))


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None


def _correlation(rank: Floats, actual: Floats) -> float | None:
    """Rank correlation; both are ranks already (tied ones averaged)."""
    if len(rank) < 2 or np.ptp(rank) == 0:
        return None
    return float(np.corrcoef(rank, actual)[0, 1])


def _column_error(field: pl.DataFrame, column: str) -> float | None:
    predicted = f"predicted_{column}"
    if predicted not in field.columns or column not in field.columns:
        return None
    error = (field[predicted] - field[column]).abs().drop_nulls()
    return float(error.to_numpy().mean()) if len(error) else None
