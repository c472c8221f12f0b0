"""How well the strategy simulator reproduces finishing orders: ``python benchmarks/strategy_order.py [DATA_FOLDER]``.

The protocol of ``docs/strategy.md``: the real grid, the real stops and compounds and the laps of retirement are given, the order of
those who saw the flag is asked for. Dry races of 2024-2026 are the test; ``--from 2018 --until 2023`` gives the seasons on which
constants were chosen, and ``--tune`` shows what from.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.strategy_replay import (
    HARDER,
    METRICS,
    RUNS,
    VARIANTS,
    Played,
    Variant,
    events,
    play,
    ranks,
    score,
)
from benchmarks.strategy_tables import Wanted, mean_error, verdicts
from f1core.settings import load_settings
from f1core.strategy.basis import Basis
from f1core.strategy.setup import RaceSetup
from warehouse.reader import Reader

FIRST, LAST = 2024, 2026


def scores(
    played: Sequence[tuple[str, Played]], variants: Sequence[Variant], runs: int = RUNS
) -> pl.DataFrame:
    """A row per race and variant: ``event_id, season, variant`` and :data:`METRICS` (NaN where one has no meaning)."""
    found = [
        {"event_id": event, "season": race.any.season, "variant": k, **score(race, variant, runs)}
        for event, race in played
        for k, variant in enumerate(variants)
    ]
    empty = dict.fromkeys(METRICS, float("nan"))
    return pl.DataFrame([{**row, **{m: row.get(m, empty[m]) for m in METRICS}} for row in found])


def table(found: pl.DataFrame, variants: Sequence[Variant], *, has_gaps: bool = True) -> Iterator[str]:
    """A line per variant: means over races, with standard errors over races; Spearman and error also against the grid."""
    heads = ["races", "Spearman", "against grid", "position MAE", "against grid", "within 2", "winner right"]
    heads += ["gap MAE, mean / median car [s]", "80 % interval covers"] if has_gaps else []
    yield "| variant | " + " | ".join(heads) + " |"
    yield "|" + "---|" * (len(heads) + 1)
    base = found.filter(pl.col("variant") == 0).sort("event_id")
    for k, variant in enumerate(variants):
        rows = found.filter(pl.col("variant") == k).sort("event_id")
        if rows.is_empty():
            continue
        cells = [str(rows.height), _mean(rows["spearman"], 3)]
        cells.append("–" if k == 0 else _mean(rows["spearman"] - base["spearman"], 3, sign=True))
        cells.append(_mean(rows["mae"], 2))
        cells.append("–" if k == 0 else _mean(rows["mae"] - base["mae"], 2, sign=True))
        cells += [_share(rows["within_2"]), _share(rows["winner"])]
        if has_gaps:
            cells.append(f"{_mean(rows['gap_mae'], 1)} / {_plain(rows['gap_median'], 1)}")
            cells.append("–" if variant.basis is None else _share(rows["covered"]))
        yield f"| {variant.name} | " + " | ".join(cells) + " |"


def _mean(values: pl.Series, digits: int, *, sign: bool = False) -> str:
    value, error = mean_error(values.to_numpy())
    return f"{value:{'+' if sign else ''}.{digits}f} ± {error:.{digits}f}"


def _plain(values: pl.Series, digits: int) -> str:
    return f"{mean_error(values.to_numpy())[0]:.{digits}f}"


def _share(values: pl.Series) -> str:
    value, error = mean_error(values.to_numpy())
    return f"{100 * value:.1f} ± {100 * error:.1f} %"


def report(reader: Reader, first: int = FIRST, last: int = LAST, runs: int = RUNS) -> list[str]:
    """Lines of the finishing-order part of the page."""
    lines = []
    for is_wet in (False, True):
        named = events(reader, first, last, is_wet=is_wet)
        played = [(event, race) for event in named if (race := play(reader, event))]
        if not played:
            continue
        counts = ", ".join(
            f"{season}: {sum(race.any.season == season for _, race in played)}"
            for season in range(first, last + 1)
        )
        kind = "Wet" if is_wet else "Dry"
        lines += [f"### {kind} races, retirements known ({counts})", ""]
        found = scores(played, VARIANTS, runs)
        lines += [*table(found, VARIANTS), ""]
        if not is_wet:
            lines = [
                *verdicts(list(wanted(found))),
                *lines,
                "### Dry races by season",
                "",
                *_by_season(found),
                "",
            ]
            lines += [
                "### Dry races, pace foreseen against the pace of the laps",
                "",
                *pace_lines(played),
                "",
            ]
            lines += ["### Dry races, all starters, retirements unknown", ""]
            lines += [*table(scores(played, HARDER, runs), HARDER, has_gaps=False), ""]
    return lines


@dataclass(frozen=True)
class Figure:
    """A figure that is wanted of the test seasons.

    Attributes:
        title: Its name.
        variant: Index in :data:`VARIANTS`.
        metric: Of :data:`METRICS`.
        must: The limit.
        aim: What is hoped for.
        is_against_grid: Whether the limits are of the difference to the grid in the same races.
        is_higher_better: Which way the limit goes.
    """

    title: str
    variant: int
    metric: str
    must: float
    aim: float
    is_against_grid: bool = False
    is_higher_better: bool = False


FIGURES = (
    Figure("Spearman − grid, pre-race pace + real safety cars", 2, "spearman", 0.025, 0.055, True, True),
    Figure("position MAE − grid, pre-race pace + real safety cars", 2, "mae", -0.22, -0.45, True),
    Figure("Spearman, hindsight", 3, "spearman", 0.890, 0.915, False, True),
    Figure("position MAE, hindsight", 3, "mae", 1.40, 1.20),
    Figure("gap to winner MAE, pre-race [s]", 2, "gap_mae", 16.0, 13.0),
    Figure("gap to winner MAE, hindsight [s]", 3, "gap_mae", 10.0, 7.0),
    Figure("winner named − pole, pre-race", 2, "winner", -0.05, 0.0, True, True),
    Figure("winner named − pole, hindsight", 3, "winner", -0.05, 0.0, True, True),
)
COVERED = ((0.75, 0.88), (0.78, 0.83))
"""Share of cars that the 80 % interval should hold: must and aim."""


def wanted(found: pl.DataFrame) -> Iterator[Wanted]:
    """Every figure that was asked for: those against the grid as paired differences."""
    rows = {k: found.filter(pl.col("variant") == k).sort("event_id") for k in (0, 2, 3)}
    for one in FIGURES:
        values = rows[one.variant][one.metric].to_numpy()
        if one.is_against_grid:
            values = values - rows[0][one.metric].to_numpy()
        value, error = mean_error(values)
        yield Wanted(
            one.title,
            value,
            error,
            _counted(rows[0], values),
            one.must,
            one.aim,
            is_higher_better=one.is_higher_better,
            digits=2 if one.metric == "mae" else 1 if one.metric == "gap_mae" else 3,
            has_sign=one.is_against_grid,
            is_above=one.metric == "winner",
        )
    for k, name in ((2, "pre-race"), (3, "hindsight")):
        values = rows[k]["covered"].to_numpy()
        title = f"80 % interval of the position covers, {name}"
        yield Wanted(title, *mean_error(values), _counted(rows[0], values), *COVERED)


def _counted(rows: pl.DataFrame, values: NDArray[np.float64]) -> str:
    return f"{np.isfinite(values).sum()} dry races {rows['season'][0]}–{rows['season'][-1]}"


FARTHEST_PCT = 4.0
"""Beyond this a race pace is that of a damaged car."""


def pace_lines(played: Sequence[tuple[str, Played]]) -> Iterator[str]:
    """How well race pace was foreseen: error against what the laps show [% of a lap], and rank correlation, by race."""
    found: dict[str, list[tuple[float, float]]] = {"pre-race pace": [], "qualifying alone": []}
    for _, race in played:
        before, after = race.setups[Basis.PRE_RACE], race.setups[Basis.HINDSIGHT]
        if after.basis is not Basis.HINDSIGHT:
            continue
        shown = after.drivers.filter(pl.col("pace_source").str.starts_with("hindsight"))
        rows = (
            shown.select("driver_id", shown="pace_s")
            .join(before.drivers.select("driver_id", foreseen="pace_s"), on="driver_id")
            .join(race.truth.select("driver_id", "qualifying_gap_pct"), on="driver_id")
            .with_columns(pl.col("shown", "foreseen") * 100.0 / before.parameters.lap_time_s)
            .filter(pl.col("shown").abs() < FARTHEST_PCT)
        )
        for name, column in (("pre-race pace", "foreseen"), ("qualifying alone", "qualifying_gap_pct")):
            kept = rows.filter(pl.col(column).is_not_null())
            miss = kept[column].to_numpy() - kept["shown"].to_numpy()
            rank = np.corrcoef(ranks(kept[column].to_numpy()), ranks(kept["shown"].to_numpy()))[0, 1]
            found[name].append((float(np.abs(miss - np.median(miss)).mean()), float(rank)))
    yield "| race pace | races | error [% of a lap] | rank correlation |"
    yield "|---|---|---|---|"
    for name, values in found.items():
        errors, correlations = np.array(values).T
        yield f"| {name} | {len(values)} | {errors.mean():.3f} | {correlations.mean():.3f} |"


def _by_season(found: pl.DataFrame) -> Iterator[str]:
    seasons = found["season"].unique().sort().to_list()
    yield "| Spearman / position MAE | " + " | ".join(map(str, seasons)) + " |"
    yield "|" + "---|" * (len(seasons) + 1)
    for k, variant in enumerate(VARIANTS):
        cells = []
        for season in seasons:
            rows = found.filter((pl.col("variant") == k) & (pl.col("season") == season))
            cells.append(f"{_plain(rows['spearman'], 3)} / {_plain(rows['mae'], 2)}")
        yield f"| {variant.name} | " + " | ".join(cells) + " |"


def tuned(reader: Reader, runs: int) -> Iterator[str]:
    """What the constants of ``f1core/strategy/race_parts.py`` were chosen from: every second dry race of 2018-2023."""
    named = events(reader, 2018, 2023, is_wet=False)[::2]
    played = [(event, race) for event in named if (race := play(reader, event))]
    yield "| changed | pace | Spearman | position MAE | winner | gap MAE [s] | 80 % interval covers |"
    yield "|---|---|---|---|---|---|---|"
    changes: list[tuple[str, dict[str, float]]] = [("nothing", {})]
    changes += [(f"passes need {k:g} of it", {"passing": k}) for k in (0.5, 1.5)]
    changes += [(f"following gap {gap:g} s", {"min_gap": gap}) for gap in (0.4, 0.9)]
    changes += [(f"form {k:g} times", {"form": k}) for k in (0.0, 0.6, 1.6)]
    changes += [(f"dirty air {k:g} times", {"dirty_air": k}) for k in (1.5, 2.0)]
    changes += [(f"starts {k:g} times", {"start": k}) for k in (1.5, 2.0)]
    changes += [(f"noise {k:g} times", {"noise": k}) for k in (0.7, 1.4)]
    for words, change in changes:
        for variant in VARIANTS[2:4]:
            assert variant.basis is not None
            rows = [
                score(
                    Played({variant.basis: changed(race.setups[variant.basis], **change)}, race.truth),
                    variant,
                    runs,
                )
                for _, race in played
            ]
            mean = {m: float(np.nanmean([row.get(m, np.nan) for row in rows])) for m in METRICS}
            yield (
                f"| {words} | {variant.basis.value} | {mean['spearman']:.3f} | {mean['mae']:.2f} | {mean['winner']:.2f} | "
                f"{mean['gap_mae']:.1f} | {mean['covered']:.2f} |"
            )


def changed(
    setup: RaceSetup,
    passing: float = 1.0,
    min_gap: float | None = None,
    form: float = 1.0,
    dirty_air: float = 1.0,
    start: float = 1.0,
    noise: float = 1.0,
) -> RaceSetup:
    """A race with other constants: factors of what the setup has, and the following gap [s]."""
    race, traffic = setup.race, setup.race.traffic
    traffic = replace(
        traffic,
        midpoint_s=passing * traffic.midpoint_s,
        scale_s=passing * traffic.scale_s,
        min_gap_s=traffic.min_gap_s if min_gap is None else min_gap,
        dirty_air_loss_s=tuple(dirty_air * one for one in traffic.dirty_air_loss_s),
    )
    race = replace(
        race,
        traffic=traffic,
        cars=tuple(replace(car, form_sd_s=form * car.form_sd_s) for car in race.cars),
        start=replace(race.start, sd_s=start * race.start.sd_s),
        noise=replace(race.noise, sd_s=noise * race.noise.sd_s),
    )
    return replace(setup, race=race)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description="Finishing orders by the strategy simulator.")
    parser.add_argument("data", nargs="?", help="Data folder; without it the installation's.")
    parser.add_argument("--from", dest="first", type=int, default=FIRST, help="First season.")
    parser.add_argument("--until", dest="last", type=int, default=LAST, help="Last season.")
    parser.add_argument("--runs", type=int, default=RUNS, help="Simulations per race.")
    parser.add_argument("--tune", action="store_true", help="Show what the constants were chosen from.")
    asked = parser.parse_args()
    settings = load_settings(**({"data": asked.data} if asked.data else {}))
    reader = Reader(settings.warehouse_root)
    lines = tuned(reader, asked.runs) if asked.tune else report(reader, asked.first, asked.last, asked.runs)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
