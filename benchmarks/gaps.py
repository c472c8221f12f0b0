"""Prints how far forecasts of the gap to the winner are off: ``python benchmarks/gaps.py [DATA_FOLDER] [--from 2014] [--to 2021]``.

Walk-forward at stage ``pre_race``: before every race, what was known then. The baseline is the median gap per place over the
last 66 races, applied to the predicted order; the model is the one forecasts are published with, on the same order. Orders
are a stand-in (grid, race pace rating and qualifying gap, regressed on earlier races), and those of the forecasts in the
backtest tables. Judged are cars classified on the lead lap; means over cars, then over races. Choices were made on 2014-2021.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl

from f1core.gap_history import gap_history
from f1core.labels import FIRST_SEASON
from f1core.settings import load_settings
from models.gap_model import PACE_COLUMNS, QUANTILES
from models.race_time import RaceTimes
from warehouse.queries.results import past_gaps, past_races
from warehouse.reader import Reader

FOREVER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
DRAWS = 2000
PLACES = ("predicted_position", "position_low", "position_high")


def measured(reader: Reader, first: int, last: int) -> pl.DataFrame:
    """One row per order, race and car on the lead lap: what was said and what happened [s]."""
    known = dict(reader.query("select distinct event_id, known_at from race_results").iter_rows())
    races = gap_history(reader, FOREVER).with_columns(season=pl.col("event_id").str.head(4).cast(pl.Int32))
    races = races.filter(pl.col("season").is_between(first, last))
    told = reader.query(
        "select event_id, model, driver_id, expected_position, predicted_position, position_low, position_high "
        "from backtest_prediction_entries where stage = 'pre_race' and target = 'race'"
    )
    found = []
    for (event,), field in races.group_by(["event_id"], maintain_order=True):
        as_of = known[event]
        past = past_races(reader, as_of), past_gaps(reader, as_of, FIRST_SEASON)
        times = RaceTimes.fit(*past, gap_history(reader, as_of))
        baseline = RaceTimes.fit(*past)
        orders = {"stand-in": _standin(times, field)}
        for (model,), rows in told.filter(pl.col("event_id") == event).group_by(
            ["model"], maintain_order=True
        ):
            orders[f"{model}, as backtested"] = rows
        first_row = field.row(0, named=True)
        for name, order in orders.items():
            said = times.add_to(
                order,
                str(first_row["circuit_id"]),
                None,
                lap_km=first_row["lap_km"],
                features=field.select("driver_id", *PACE_COLUMNS),
            ).select("driver_id", "gap_s", "gap_low_s", "gap_high_s")
            before = baseline.add_to(order, str(first_row["circuit_id"]), None)
            found.append(
                field.filter(pl.col("gap_s").is_not_null())
                .select("event_id", "season", "driver_id", actual="gap_s")
                .join(said, on="driver_id")
                .join(before.select("driver_id", baseline="gap_s"), on="driver_id")
                .with_columns(order=pl.lit(name))
            )
    return pl.concat(found)


def _standin(times: RaceTimes, field: pl.DataFrame) -> pl.DataFrame:
    """The stand-in's forecast of a field; its interval of places is that of its errors, of no use to the model."""
    assert times.model is not None
    expected = times.model.expected_positions(field)
    rows = field.select("driver_id").with_columns(expected_position=pl.Series(expected))
    rows = rows.sort("expected_position", "driver_id").with_row_index("place", offset=1)
    place = pl.col("place").cast(pl.Int32)
    return rows.select("driver_id", "expected_position", **dict.fromkeys(PLACES, place))


def summary(rows: pl.DataFrame) -> pl.DataFrame:
    """Per order and season, and pooled: errors [s], their paired difference with a 90 % interval, coverage of 80 %."""
    races = rows.group_by("order", "season", "event_id").agg(
        baseline=(pl.col("baseline") - pl.col("actual")).abs().mean(),
        model=(pl.col("gap_s") - pl.col("actual")).abs().mean(),
    )
    lines = []
    for (order,), mine in races.group_by(["order"], maintain_order=True):
        seasons = sorted(set(mine["season"]))
        for name, chosen in (*((str(s), [s]) for s in seasons), (f"{seasons[0]}–{seasons[-1]}", seasons)):
            part = mine.filter(pl.col("season").is_in(chosen)).sort("event_id")
            cars = rows.filter((pl.col("order") == order) & pl.col("season").is_in(chosen))
            inside = (cars["actual"] >= cars["gap_low_s"]) & (cars["actual"] <= cars["gap_high_s"])
            differences = (part["model"] - part["baseline"]).to_numpy()
            rng = np.random.default_rng(1)
            drawn = differences[rng.integers(0, len(differences), (DRAWS, len(differences)))].mean(axis=1)
            low, high = np.quantile(drawn, (0.05, 0.95))
            lines.append(
                (
                    str(order),
                    name,
                    part.height,
                    part["baseline"].mean(),
                    part["model"].mean(),
                    differences.mean(),
                    low,
                    high,
                    inside.mean(),
                )
            )
    names = ["order", "period", "races", "baseline", "model", "difference", "low", "high", "covers"]
    return pl.DataFrame(lines, schema=names, orient="row").sort("order", "period")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?")
    parser.add_argument("--from", dest="first", type=int, default=2014)
    parser.add_argument("--to", dest="last", type=int, default=2021)
    asked = parser.parse_args()
    settings = load_settings(data=asked.data) if asked.data else load_settings()
    table = summary(measured(Reader(settings.warehouse_root), asked.first, asked.last))
    print("| order | period | races | median per place | model | difference | 90 % interval | 80 % covers |")
    print("|" + "---|" * 8)
    for order, period, races, base, model, change, low, high, covers in table.iter_rows():
        print(
            f"| {order} | {period} | {races} | {base:.2f} | {model:.2f} | {change:+.2f} | {low:+.2f} to {high:+.2f} "
            f"| {covers:.2f} |"
        )
    print(f"Intervals go from the {QUANTILES[0]:.0%} to the {QUANTILES[-1]:.0%} quantile.")


if __name__ == "__main__":
    main()
