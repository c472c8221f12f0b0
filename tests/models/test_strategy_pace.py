"""Race pace before the race: nothing of the future, a planted blend is found, names and order do not matter."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from models.strategy.pace import FEATURES, PaceBlend, with_form

RACES, DRIVERS = 30, 12


def season_rows(seed: int = 3) -> pl.DataFrame:
    """Races of a field whose pace is fixed but for the day: qualifying and grid show it with noise."""
    rng = np.random.default_rng(seed)
    true = np.linspace(-1.0, 1.0, DRIVERS)
    frames = []
    for race in range(RACES):
        seen = true + rng.normal(0, 0.2, DRIVERS)
        qualifying = true + rng.normal(0, 0.3, DRIVERS)
        frames.append(
            pl.DataFrame(
                {
                    "event_id": [f"race {race:02d}"] * DRIVERS,
                    "season": [2020 + race // 15] * DRIVERS,
                    "driver_id": [f"driver {d:02d}" for d in range(DRIVERS)],
                    "constructor_id": [f"team {d // 2}" for d in range(DRIVERS)],
                    "grid": (qualifying.argsort().argsort() + 1.0).tolist(),
                    "qualifying_gap_pct": qualifying - qualifying.min(),
                    "rated_pace_pct": true * 0.5,
                    "rated_qualifying_pct": true * 0.5,
                    "race_pace_pct": seen,
                    "standard_error_pct": [0.1] * DRIVERS,
                }
            )
        )
    return pl.concat(frames)


def test_a_row_depends_on_no_later_race() -> None:
    rows = season_rows()
    early = rows.head(10 * DRIVERS)
    columns = [*FEATURES, "rated_qualifying"]
    assert with_form(rows).head(early.height).select(columns).equals(with_form(early).select(columns))


def test_its_own_race_is_not_in_the_form() -> None:
    rows = season_rows()
    last = pl.col("event_id") == f"race {RACES - 1:02d}"
    other = rows.with_columns(
        race_pace_pct=pl.when(last).then(-pl.col("race_pace_pct")).otherwise("race_pace_pct")
    )
    assert (
        with_form(rows).filter(last).select(FEATURES).equals(with_form(other).filter(last).select(FEATURES))
    )


def test_the_blend_beats_qualifying_alone() -> None:
    rows = with_form(season_rows())
    first, rest = rows.head(20 * DRIVERS), rows.tail(10 * DRIVERS)
    blend = PaceBlend.fit(first)
    by_race = rest.partition_by("event_id", maintain_order=True)
    missed = [np.abs(blend.predict(race) - race["target"].to_numpy()).mean() for race in by_race]
    alone = [np.abs(race["qualifying"].to_numpy() - race["target"].to_numpy()).mean() for race in by_race]
    assert np.mean(missed) < 0.8 * np.mean(alone)
    assert np.mean(missed) < 0.25


def test_relabelling_changes_nothing_else() -> None:
    rows = season_rows()
    renamed = rows.with_columns(
        driver_id=pl.format("z{}", 99 - pl.col("driver_id").str.slice(-2).cast(pl.Int64))
    )
    assert with_form(rows).select(FEATURES).equals(with_form(renamed).select(FEATURES))


def test_a_driver_without_a_time_is_taken_at_his_rating() -> None:
    rows = season_rows().with_columns(
        qualifying_gap_pct=pl.when(pl.col("driver_id") == "driver 03")
        .then(None)
        .otherwise("qualifying_gap_pct")
    )
    formed = with_form(rows)
    assert formed["qualifying"].null_count() == 0


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        PaceBlend.fit(with_form(season_rows().head(5 * DRIVERS)))
