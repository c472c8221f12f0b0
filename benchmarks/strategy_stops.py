"""How well stops are foretold: ``python benchmarks/strategy_stops.py [DATA_FOLDER] [FIRST_SEASON LAST_SEASON]``.

Dry races only. Rejoin: every stop under green after lap 4, known when the in-lap begins; pit loss from earlier seasons only, rivals who
stop within a lap of it are left out. Undercut: a car within 4 s of a rival stops 1 to 4 laps before him, all under green; learned on
seasons before the first one, known when the in-lap begins. Settings were chosen on 2018 to 2023; test seasons are 2024 to 2026. With
first season 2023 or earlier the undercut is learned on the other seasons of 2018-2023 (cross-validation).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.strategy_tables import Wanted, table, verdicts
from f1core.settings import load_settings
from models.strategy.race_clock import COLUMNS, RaceClock, dry_laps, race_clocks
from models.strategy.rejoin import LAPS, SEASONS, RejoinModel, green_stops, lasting_pace, rivals_on_track
from models.strategy.undercut import UndercutModel, undercut_pairs
from warehouse.queries.strategy import circuits_of_events, race_facts
from warehouse.reader import Reader

FIRST, LAST = 2024, 2026
CONSTANT_LOSS_S = 22.0
"""Pit loss of the plain forecast: everybody keeps his gap, a stop costs the same everywhere."""

ALONE = "the same without the other circuits, as on the page"
REJOIN, UNDERCUT = "circuit's loss, present pace", "logistic, known at the stop"
"""The forecasts of the product."""


def dry_clocks(reader: Reader) -> list[RaceClock]:
    """Every dry race, oldest season first."""
    laps = race_facts(reader, [name for name in COLUMNS if name not in ("season", "circuit_id", "known_at")])[
        0
    ]
    rows = dry_laps(laps).join(circuits_of_events(reader), on="event_id")
    return sorted(race_clocks(rows), key=lambda clock: (clock.season, clock.event_id))


def rejoin_rows(clocks: list[RaceClock], first: int, last: int) -> list[dict[str, Any]]:
    model = RejoinModel().fit(clocks)
    ours, alone, plain = [], [], []
    for clock in clocks:
        if not first <= clock.season <= last:
            continue
        held = model.losses.get(clock.circuit_id, {})
        newest = {year: loss for year, loss in held.items() if year >= clock.season - SEASONS}
        own = RejoinModel({clock.circuit_id: newest})
        for car, lap in green_stops(clock):
            rivals, pace = rivals_on_track(clock, car, lap), lasting_pace(clock, lap - 1)
            told = model.predict(clock, car, lap, rivals)
            page = own.predict(clock, car, lap, rivals)
            if told is None or page is None or pace is None:
                continue
            before, after = clock.end_s[lap - 1], clock.end_s[lap + 1]
            real = 1 + int((after[rivals] < after[car]).sum())
            kept = 1 + int((before[rivals] < before[car] + CONSTANT_LOSS_S).sum())
            time = before[car] + LAPS * float(np.median(pace)) + CONSTANT_LOSS_S
            ours.append((told.position - real, told.time_s - after[car]))
            alone.append((page.position - real, page.time_s - after[car]))
            plain.append((kept - real, time - after[car]))
    variants = {"constant 22 s, gaps kept": plain, REJOIN: ours, ALONE: alone}
    return [_rejoin_row(variant, errors) for variant, errors in variants.items()]


def _rejoin_row(variant: str, errors: list[tuple[int, float]]) -> dict[str, Any]:
    places, seconds = np.array(errors).T
    return {
        "part": "rejoin",
        "variant": variant,
        "count": len(places),
        "exact": float((places == 0).mean()),
        "within_one": float((np.abs(places) <= 1).mean()),
        "time_error_s": float(np.median(np.abs(seconds))),
    }


def undercut_rows(clocks: list[RaceClock], first: int, last: int) -> list[dict[str, Any]]:
    pairs = pl.DataFrame([row for clock in clocks for row in undercut_pairs(clock)])
    is_test = pl.col("season").is_between(first, last)
    known = pairs.filter(pl.col("season") < FIRST)
    if first < FIRST:
        tests = [
            (known.filter(pl.col("season") != season), known.filter(pl.col("season") == season))
            for season in range(first, last + 1)
        ]
    else:
        tests = [(known, pairs.filter(is_test))]
    ahead, base, gap, ours = [], [], [], []
    for train, test in tests:
        if test.is_empty():
            continue
        ahead.append(test["is_ahead"].to_numpy().astype(float))
        base.append(np.full(test.height, float(train["is_ahead"].mean())))  # type: ignore[arg-type]
        gap.append(_by_gap(train, test))
        ours.append(UndercutModel.fit(train).probability(test))
    real = np.concatenate(ahead)
    variants = (("base rate", base), ("share of its gap class", gap), (UNDERCUT, ours))
    return [_undercut_row(variant, real, np.concatenate(odds)) for variant, odds in variants]


def _by_gap(train: pl.DataFrame, test: pl.DataFrame) -> NDArray[np.float64]:
    edges = (1.0, 1.5, 2.0, 3.0)
    held, ahead = np.digitize(train["gap_s"], edges), train["is_ahead"].to_numpy()
    shares = np.array([ahead[held == k].mean() for k in range(len(edges) + 1)])
    return np.asarray(shares[np.digitize(test["gap_s"], edges)])


def _undercut_row(variant: str, real: NDArray[np.float64], odds: NDArray[np.float64]) -> dict[str, Any]:
    hits, misses = odds[real == 1], odds[real == 0]
    above = (hits[:, None] > misses) + 0.5 * (hits[:, None] == misses)
    brier = (odds - real) ** 2
    # Of an AUC: how far the share of misses below a hit scatters over hits, and the other way round (DeLong).
    scatter = above.mean(axis=1).var(ddof=1) / len(hits) + above.mean(axis=0).var(ddof=1) / len(misses)
    return {
        "part": "undercut",
        "variant": variant,
        "count": len(real),
        "success": float(real.mean()),
        "auc": float(above.mean()),
        "auc_error": float(np.sqrt(scatter)),
        "brier": float(brier.mean()),
        "brier_error": float(brier.std(ddof=1) / np.sqrt(len(brier))),
    }


def rows(reader: Reader, first: int = FIRST, last: int = LAST) -> list[dict[str, Any]]:
    """Every line of both tables.

    Returns:
        Rejoin: ``part, variant, count, exact, within_one, time_error_s``; undercut: ``part, variant, count, success, auc,
        auc_error, brier, brier_error`` (standard errors over stops).
    """
    clocks = dry_clocks(reader)
    return rejoin_rows(clocks, first, last) + undercut_rows(clocks, first, last)


def report(reader: Reader, first: int = FIRST, last: int = LAST) -> Iterator[str]:
    """Lines of the part of the page about stops."""
    found = rows(reader, first, last)
    seasons = f"{first}–{last}"
    yield from verdicts(list(_wanted(found, seasons)))
    yield f"### Position after a green stop, {seasons}"
    yield ""
    rejoins = [row for row in found if row["part"] == "rejoin"]
    yield from table(
        ["forecast", "stops", "exact", "within one", "time, median error [s]"],
        [
            [
                row["variant"],
                str(row["count"]),
                _share(row["exact"], row["count"]),
                _share(row["within_one"], row["count"]),
                f"{row['time_error_s']:.2f}",
            ]
            for row in rejoins
        ],
    )
    yield ""
    undercuts = [row for row in found if row["part"] == "undercut"]
    yield f"### Undercuts, {seasons} ({100 * undercuts[0]['success']:.0f} % work)"
    yield ""
    yield from table(
        ["forecast", "undercuts", "AUC", "Brier"],
        [
            [
                row["variant"],
                str(row["count"]),
                f"{row['auc']:.3f} ± {row['auc_error']:.3f}",
                f"{row['brier']:.3f} ± {row['brier_error']:.3f}",
            ]
            for row in undercuts
        ],
    )
    yield ""


def _share(share: float, count: int) -> str:
    return f"{100 * share:.1f} ± {100 * _share_error(share, count):.1f} %"


def _share_error(share: float, count: int) -> float:
    return float(np.sqrt(share * (1 - share) / count))


def _wanted(found: list[dict[str, Any]], seasons: str) -> Iterator[Wanted]:
    rejoin = next(row for row in found if row["variant"] == REJOIN)
    undercut = next(row for row in found if row["variant"] == UNDERCUT)
    many = rejoin["count"]
    for title, name, must, aim in (
        ("rejoin position exact", "exact", 0.76, 0.81),
        ("rejoin position within one", "within_one", 0.94, 0.97),
    ):
        value = rejoin[name]
        yield Wanted(
            title,
            value,
            _share_error(value, many),
            f"{many} stops {seasons}",
            must,
            aim,
            is_higher_better=True,
        )
    count = f"{undercut['count']} undercuts {seasons}"
    auc, brier = undercut["auc"], undercut["brier"]
    yield Wanted(
        "undercut AUC at the stop", auc, undercut["auc_error"], count, 0.69, 0.77, is_higher_better=True
    )
    yield Wanted("undercut Brier at the stop", brier, undercut["brier_error"], count, 0.202, 0.185)


def main(arguments: list[str]) -> None:
    """Prints the tables."""
    folder = Path(arguments[0]) if arguments else load_settings().data
    seasons = (int(arguments[1]), int(arguments[2])) if len(arguments) > 2 else (FIRST, LAST)
    print("\n".join(report(Reader(folder / "warehouse"), *seasons)))


if __name__ == "__main__":
    main(sys.argv[1:])
