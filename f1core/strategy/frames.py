"""Results of the simulator as frames: what the page, the API and the command line show and export.

``driver_id`` is the name of the car in the race. Compounds are the simulator's (``SOFT`` … ``WET``); the status of the
track is ``green`` or a word of :class:`warehouse.vocab.TrackStatus`.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from f1core.simulator.parameters import Race, TrackStatus
from f1core.simulator.result import History, Outcome
from f1core.simulator.rules import COMPOUNDS

_STATUS = tuple(status.name.lower() for status in TrackStatus)

POINTS_POSITIONS = 10
"""Positions that score points."""


def lap_frame(race: Race, outcome: Outcome, run: int = 0) -> pl.DataFrame:
    """Every lap of every car in one simulation; a row is a completed lap.

    Args:
        race: The race.
        outcome: A run with history.
        run: Number of the simulation.

    Returns:
        By finishing position and lap: driver_id, lap, time_s (since the start), lap_time_s, gap_s (to the leader on the
        same lap), laps_down (whole laps behind the leader on the road; at the flag and after it what is missing),
        position, compound and tyre_age_laps (of the set the lap was run on, age at the start of the lap, laps before the
        race included), stint_laps (laps raced on it before this lap), is_stop (came in at the end of the lap), status.

    Raises:
        ValueError: The run kept no history.
    """
    told = _history(outcome)
    laps, cars = race.laps, len(outcome.cars)
    order = np.argsort(outcome.position[run], kind="stable")
    time_s = told.time_s[run]
    frame = pl.DataFrame(
        {
            "driver_id": np.repeat(np.array(outcome.cars)[order], laps),
            "lap": np.tile(np.arange(1, laps + 1), cars),
            "time_s": time_s[:, order].T.ravel(),
            "lap_time_s": np.diff(time_s, axis=0, prepend=0.0)[:, order].T.ravel(),
            "gap_s": _gap_s(time_s)[:, order].T.ravel(),
            "laps_down": _laps_down(time_s)[:, order].T.ravel(),
            "position": told.position[run][:, order].T.ravel(),
            "compound": np.array(COMPOUNDS)[told.compound[run][:, order].T.ravel()],
            "tyre_age_laps": told.tyre_age[run][:, order].T.ravel(),
            "stint_laps": told.stint_laps[run][:, order].T.ravel(),
            "is_stop": told.stops[run][:, order].T.ravel(),
            "status": np.tile(np.array(_STATUS)[told.status[run]], cars),
        }
    )
    whole = ("lap", "laps_down", "position", "tyre_age_laps", "stint_laps")
    return frame.filter(pl.col("time_s").is_not_nan()).with_columns(pl.col(whole).cast(pl.Int64))


def stint_frame(race: Race, outcome: Outcome, run: int = 0) -> pl.DataFrame:
    """Stints of one simulation; a row is a car on one set of tyres.

    Args:
        race: The race.
        outcome: A run with history.
        run: Number of the simulation.

    Returns:
        By finishing position and stint: driver_id, stint (from 1), compound, first_lap, last_lap, laps (raced on the set),
        used_laps (age of the set when it was fitted: laps that were not raced).

    Raises:
        ValueError: The run kept no history.
    """
    laps = lap_frame(race, outcome, run)
    is_new = (pl.col("stint_laps") == 0).cast(pl.Int64)
    return (
        laps.with_columns(is_new.cum_sum().over("driver_id", order_by="lap").alias("stint"))
        .group_by("driver_id", "stint", maintain_order=True)
        .agg(
            pl.col("compound").first(),
            pl.col("lap").min().alias("first_lap"),
            pl.col("lap").max().alias("last_lap"),
            pl.len().cast(pl.Int64).alias("laps"),
            pl.col("tyre_age_laps").first().alias("used_laps"),
        )
    )


def finish_frame(outcome: Outcome) -> pl.DataFrame:
    """Where every car finishes over all simulations; a row is a car.

    Args:
        outcome: A run of any number of simulations.

    Returns:
        By mean position: driver_id, mean_position, position_error (standard error of the mean), median_position,
        low_position and high_position (80 % interval), win, podium, points (shares of the simulations), finishes (share
        in which the car sees the flag), time_s (mean race time where it does; null when it never does).
    """
    position = outcome.position.astype(float)
    runs = len(position)
    low, median, high = np.quantile(position, (0.1, 0.5, 0.9), axis=0, method="inverted_cdf")
    is_finish = ~np.isnan(outcome.time_s)
    many = is_finish.sum(axis=0)
    total = np.where(is_finish, outcome.time_s, 0.0).sum(axis=0)
    error = position.std(axis=0, ddof=1) / np.sqrt(runs) if runs > 1 else np.zeros(len(outcome.cars))
    frame = pl.DataFrame(
        {
            "driver_id": list(outcome.cars),
            "mean_position": position.mean(axis=0),
            "position_error": error,
            "median_position": median.astype(int),
            "low_position": low.astype(int),
            "high_position": high.astype(int),
            "win": (position == 1).mean(axis=0),
            "podium": (position <= 3).mean(axis=0),
            "points": (position <= POINTS_POSITIONS).mean(axis=0),
            "finishes": is_finish.mean(axis=0),
            "time_s": total / np.maximum(many, 1),
        }
    )
    never = pl.when(pl.col("finishes") > 0).then(pl.col("time_s"))
    return frame.with_columns(never.alias("time_s")).sort("mean_position", "driver_id")


def position_frame(outcome: Outcome) -> pl.DataFrame:
    """The distribution of the finish; a row is a car and a position that it takes in some simulation.

    Returns:
        By driver_id and position: driver_id, position, share (of the simulations).
    """
    shares = outcome.position_shares()
    cars, places = shares.shape
    return (
        pl.DataFrame(
            {
                "driver_id": np.repeat(np.array(outcome.cars), places),
                "position": np.tile(np.arange(1, places + 1), cars),
                "share": shares.ravel(),
            }
        )
        .filter(pl.col("share") > 0)
        .sort("driver_id", "position")
    )


def rejoin_frame(outcome: Outcome, run: int = 0) -> pl.DataFrame:
    """Where the cars come out after their stops in one simulation; a row is a stop.

    Args:
        outcome: A run with history.
        run: Number of the simulation.

    Returns:
        By lap and position: driver_id, lap (the in-lap), position (after the stop), ahead, gap_ahead_s, behind,
        gap_behind_s; null where there is no such car.

    Raises:
        ValueError: The run kept no history.
    """
    rows = [(car, *vars(stop).values()) for car in outcome.cars for stop in outcome.rejoins(car, run)]
    schema = {
        "driver_id": pl.String,
        "lap": pl.Int64,
        "position": pl.Int64,
        "ahead": pl.String,
        "gap_ahead_s": pl.Float64,
        "behind": pl.String,
        "gap_behind_s": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("lap", "position")


def lap_spread_frame(outcome: Outcome) -> pl.DataFrame:
    """Position and gap on every lap over all simulations; a row is a car and a lap that it completes in some simulation.

    Args:
        outcome: A run with history.

    Returns:
        By driver_id and lap: driver_id, lap, mean_position, low_position and high_position (80 % interval, retired cars at
        the back), gap_s (mean over the simulations in which it runs), running (share of the simulations).

    Raises:
        ValueError: The run kept no history.
    """
    told = _history(outcome)
    runs, laps, cars = told.position.shape
    ordered = np.sort(told.position, axis=0)
    gap = told.gap_s
    is_running = ~np.isnan(gap)
    many = is_running.sum(axis=0)
    mean_gap = np.where(is_running, gap, 0.0).sum(axis=0) / np.maximum(many, 1)
    return (
        pl.DataFrame(
            {
                "driver_id": np.tile(np.array(outcome.cars), laps),
                "lap": np.repeat(np.arange(1, laps + 1), cars),
                "mean_position": told.position.mean(axis=0).ravel(),
                "low_position": ordered[int(np.ceil(0.1 * runs)) - 1].ravel().astype(int),
                "high_position": ordered[int(np.ceil(0.9 * runs)) - 1].ravel().astype(int),
                "gap_s": mean_gap.ravel(),
                "running": (many / runs).ravel(),
            }
        )
        .filter(pl.col("running") > 0)
        .sort("driver_id", "lap")
    )


def _history(outcome: Outcome) -> History:
    if outcome.history is None:
        raise ValueError("frames of laps need a run with history")
    return outcome.history


def _gap_s(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gap to the leader on the same lap, (laps, cars) [s]."""
    return time_s - _leader_s(time_s)[:, None]


def _laps_down(time_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole laps that the leader is ahead when a car crosses the line, (laps, cars); from the flag on what is missing."""
    count = len(time_s)
    laps = np.arange(1, count + 1)[:, None]
    leader, own = _leader_s(time_s), np.nan_to_num(time_s)
    down = np.maximum(np.searchsorted(leader, own, side="right") - laps, 0)
    # A lapped car sees the flag at the end of the lap on which the leader finishes; the rest of its laps is not driven.
    is_after = own >= leader[-1]
    flag = np.where(is_after.any(axis=0), is_after.argmax(axis=0) + 1, count)
    return np.where(laps >= flag, count - flag, down)


def _leader_s(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """First time over the line on every lap, (laps,) [s]."""
    return np.where(np.isnan(time_s), np.inf, time_s).min(axis=1)
