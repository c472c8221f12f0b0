"""What Home says beside the forecast: the odds of rain, what moved since the last stage, how the last race was called."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from models.intervals import wilson_interval
from warehouse.queries.weather import latest_forecast, wet_races
from warehouse.reader import Reader
from warehouse.vocab import SessionKind


@dataclass(frozen=True)
class RainOdds:
    """How likely rain is in a race.

    Attributes:
        probability: Of rain in the race: the largest of its hours' probabilities, or the share of wet races.
        is_forecast: Whether a weather forecast says so; otherwise it is the circuit's past.
        issued_at: When the forecast was issued (UTC); None for the past.
        count: Races the share stands on; hours of the forecast.
        low: Lower end of the share's 80 % interval; None for a forecast.
        high: Upper end.
    """

    probability: float
    is_forecast: bool
    issued_at: dt.datetime | None
    count: int
    low: float | None = None
    high: float | None = None


def rain_odds(reader: Reader, event_id: str, circuit_id: str, now: dt.datetime) -> RainOdds | None:
    """Odds of rain in a race: the newest stored forecast, else the share of the circuit's races that were wet.

    A race was wet when more than 2 % of its laps were on intermediates or full wets; laps are known from 2018 on.

    Args:
        reader: The warehouse.
        event_id: The event.
        circuit_id: Where it is held.
        now: Nothing known later is seen.

    Returns:
        The odds; None where neither is known.
    """
    hours = latest_forecast(reader, event_id, now).filter(
        (pl.col("session") == SessionKind.RACE) & pl.col("precipitation_probability_pct").is_not_null()
    )
    if hours.height:
        worst = hours["precipitation_probability_pct"].max()
        assert isinstance(worst, float)
        return RainOdds(worst / 100, True, hours["issued_at"].max(), hours.height)  # type: ignore[arg-type]
    past = wet_races(reader, circuit_id, now)
    if past.is_empty():
        return None
    wet, count = int(past["is_wet"].sum()), past.height
    low, high = wilson_interval(wet, count, 0.80)
    return RainOdds(wet / count, False, None, count, low, high)


def moved(rows: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Forecast rows with what changed since an earlier stage.

    Args:
        rows: Of the forecast shown: ``driver_id, predicted_position, win_probability`` and more.
        earlier: Rows of the earlier one: the same columns at least.

    Returns:
        The rows with ``moved`` (places gained since, positive is forward) and ``win_change`` [0 to 1]; both are null for
        drivers the earlier forecast did not have.
    """
    was = earlier.select("driver_id", was="predicted_position", won="win_probability")
    return (
        rows.join(was, on="driver_id", how="left", maintain_order="left")
        .with_columns(
            moved=pl.col("was") - pl.col("predicted_position"),
            win_change=pl.col("win_probability") - pl.col("won"),
        )
        .drop("was", "won")
    )


@dataclass(frozen=True)
class Call:
    """What was said of a race, and what happened.

    Attributes:
        named: The driver named as winner.
        named_probability: Probability of winning he was given.
        named_result: His official result, e.g. ``3`` or ``DNF``; None when he did not start.
        winner: Who won.
        winner_probability: Probability of winning the winner was given; None when he was not in the forecast.
        podium_hits: How many of the three likeliest podium finishers finished on it.
        places_off: Mean distance between predicted and official place over the starters [places].
        best: Who was called best: driver and miss [places].
        worst: Who was called worst.
    """

    named: str
    named_probability: float
    named_result: str | None
    winner: str
    winner_probability: float | None
    podium_hits: int
    places_off: float
    best: tuple[str, int]
    worst: tuple[str, int]


def call_of(rows: pl.DataFrame) -> Call | None:
    """Grades a forecast.

    Args:
        rows: As in :func:`f1core.review.review`.

    Returns:
        The grade; None without a result.
    """
    raced = rows.filter(pl.col("position").is_not_null() & pl.col("predicted_position").is_not_null())
    if raced.is_empty() or not (rows["position"] == 1).any():
        return None
    named = rows.sort("win_probability", descending=True, nulls_last=True).row(0, named=True)
    winner = rows.filter(pl.col("position") == 1).row(0, named=True)
    likely = rows.sort("podium_probability", descending=True, nulls_last=True).head(3)
    order = raced.with_columns(off=pl.col("miss").abs()).sort("off", "predicted_position")
    best, worst = order.row(0, named=True), order.row(-1, named=True)
    off = order["off"].mean()
    assert isinstance(off, float)
    return Call(
        named["driver_name"],
        named["win_probability"],
        named["position_text"],
        winner["driver_name"],
        winner["win_probability"],
        int((likely["position"] <= 3).sum()),
        off,
        (best["driver_name"], best["miss"]),
        (worst["driver_name"], worst["miss"]),
    )
