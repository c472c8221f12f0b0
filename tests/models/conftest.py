"""Invented seasons with known strengths: the fast start in front and finish in front, mostly."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from models.race_model import ForestBoostingModel


def invented_races(
    *, seasons: int = 4, races: int = 8, drivers: int = 12, seed: int = 1
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Features (one stage) and labels of ``seasons`` x ``races`` events; driver k is the k-th fastest."""
    rng = np.random.default_rng(seed)
    features, labels = [], []
    for season in range(2020, 2020 + seasons):
        for race in range(races):
            event_id = f"{season}-race-{race:02d}"
            pace = np.arange(drivers) * 0.3
            grid = np.argsort(np.argsort(pace + rng.normal(0, 0.7, drivers))) + 1
            finish = pace + 0.15 * grid + rng.normal(0, 1.0, drivers)
            retired = rng.random(drivers) < 0.1
            position = np.argsort(np.argsort(finish + 100 * retired)) + 1
            features.append(
                pl.DataFrame(
                    {
                        "event_id": event_id,
                        "season": season,
                        "driver_id": [f"driver-{k:02d}" for k in range(drivers)],
                        "constructor_id": [f"team-{k // 2}" for k in range(drivers)],
                        "stage": "pre_race",
                        "grid_position": grid.astype(float),
                        "elo_combined": 1700.0 - 40.0 * np.arange(drivers) + rng.normal(0, 10, drivers),
                        "championship_position": np.arange(1.0, drivers + 1),
                        "practice_gap_pct": np.where(
                            rng.random(drivers) < 0.2, np.nan, pace + rng.normal(0, 0.5, drivers)
                        ),
                        "data_quality_flag": "ok",
                        "feature_coverage": 1.0,
                    }
                ).with_columns(pl.col("practice_gap_pct").fill_nan(None))
            )
            labels.append(
                pl.DataFrame(
                    {
                        "event_id": event_id,
                        "driver_id": [f"driver-{k:02d}" for k in range(drivers)],
                        "position": position,
                        "is_classified": ~retired,
                    }
                )
            )
    return pl.concat(features), pl.concat(labels)


def invented_results(
    *,
    seasons: int = 5,
    races: int = 15,
    teams: int = 10,
    seed: int = 3,
    result_noise: float = 0.8,
) -> tuple[pl.DataFrame, dict[str, float], dict[str, float]]:
    """Results in the form ratings are computed from, with the true effect of each driver and constructor.

    Drivers change teams every winter, so that driver and car can be told apart; the teams' effects stay.
    """
    rng = np.random.default_rng(seed)
    n = 2 * teams
    driver = rng.normal(0, 0.4, n)
    car = np.linspace(-1.0, 1.0, teams)
    rows = []
    for season in range(seasons):
        seats = rng.permutation(n)
        team_of = np.empty(n, dtype=int)
        team_of[seats] = np.arange(n) // 2
        for race in range(races):
            pace = driver + car[team_of] + rng.normal(0, 0.3, n)
            position = np.argsort(np.argsort(driver + car[team_of] + rng.normal(0, result_noise, n))) + 1
            known_at = dt.datetime(2000 + season, 3, 1, tzinfo=dt.UTC) + dt.timedelta(days=7 * race)
            rows += [
                {
                    "event_id": f"{2000 + season}-race-{race:02d}",
                    "season": 2000 + season,
                    "known_at": known_at,
                    "driver_id": f"driver-{k:02d}",
                    "constructor_id": f"team-{team_of[k]}",
                    "position": int(position[k]),
                    "qualifying_gap_pct": float(pace[k] - pace.min()),
                }
                for k in range(n)
            ]
    return (
        pl.DataFrame(rows),
        {f"driver-{k:02d}": float(driver[k]) for k in range(n)},
        {f"team-{k}": float(car[k]) for k in range(teams)},
    )


@pytest.fixture(scope="session")
def races() -> tuple[pl.DataFrame, pl.DataFrame]:
    return invented_races()


@pytest.fixture(scope="session")
def planted() -> tuple[pl.DataFrame, dict[str, float], dict[str, float]]:
    return invented_results()


@pytest.fixture(scope="session")
def trained(races: tuple[pl.DataFrame, pl.DataFrame]) -> ForestBoostingModel:
    features, labels = races
    return ForestBoostingModel(samples=500, threads=1).fit(features.filter(pl.col("season") < 2023), labels)


def check_forecast(forecast: pl.DataFrame) -> None:
    """What is true of every forecast of every model."""
    # What a model says nothing of.
    known = forecast.drop("dnf_probability", "expected_points", strict=False)
    assert known.null_count().sum_horizontal().item() == 0
    for field in forecast.partition_by("event_id"):
        n = field.height
        assert field["predicted_position"].sort().to_list() == list(range(1, n + 1))
        for column, places in (("win", 1), ("podium", 3), ("points", 10)):
            assert abs(field[f"{column}_probability"].sum() - min(places, n)) < 1e-9
            assert field[f"{column}_probability"].is_between(0, 1).all()
        assert (field["podium_probability"] >= field["win_probability"]).all()
        assert (field["points_probability"] >= field["podium_probability"]).all()
        for column in ("expected_position", "median_position", "position_low", "position_high"):
            assert field[column].is_between(1, n).all()
        assert (field["position_low"] <= field["position_high"]).all()


@pytest.fixture(scope="session")
def check():
    return check_forecast
