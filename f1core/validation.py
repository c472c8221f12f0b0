"""Checks a forecast before it is sealed: what is wrong stops it, what is unusual becomes part of the record."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from f1core.distributions import Distributions
from warehouse.errors import ContractViolation

TOLERANCE = 1e-6
MIN_COVERAGE = 0.85
MAX_GAP_S = 120.0
TOTALS = {"win_probability": 1, "podium_probability": 3, "points_probability": 10}


def check_entries(entries: Sequence[Mapping[str, Any]], *, model: str) -> None:
    """Refuses a forecast that contradicts itself.

    Args:
        entries: One mapping per driver with the columns of ``forecast_entries``.
        model: For the message.

    Raises:
        ContractViolation: The ranking is no permutation, probabilities do not sum to min(1, n), min(3, n), min(10, n) or
            contradict each other, gaps are negative or shrink down the order, an interval is reversed, or a driver without
            any race start is not flagged.
    """
    problems: list[str] = []
    count = len(entries)
    ordered = sorted(entries, key=lambda entry: entry["predicted_position"])
    if [entry["predicted_position"] for entry in ordered] != list(range(1, count + 1)):
        problems.append(f"the ranking is not 1 to {count}")
    if len({entry["driver_id"] for entry in entries}) != count:
        problems.append("a driver appears twice")
    for column, total in TOTALS.items():
        wanted, found = min(total, count), sum(entry[column] for entry in entries)
        if abs(found - wanted) > TOLERANCE * max(1, count):
            problems.append(f"{column} sums to {found:.6f}, not {wanted}")
        if any(not 0 <= entry[column] <= 1 + TOLERANCE for entry in entries):
            problems.append(f"{column} leaves 0 to 1")
    for entry in entries:
        win, podium, points = (entry[column] for column in TOTALS)
        if win > podium + TOLERANCE or podium > points + TOLERANCE:
            problems.append(f"{entry['driver_id']}: win, podium and points contradict each other")
        if not entry["position_low"] <= entry["position_high"]:
            problems.append(f"{entry['driver_id']}: the interval is reversed")
        if entry.get("career_starts") == 0 and entry["data_quality_flag"] == "ok":
            problems.append(f"{entry['driver_id']} has no race start and no flag")
    gaps = [entry["gap_s"] for entry in ordered if entry.get("gap_s") is not None]
    if any(gap < 0 for gap in gaps) or any(after < before for before, after in itertools.pairwise(gaps)):
        problems.append("gaps are negative or shrink down the order")
    _refuse(model, problems)


def check_distributions(entries: pl.DataFrame, found: Distributions, *, model: str) -> None:
    """Refuses what stands beside the entries when it contradicts them or itself; frames without rows say nothing.

    Args:
        entries: Rows of ``forecast_entries`` of one event and model.
        found: What the same model says beside them.
        model: For the message.

    Raises:
        ContractViolation: Places of a driver or drivers of a place do not sum to one; the probabilities of win, podium and
            points or the expected position are not those of the places; a pair is missing; contributions do not sum to the
            expected position.
    """
    problems: list[str] = []
    own = entries.sort("driver_id")
    drivers = own["driver_id"].to_list()
    count = len(drivers)
    expected = own["expected_position"].to_numpy()
    if found.positions.height:
        rows = found.positions.sort("driver_id", "position")
        wanted = [(driver, place) for driver in drivers for place in range(1, count + 1)]
        if rows.select("driver_id", "position").rows() != wanted:
            problems.append("the places are not 1 to n for each driver")
        else:
            matrix = rows["probability"].to_numpy().reshape(count, count)
            for axis, words in ((1, "the places of a driver"), (0, "the drivers of a place")):
                if np.abs(matrix.sum(axis=axis) - 1).max() > TOLERANCE * count:
                    problems.append(f"{words} do not sum to one")
            told = {column: matrix[:, :places].sum(axis=1) for column, places in TOTALS.items()}
            told["expected_position"] = matrix @ np.arange(1, count + 1)
            for column, values in told.items():
                if np.abs(values - own[column].to_numpy()).max() > TOLERANCE * count**2:
                    problems.append(f"{column} is not that of the places")
    if found.duels.height:
        pairs = sorted(found.duels.select("driver_id", "rival_id").rows())
        if pairs != list(itertools.combinations(drivers, 2)):
            problems.append("the pairs are not those of the drivers")
    if found.contributions.height:
        sums = dict(found.contributions.group_by("driver_id").agg(pl.col("places").sum()).iter_rows())
        if sums.keys() != set(drivers):
            problems.append("the contributions are not those of the drivers")
        elif np.abs(np.array([sums[driver] for driver in drivers]) - expected).max() > TOLERANCE * count:
            problems.append("contributions do not sum to the expected position")
    _refuse(model, problems)


def _refuse(model: str, problems: Sequence[str]) -> None:
    if problems:
        raise ContractViolation(
            f"The forecast of {model} is not sealed: " + "; ".join(problems) + ".",
            hint="This is a fault of the model, not of the data; nothing was written.",
        )


def warnings_of(
    *,
    feature_coverage: float,
    missing_events: Sequence[str],
    lineup_source: str,
    widest_gap_s: float | None,
    without_history: Sequence[str],
) -> list[str]:
    """What a reader of a forecast should be told, in words.

    Args:
        feature_coverage: Share of feature values that are known.
        missing_events: Earlier events without a result in the data.
        lineup_source: Where the field was read from.
        widest_gap_s: Predicted gap of the last car [s].
        without_history: Drivers who never started a race.
    """
    found = []
    if missing_events:
        names = ", ".join(missing_events)
        found.append(f"The results of {len(missing_events)} earlier race(s) are not in the data: {names}.")
    if feature_coverage < MIN_COVERAGE:
        found.append(f"Only {feature_coverage:.0%} of the feature values are known.")
    if lineup_source == "last_race":
        found.append("The field is that of the last known race.")
    if widest_gap_s is not None and widest_gap_s > MAX_GAP_S:
        found.append(f"The predicted gap of the last car is {widest_gap_s:.0f} s.")
    if without_history:
        found.append(f"No race start so far: {', '.join(without_history)}.")
    return found
