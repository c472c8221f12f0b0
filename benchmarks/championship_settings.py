"""How the constants of the championship's simulation were chosen: ``python benchmarks/championship_settings.py DATA``.

After every round of 2010-2021, 1,000 seasons each: continuous ranked probability score of the final points (of the first 14
drivers and 8 constructors in the table, divided by (events left)^0.75), the share inside the 80 % interval, and the log loss of
the title, clipped at 1e-3. Later seasons are not read.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl

from f1core.championship import standings_of
from f1core.championship_inputs import Standing
from f1core.settings import load_settings
from models.championship import ChampionshipSettings, simulate_season
from warehouse.queries.events import calendar
from warehouse.queries.history import Facts, load_facts
from warehouse.reader import Reader

FIRST, LAST = 2010, 2021
SAMPLES = 1000
FLOOR = 1e-3
TOP = (14, 8)
CHOSEN = ChampionshipSettings()
CALMER = replace(CHOSEN, driver_uncertainty=0.4, car_uncertainty=0.4, car_drift=0.03, weekend_noise=0.1)
CANDIDATES = {
    "chosen": CHOSEN,
    "more luck (0.6)": replace(CHOSEN, race_noise=0.6),
    "less luck (0.25)": replace(CHOSEN, race_noise=0.25),
    "weekend 0.3": replace(CHOSEN, weekend_noise=0.3),
    "uncertainty 0.8": replace(CHOSEN, driver_uncertainty=0.8, car_uncertainty=0.8),
    "no drift": replace(CHOSEN, driver_drift=0.0, car_drift=0.0),
    "calmer: uncertainty 0.4, drift 0.03, weekend 0.1": CALMER,
    "calmer, luck 0.15": replace(CALMER, race_noise=0.15),
}
ELO_SCALES = (0.175, 0.28, 0.42)
"""% of a lap that 100 points of Elo are taken for."""


def crps(drawn: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of samples (samples, entrants)."""
    drawn = np.sort(drawn.astype(np.float64), axis=0)
    n = len(drawn)
    spread = ((2 * np.arange(1, n + 1)[:, None] - n - 1) * drawn).sum(axis=0) / n**2
    return np.abs(drawn - actual).mean(axis=0) - spread


def scores(seasons: dict[int, list[Standing]], settings: ChampionshipSettings) -> list[float]:
    """CRPS, coverage and title log loss, each for drivers and constructors."""
    found: list[list[list[float]]] = [[[], []] for _ in range(3)]
    for standings in seasons.values():
        finals = [
            dict(standings[-1].drivers.select("driver_id", "points").iter_rows()),
            dict(standings[-1].constructors.select("constructor_id", "points").iter_rows()),
        ]
        for one in standings[:-1]:
            sampled = simulate_season(
                one.drivers,
                one.constructors,
                [event.round for event in one.remaining],
                one.rules,
                fastest_lap=one.fastest_lap,
                settings=settings,
                samples=SAMPLES,
            )
            for which, title in enumerate((sampled.drivers, sampled.constructors)):
                names, table = title.entities["entity_id"].to_list(), title.table
                best = np.lexsort((-table.second, -table.first, -table.points), axis=1)[:, 0]
                odds = np.maximum(np.bincount(best, minlength=len(names)) / SAMPLES, FLOOR)
                champion = names.index(next(iter(finals[which])))
                found[2][which].append(float(-np.log(odds[champion] / odds.sum())))
                actual = np.array([finals[which].get(name, np.nan) for name in names])
                judged = np.isfinite(actual) & (np.arange(len(names)) < TOP[which])
                drawn, actual = table.points[:, judged], actual[judged]
                low, high = np.quantile(drawn, [0.1, 0.9], axis=0, method="inverted_cdf")
                found[0][which].append(float(crps(drawn, actual).mean()) / len(one.remaining) ** 0.75)
                found[1][which].append(float(((actual >= low) & (actual <= high)).mean()))
    return [float(np.mean(values)) for pair in found for values in pair]


def by_elo(facts: Facts, standing: Standing, scale: float) -> Standing:
    """The same standing with strengths from Elo."""
    past = facts.history(standing.known_at + dt.timedelta(seconds=1)).table("ratings")
    newest = past.filter(pl.col("rating_kind") == "elo").unique(
        ["entity_kind", "entity_id"], keep="last", maintain_order=True
    )
    value = {
        (kind, who): elo for kind, who, elo in newest.select("entity_kind", "entity_id", "value").iter_rows()
    }

    def paced(rows: pl.DataFrame, kind: str, variance: float) -> pl.DataFrame:
        pace = [-(value.get((kind, who), 1400.0) - 1500.0) / 100.0 * scale for who in rows[f"{kind}_id"]]
        return rows.with_columns(pace=pl.Series(pace), variance=pl.lit(variance))

    return replace(
        standing,
        drivers=paced(standing.drivers, "driver", 0.08),
        constructors=paced(standing.constructors, "constructor", 0.1),
    )


def main() -> None:
    data = sys.argv[1] if len(sys.argv) > 1 else None
    reader = Reader(load_settings(**({"data": data} if data else {})).warehouse_root)
    facts, events = load_facts(reader, from_season=FIRST - 4), calendar(reader)
    until = dt.datetime(LAST + 1, 1, 1, tzinfo=dt.UTC)
    seasons = {year: list(standings_of(facts, events, year, until)) for year in range(FIRST, LAST + 1)}
    print("| setting | CRPS drivers / constructors | 80 % covers | title log loss |")
    print("|---|---|---|---|")

    def line(name: str, values: list[float]) -> None:
        pairs = (f"{a:.3f} / {b:.3f}" for a, b in zip(values[::2], values[1::2], strict=True))
        print(f"| {name} | " + " | ".join(pairs) + " |", flush=True)

    for name, settings in CANDIDATES.items():
        line(name, scores(seasons, settings))
    for scale in ELO_SCALES:
        other = {year: [by_elo(facts, one, scale) for one in rows] for year, rows in seasons.items()}
        line(f"Elo for pace, 100 points = {scale} %", scores(other, CHOSEN))


if __name__ == "__main__":
    main()
