"""Prints how well laps are foretold: ``python benchmarks/strategy_laps.py [DATA_FOLDER] [FIRST_SEASON LAST_SEASON]``.

Three forms of the protocol, over dry races (at most 2 % of laps on intermediates or wets), on racing laps only: a fifth of
the laps drawn at random; every driver's last stint; everything after the first third of the race. Parameters of the circuit
come from races known before the race. What the model is given of the laps to be foretold: tyres, stops, neutralisations and
who was how far ahead when the lap began; without traffic, the last is kept from it. Beside it the driver's median lap of
what is known. Mean absolute error [s] by season over laps of drivers with at least five known laps, and the mean of the
seasons; standard errors are over races. Settings were chosen on every second race of 2019 to 2023.
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.strategy_tables import Wanted, mean_error, table, verdicts
from f1core.settings import load_settings
from f1core.strategy.fit import MIN_RACES
from models.strategy.lap_model import LapModelSettings, LapPriors, foretell
from models.strategy.lap_situation import SITUATION_COLUMNS, lap_situations
from models.strategy.pool import pool
from warehouse.queries.strategy import measurements, race_facts
from warehouse.reader import Reader
from warehouse.vocab import WET_COMPOUNDS, WET_LAP_SHARE

Bools = NDArray[np.bool_]
FORMS = ("random fifth", "last stint", "after the first third")
SHOWN = ("model_s", "without_traffic_s", "baseline_s")
FIRST, LAST = 2018, 2026
FROM = 2022
"""First season of those the figures are asked for."""
MIN_KNOWN = 5
MIN_LAPS = 150


def unknown_laps(rows: pl.DataFrame, form: str) -> Bools:
    """Laps that are to be foretold in a form of the protocol."""
    if form == FORMS[0]:
        rng = np.random.default_rng(zlib.crc32(str(rows["event_id"][0]).encode()))
        return np.asarray(rng.random(rows.height) < 0.2)
    if form == FORMS[1]:
        last = rows.select(
            (pl.col("stint") == pl.col("stint").max().over("driver_id"))
            & (pl.col("stint").n_unique().over("driver_id") > 1)
        )
        return last.to_series().to_numpy()
    return (rows["lap_number"] > rows["laps_in_race"] / 3).to_numpy()


def driver_median(rows: pl.DataFrame, is_known: Bools) -> NDArray[np.float64]:
    """The baseline: the driver's median known lap [s]."""
    lap_s = rows["lap_s"] * (rows["lap_pct"] / 100.0).exp()
    known = pl.DataFrame({"driver_id": rows["driver_id"], "lap": lap_s}).filter(is_known)
    medians = dict(known.group_by("driver_id").agg(pl.col("lap").median()).iter_rows())
    return rows["driver_id"].replace_strict(medians, default=float("nan"), return_dtype=pl.Float64).to_numpy()


def without_traffic(rows: pl.DataFrame, is_known: Bools) -> pl.DataFrame:
    """The laps without who was ahead, or about to lap, where they are to be foretold."""
    known = pl.Series(is_known)
    return rows.with_columns(
        ahead_s=pl.when(known).then("ahead_s"),
        ahead_id=pl.when(known).then("ahead_id"),
        is_blue=pl.col("is_blue") & known,
    )


def dry_races(reader: Reader, first: int, last: int) -> Iterator[tuple[str, int, pl.DataFrame]]:
    """Event, season and racing laps of dry races."""
    laps = race_facts(reader, SITUATION_COLUMNS)[0].filter(
        pl.col("event_id").str.slice(0, 4).cast(pl.Int32).is_between(first, last)
    )
    wet = pl.col("compound").is_in([name.value for name in WET_COMPOUNDS])
    dry = laps.group_by("event_id").agg(share=wet.mean()).filter(pl.col("share") <= WET_LAP_SHARE)
    rows = lap_situations(laps.join(dry, on="event_id", how="semi"))
    for (event,), own in rows.group_by(["event_id"], maintain_order=True):
        if own.height >= MIN_LAPS:
            yield str(event), int(str(event)[:4]), own


def priors_before(measured: pl.DataFrame, event_id: str, lap_s: float) -> LapPriors:
    """The circuit's parameters from races known before this one was."""
    own = measured.filter(pl.col("event_id") == event_id)
    if own.is_empty():
        return LapPriors()
    before = measured.filter(pl.col("known_at") < own["known_at"].min())
    if before["event_id"].n_unique() < MIN_RACES:
        return LapPriors()
    return LapPriors.of(pool(before, own["circuit_id"][0], lap_s))


