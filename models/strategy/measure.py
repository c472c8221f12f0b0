"""Measures every race by itself: what its laps, stops, neutralisations and results say, and how surely.

Priors are weak and fixed, so that a race's numbers never depend on another race: drawing them together is left to
:mod:`models.strategy.pool`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from models.lap_pace import LAP_COLUMNS, NEAR_NAMES, LapPriors, RacePace, fit_race, gaps_ahead, green_laps
from models.strategy.incidents import neutralisations, neutralised_laps, retirements, starts
from models.strategy.parameters import DRY
from models.strategy.passing import passing
from models.strategy.rows import ROW_SCHEMA, said
from models.strategy.stops import pit_loss
from models.strategy.wet_pace import wet_pace
from warehouse.vocab import WET_COMPOUNDS, WET_LAP_SHARE, Compound

MEASURED_COLUMNS = (
    *LAP_COLUMNS,
    "position",
    "stint",
    "sector_2_s",
    "sector_3_s",
    "lap_start_session_s",
)
"""What is read of the ``laps`` table; neighbours of these columns change nothing."""
WEAK = LapPriors(
    compound_sd=1.0,
    wear_sd=0.15,
    dirty_air_sd=0.5,
)
"""Priors of one race. That of fuel and track stays: within a stint they cannot be told from wear."""
MIN_COMPOUND_LAPS = 60
"""Laps on a compound below which a race says nothing of it."""
MIN_RACE_LAPS = 150
ALONE_S = 1.5
"""Wear, compounds and fuel are read off laps that begin at least this far behind another car [s]: a car on newer tyres that
cannot pass hides what they are worth."""
OUTLIER = 3.0
SOFTEST_FIRST = (
    Compound.HYPERSOFT,
    Compound.ULTRASOFT,
    Compound.SUPERSOFT,
    Compound.SOFT,
    Compound.MEDIUM,
    Compound.HARD,
    Compound.SUPERHARD,
)


def by_rank(laps: pl.DataFrame) -> pl.DataFrame:
    """Laps with slicks named by their rank in the weekend: only 2018 had more than three names.

    There the softest that was raced on 5 % of the laps or more counts as soft, the next as medium, what is harder as hard.
    """
    seven = [name.value for name in SOFTEST_FIRST if name.value not in DRY]
    old = laps.filter(pl.col("compound").is_in(seven))["event_id"].unique().implode()
    is_old = pl.col("event_id").is_in(old)
    slick = laps.filter(is_old & pl.col("compound").is_in([name.value for name in SOFTEST_FIRST]))
    if slick.is_empty():
        return laps
    order = {name.value: place for place, name in enumerate(SOFTEST_FIRST)}
    ranks = (
        slick.group_by("event_id", "compound")
        .len()
        .filter(pl.col("len") >= 0.05 * pl.col("len").sum().over("event_id"))
        .with_columns(place=pl.col("compound").replace_strict(order, return_dtype=pl.Int64))
        .sort("event_id", "place")
        .with_columns(rank=pl.int_range(pl.len()).over("event_id").clip(0, 2))
        .select("event_id", "compound", ranked=pl.col("rank").replace_strict(dict(enumerate(DRY))))
    )
    # A set hardly raced says nothing of a rank.
    named = (
        pl.when(pl.col("compound").is_in([name.value for name in WET_COMPOUNDS]))
        .then("compound")
        .otherwise(pl.lit(Compound.UNKNOWN.value))
    )
    return (
        laps.join(ranks, on=["event_id", "compound"], how="left", maintain_order="left")
        .with_columns(
            compound=pl.when(is_old).then(pl.coalesce("ranked", named)).otherwise(pl.col("compound"))
        )
        .drop("ranked")
    )


def measurements(laps: pl.DataFrame, periods: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """What each of some races says.

    Args:
        laps: Rows of the ``laps`` table (columns :data:`MEASURED_COLUMNS`) of one session per event, any order.
        periods: Rows of ``track_status_periods`` of the same sessions.
        results: Rows of ``race_results`` of the same sessions.

    Returns:
        ``event_id, parameter, part, value, standard_error, spread, count_samples, unit``: one row per event, parameter and
        part (compound, gap class, class of advantage, or nothing), ordered by them. Parameters that a race does not show
        have no row there. ``standard_error`` is that of the value, ``spread`` the standard deviation within the race.
    """
    if laps.is_empty():
        return pl.DataFrame(schema=ROW_SCHEMA)
    rows = by_rank(laps.select(MEASURED_COLUMNS)).sort("event_id", "car_number", "lap_number")
    events = rows.select(pl.col("event_id").unique().sort())
    here = pl.col("event_id").is_in(events["event_id"].implode())
    green = green_laps(rows)
    wet = pl.col("compound").is_in([name.value for name in WET_COMPOUNDS])
    share = rows.group_by("event_id").agg(share=wet.mean())
    usual = (
        green.group_by("event_id")
        .agg(value=pl.col("lap_s").first(), count_samples=pl.len())
        .filter(pl.col("count_samples") >= MIN_RACE_LAPS)
        .join(share.filter(pl.col("share") <= WET_LAP_SHARE), on="event_id", how="semi")
        .sort("event_id")
    )
    effects, expected = _lap_effects(green.join(usual, on="event_id", how="semi"))
    parts = [
        said(usual, "lap", "s"),
        effects,
        pit_loss(rows),
        neutralisations(periods.filter(here), events),
        neutralised_laps(rows, usual.select("event_id", lap_s="value"), gaps_ahead(rows)),
        starts(rows, results.filter(here)),
        retirements(results.filter(here)),
        passing(rows, expected),
        wet_pace(rows),
    ]
    return pl.concat(parts).sort("event_id", "parameter", "part")


def _lap_effects(green: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What lap times say of dry races, and what every lap should have taken with nobody ahead [s]."""
    effects, noise, correlation, expected = [], [], [], []
    for event, rows in _by_event(green):
        found = fit_race(rows, WEAK)
        if found is None:
            continue
        alone = fit_race(rows.filter(pl.col("ahead_s").is_null() | (pl.col("ahead_s") >= ALONE_S)), WEAK)
        effects += [
            {"event_id": event, **row}
            for fit, is_air in ((found, True), (alone or found, False))
            for row in _effect_rows(fit)
            if (row["parameter"] == "dirty_air") == is_air
        ]
        free, near = predicted(rows, found)
        residual = rows["lap_pct"].to_numpy() - free - near
        n = len(residual)
        noise.append(
            {
                "event_id": event,
                "value": found.residual_pct,
                "standard_error": found.residual_pct / np.sqrt(2 * n),
                "count_samples": n,
            }
        )
        correlation.append({"event_id": event, **_autocorrelation(rows, residual, found.residual_pct)})
        expected.append(
            rows.select("event_id", "driver_id", "lap_number").with_columns(
                free_s=found.lap_s * np.exp(free / 100.0)
            )
        )
    schema: dict[str, Any] = {
        "event_id": pl.String,
        "driver_id": pl.String,
        "lap_number": green.schema["lap_number"],
        "free_s": pl.Float64,
    }
    frames = [
        said([row for row in effects if row["parameter"] == name], name, "% of the lap")
        for name in ("evolution", "wear", "offset", "dirty_air")
    ]
    return (
        pl.concat(
            [*frames, said(noise, "noise_sd", "% of the lap"), said(correlation, "noise_autocorrelation", "")]
        ),
        pl.concat([pl.DataFrame(schema=schema), *expected]),
    )


