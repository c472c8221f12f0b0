"""A ranking of strategies as tables show it, and as plain data for the API, the command line and a file."""

from __future__ import annotations

from typing import Any

import polars as pl

from f1core.strategy.optimiser import Ranked, Ranking
from f1core.strategy.views import plain_numbers, short_plan


def ranking_table(ranking: Ranking) -> pl.DataFrame:
    """The best strategies and, as rank 0, the driver's own one.

    Returns:
        rank, words (the plan), position (mean), error, low, high (80 %), behind (places lost on the best, with its error and
        whether it is a tie), windows (laps of every stop), free_air_s.
    """
    rows = [*ranking.top, *([ranking.own] if ranking.own else [])]
    return pl.DataFrame(
        [
            {
                "rank": one.rank,
                "words": short_plan(one.plan),
                "position": one.expected.mean_position,
                "error": one.expected.position_error,
                "low": one.expected.low_position,
                "high": one.expected.high_position,
                "behind": behind_words(one),
                "windows": window_words(one),
                "free_air_s": one.free_air_s,
            }
            for one in rows
        ],
        schema={
            "rank": pl.Int64,
            "words": pl.String,
            "position": pl.Float64,
            "error": pl.Float64,
            "low": pl.Int64,
            "high": pl.Int64,
            "behind": pl.String,
            "windows": pl.String,
            "free_air_s": pl.Float64,
        },
    )


def behind_words(one: Ranked) -> str:
    """What a strategy loses on the best one; a tie is called one."""
    if one.rank == 1:
        return "best"
    gained = one.to_best
    words = f"{gained.places_gained:+.2f} ± {gained.places_error:.2f}"
    return f"tie ({words})" if one.is_tie else words


def window_words(one: Ranked) -> str:
    """The laps of every stop: ``18–25, 40–46``."""
    return ", ".join(f"{first}–{last}" for first, last in one.windows) or "–"


def ranking_data(ranking: Ranking) -> dict[str, Any]:
    """A ranking as plain data, with the names of the API."""
    found = {
        "event_id": ranking.event_id,
        "driver_id": ranking.driver_id,
        "seed": ranking.what_if.seed,
        "runs": ranking.runs,
        "candidates": ranking.candidates,
        "strategies": [strategy_data(one) for one in ranking.top],
        "own": strategy_data(ranking.own) if ranking.own else None,
        "notes": list(ranking.notes),
    }
    return {name: plain_numbers(value) for name, value in found.items()}


def strategy_data(one: Ranked) -> dict[str, Any]:
    """One strategy as plain data."""
    return {
        "rank": one.rank,
        "start_tire": one.plan.start,
        "pit_stops": [{"lap": stop.lap, "tire": stop.compound} for stop in one.plan.stops],
        "expected_position": one.expected.mean_position,
        "position_error": one.expected.position_error,
        "places_to_best": one.to_best.places_gained,
        "places_to_best_error": one.to_best.places_error,
        "time_to_best": one.to_best.time_gained_s,
        "is_tie": one.is_tie,
        "free_air_s": one.free_air_s,
        "windows": [{"first_lap": first, "last_lap": last} for first, last in one.windows],
    }


def odds_table(odds: pl.DataFrame) -> pl.DataFrame:
    """The odds against a rival: lap, kind, ahead, error and learned [%], gap_after_s.

    Args:
        odds: Of one rival, as in :func:`f1core.strategy.expectations.odds_against`.
    """
    return odds.sort("lap").select("lap", "kind", pl.col("ahead", "error", "learned") * 100, "gap_after_s")


def odds_data(odds: pl.DataFrame) -> list[dict[str, Any]]:
    """The odds against a rival as plain data, with the names of the API."""
    rows = odds.sort("lap").select(
        "lap",
        "kind",
        rival_lap="rival_lap",
        probability_ahead="ahead",
        probability_error="error",
        probability_learned="learned",
        gap_after_s="gap_after_s",
    )
    return [plain_numbers(row) for row in rows.to_dicts()]