def race_errors(
    reader: Reader, first: int, last: int, settings: LapModelSettings | None = None
) -> pl.DataFrame:
    """Absolute errors, summed over a race: ``season, form, event_id, laps`` and those of :data:`SHOWN` [s]."""
    measured = measurements(reader)
    found = []
    for event, season, rows in dry_races(reader, first, last):
        priors = priors_before(measured, event, float(rows["lap_s"][0]))
        truth = (rows["lap_s"] * (rows["lap_pct"] / 100.0).exp()).to_numpy()
        for form in FORMS:
            unknown = unknown_laps(rows, form)
            known = pl.DataFrame({"driver_id": rows["driver_id"], "known": ~unknown})
            count = known.select(pl.col("known").sum().over("driver_id")).to_series().to_numpy()
            scored = unknown & (count >= MIN_KNOWN)
            if not scored.any():
                continue
            miss = np.abs(foretell(rows, ~unknown, priors, settings) - truth)[scored]
            hidden = without_traffic(rows, ~unknown)
            alone = np.abs(foretell(hidden, ~unknown, priors, settings) - truth)[scored]
            base = np.abs(driver_median(rows, ~unknown) - truth)[scored]
            found.append((season, form, event, int(scored.sum()), miss.sum(), alone.sum(), base.sum()))
    return pl.DataFrame(found, schema=["season", "form", "event_id", "laps", *SHOWN], orient="row")


def errors(reader: Reader, first: int, last: int, settings: LapModelSettings | None = None) -> pl.DataFrame:
    """Mean absolute errors by season and form: ``season, form, laps, races`` and those of :data:`SHOWN`."""
    return by_season(race_errors(reader, first, last, settings))


def by_season(found: pl.DataFrame) -> pl.DataFrame:
    """Mean absolute error of a lap, by form and season."""
    return (
        found.group_by("season", "form")
        .agg(pl.col("laps", *SHOWN).sum(), races=pl.len())
        .with_columns(pl.col(SHOWN) / pl.col("laps"))
        .sort("form", "season")
    )


def season_error(found: pl.DataFrame, name: str) -> tuple[float, float]:
    """Mean of the seasons' errors of one form, and its standard error over races (a season is a ratio of sums)."""
    means, variances = [], []
    for _, rows in found.group_by("season", maintain_order=True):
        laps, missed = rows["laps"].to_numpy(), rows[name].to_numpy()
        mean = missed.sum() / laps.sum()
        _, error = mean_error((missed - mean * laps) / laps.mean())
        means.append(mean)
        variances.append(error**2)
    return float(np.mean(means)), float(np.sqrt(np.sum(variances)) / len(means))


def report(reader: Reader, first: int = FIRST, last: int = LAST) -> Iterator[str]:
    """Lines of the lap-time part of the page."""
    found = race_errors(reader, first, last)
    yield from verdicts(list(_wanted(found)))
    shown = by_season(found)
    for form in FORMS:
        yield f"### MAE of a lap, {form} [s]"
        yield ""
        rows = [
            [str(row["season"]), str(row["races"]), f"{row['laps']:,}", *(f"{row[n]:.3f}" for n in SHOWN)]
            for row in shown.filter(pl.col("form") == form).iter_rows(named=True)
        ]
        own = found.filter(pl.col("form") == form)
        for words, part in (("mean of seasons", own), (f"{FROM} on", own.filter(pl.col("season") >= FROM))):
            if part.height:
                means = [season_error(part, name) for name in SHOWN]
                told = [f"{mean:.3f} ± {error:.3f}" for mean, error in means]
                rows.append([words, str(part.height), f"{part['laps'].sum():,}", *told])
        yield from table(
            ["season", "races", "laps", "model", "model without traffic", "driver's median"], rows
        )
        yield ""


def _wanted(found: pl.DataFrame) -> Iterator[Wanted]:
    for form, must, aim in zip(FORMS, (0.42, 0.70, 0.92), (0.38, 0.58, 0.75), strict=True):
        rows = found.filter((pl.col("form") == form) & (pl.col("season") >= FROM))
        if rows.is_empty():
            continue
        count = f"{rows.height} dry races {rows['season'][0]}–{rows['season'][-1]}"
        for words, name in (("", "model_s"), (", traffic not given", "without_traffic_s")):
            value, error = season_error(rows, name)
            yield Wanted(f"lap-time MAE, {form}{words} [s]", value, error, count, must, aim)


def main() -> None:
    """Prints the tables."""
    arguments = sys.argv[1:]
    settings = load_settings(data=arguments[0]) if arguments else load_settings()
    seasons = (int(arguments[1]), int(arguments[2])) if len(arguments) > 2 else (FIRST, LAST)
    began = time.process_time()
    print("\n".join(report(Reader(settings.warehouse_root), *seasons)))
    print(f"{time.process_time() - began:.0f} s of CPU", file=sys.stderr)


if __name__ == "__main__":
    main()
