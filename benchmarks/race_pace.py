"""Prints how well ratings foresee race pace, and what fitting laps costs: ``python benchmarks/race_pace.py [DATA_FOLDER]``.

The rating after the race before (driver and car together, brought over a winter) against the pace that the laps of the race
show: mean absolute error in % of a lap after each race's median is taken out, and rank correlation, both averaged over races.
Seasons 2018 to 2021, on which the settings were chosen.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import polars as pl

from f1core.gap_history import rated_before
from f1core.labels import race_labels
from f1core.ratings import lap_paces
from f1core.settings import load_settings
from models.lap_pace import fit_races
from models.pace_filter import SETTINGS
from warehouse.queries.results import race_result_lines
from warehouse.reader import Reader

FIRST, LAST = 2018, 2021
FARTHEST_PCT = 4.0
"""Beyond this a race pace is that of a damaged car."""


def foreseen(reader: Reader, paces: pl.DataFrame, rating_kind: str) -> tuple[int, float, float]:
    """Races, error [% of a lap] and rank correlation of a kind of rating before the races."""
    rows = race_labels(race_result_lines(reader, FIRST)).filter(pl.col("season") <= LAST)
    rated = rated_before(rows, reader, rating_kind, "driver") + rated_before(
        rows, reader, rating_kind, "constructor"
    )
    races = (
        rows.with_columns(rated=rated)
        .join(paces, on=["event_id", "driver_id"])
        .filter(pl.col("race_pace_pct").abs() < FARTHEST_PCT)
        .with_columns(miss=pl.col("race_pace_pct") - pl.col("rated"))
        .with_columns(miss=pl.col("miss") - pl.col("miss").median().over("event_id"))
        .group_by("event_id")
        .agg(pl.col("miss").abs().mean(), rank=pl.corr("rated", "race_pace_pct", method="spearman"))
    )
    return races.height, float(races["miss"].to_numpy().mean()), float(races["rank"].to_numpy().mean())


def main() -> None:
    """Prints both."""
    settings = load_settings(data=sys.argv[1]) if len(sys.argv) > 1 else load_settings()
    reader = Reader(settings.warehouse_root)
    laps = reader.query("select * from laps where session = 'race'")
    began = time.process_time()
    found = dict(fit_races(laps))
    seconds = time.process_time() - began
    count = sum(race.count_laps for race in found.values())
    print(
        f"{len(found)} races, {count} laps: {seconds:.2f} s of CPU, {1000 * seconds / len(found):.1f} ms a race"
    )
    paces = lap_paces(laps)
    print(f"{FIRST}-{LAST}: rating | races | error % of a lap | rank correlation")
    for kind in SETTINGS:
        races, miss, rank = foreseen(reader, paces, kind)
        print(f"{kind} | {races} | {miss:.3f} | {rank:.3f}")
    effects = pl.concat([race.effects.with_columns(lap_s=race.lap_s) for race in found.values()])
    print("Medians over races with at least 80 laps of the kind:")
    table = (
        effects.filter(pl.col("count_laps") >= 80)
        .group_by("effect", "name")
        .agg(pl.len().alias("races"), pl.col("value_pct").median(), pl.col("standard_error_pct").median())
        .sort("effect", "name")
    )
    for effect, name, races, value, error in table.iter_rows():
        print(f"{effect} {name} | {races} | {value:+.3f} % | {error:.3f}")


if __name__ == "__main__":
    main()