def _by_event(green: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for (event,), rows in green.group_by(["event_id"], maintain_order=True):
        yield str(event), rows


def _effect_rows(found: RacePace) -> Iterator[dict[str, object]]:
    """Coefficients of a race that enough laps speak of; compounds against the medium one."""
    rows = {(row["effect"], row["name"]): row for row in found.effects.iter_rows(named=True)}
    medium = rows.get(("compound", Compound.MEDIUM.value))
    for (effect, name), row in rows.items():
        head = {"count_samples": row["count_laps"], "value": row["value_pct"]}
        error = row["standard_error_pct"]
        is_seen = row["count_laps"] >= MIN_COMPOUND_LAPS
        if effect == "evolution":
            yield {"parameter": "evolution", "part": "", "standard_error": error, **head}
        elif effect == "dirty_air":
            yield {"parameter": "dirty_air", "part": name, "standard_error": error, **head}
        elif effect == "wear" and is_seen and name in DRY:
            yield {"parameter": "wear", "part": name, "standard_error": error, **head}
        elif effect == "compound" and is_seen and name in DRY and row is not medium:
            if medium is None or medium["count_laps"] < MIN_COMPOUND_LAPS:
                continue
            yield {
                "parameter": "offset",
                "part": name,
                **head,
                "value": row["value_pct"] - medium["value_pct"],
                "standard_error": float(np.hypot(error, medium["standard_error_pct"])),
            }


def predicted(rows: pl.DataFrame, found: RacePace) -> tuple[np.ndarray, np.ndarray]:
    """What a fit says of laps [100 times the logarithm of the lap over ``lap_s``]: with nobody ahead, and the loss behind.

    Args:
        rows: Rows of :func:`models.lap_pace.green_laps` of the race that was fitted; drivers without a pace count as the
            middle one.
        found: The fit.
    """
    effects = {
        (row[0], row[1]): row[2] for row in found.effects.select("effect", "name", "value_pct").iter_rows()
    }
    pace = dict(found.drivers.select("driver_id", "race_pace_pct").iter_rows())
    compounds = rows["compound"]
    wear = {name: value for (effect, name), value in effects.items() if effect == "wear"}
    offset = {name: value for (effect, name), value in effects.items() if effect == "compound"}
    age = rows["tyre_laps"].cast(pl.Float64)
    age = age.fill_null(age.median() or 0.0)
    by = lambda series, table: series.replace_strict(table, default=0.0, return_dtype=pl.Float64).to_numpy()  # noqa: E731
    free = (
        by(rows["driver_id"], pace)
        + effects[("evolution", "race")] * (rows["race_share"].to_numpy() - 0.5)
        + by(compounds, offset)
        + by(compounds, wear) * age.to_numpy()
    )
    ahead = rows["ahead_s"].fill_null(float("inf")).to_numpy()
    losses = np.array([*(effects[("dirty_air", name)] for name in NEAR_NAMES), 0.0])
    near = losses[np.searchsorted([1.0, 2.0, 3.0], ahead, side="right")]
    return free + float(np.median(rows["lap_pct"].to_numpy() - free - near)), near


def _autocorrelation(rows: pl.DataFrame, residual: np.ndarray, sd: float) -> dict[str, float]:
    """Correlation of what the model leaves of neighbouring laps of a driver; wild laps are cut."""
    cut = np.clip(residual, -OUTLIER * sd, OUTLIER * sd)
    driver, lap = rows["driver_id"].to_numpy(), rows["lap_number"].to_numpy()
    follows = (driver[1:] == driver[:-1]) & (lap[1:] == lap[:-1] + 1)
    one, other = cut[:-1][follows], cut[1:][follows]
    n = max(len(one), 1)
    scale = max(float(np.mean(cut**2)), 1e-12)
    return {
        "value": float(np.mean(one * other)) / scale if len(one) else float("nan"),
        "standard_error": 1.0 / np.sqrt(n),
        "count_samples": n,
    }
