"""Backtest of the title odds after every round, 2014-2025: ``python benchmarks/championship.py DATA [FROM TO]``.

Every round's odds see only what was known when its race was over; the calendar is the season's last one (archives keep no
other). The baseline is the share of earlier champions who stood in each place of the table in the same third of the season;
``leader`` tells the leader apart only and shares the rest evenly. Odds are clipped at 1e-4 and normalised again before the
logarithm.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from f1core.championship import arithmetic_of, simulate, standings_of
from f1core.settings import load_settings
from warehouse.queries.championship import standings_in_order
from warehouse.queries.events import calendar
from warehouse.queries.history import load_facts
from warehouse.reader import Reader

FLOOR = 1e-4
PSEUDO = 0.5
NAMES = {"drivers": "driver_id", "constructors": "constructor_id"}
THIRDS = ("first", "second", "last")


@dataclass(frozen=True)
class Case:
    """Odds of everybody after one round, and who became champion."""

    season: int
    third: int
    decided: bool
    odds: dict[str, np.ndarray]
    champion: int
    is_inside: list[bool]
    seconds: float

    def loss(self, model: str) -> float:
        clipped = np.maximum(self.odds[model], FLOOR)
        return float(-np.log(clipped[self.champion] / clipped.sum()))

    def brier(self, model: str) -> float:
        return float(((self.odds[model] - np.eye(len(self.odds[model]))[self.champion]) ** 2).sum())


def third_of(number: int, total: int) -> int:
    """Third of the season in which a round lies, 0 to 2."""
    return min(2, int(3 * (number - 0.5) / total))


def history_of(reader: Reader, championship: str) -> dict[int, list[list[str]]]:
    """Order of the table after each round, by season."""
    rows = standings_in_order(reader, championship)
    found: dict[int, list[list[str]]] = {}
    for (season, _), own in rows.group_by("season", "event_id", maintain_order=True):
        found.setdefault(int(season), []).append(own["entity_id"].unique(maintain_order=True).to_list())
    return found


def shares(past: dict[int, list[list[str]]], season: int, third: int) -> np.ndarray:
    """How often the later champion stood in each place in this third of earlier seasons; the last round left out."""
    counts = np.zeros(60)
    for year, rounds in past.items():
        if year >= season:
            continue
        champion = rounds[-1][0]
        for number, order in enumerate(rounds[:-1], start=1):
            if third_of(number, len(rounds)) == third:
                counts[order.index(champion) if champion in order else len(order)] += 1
    return counts


def cases(reader: Reader, first: int, last: int) -> dict[str, list[Case]]:
    """Odds after every round but the last of each season."""
    facts, events = load_facts(reader, from_season=first - 4), calendar(reader)
    past = {name: history_of(reader, name) for name in NAMES}
    found: dict[str, list[Case]] = {name: [] for name in NAMES}
    for season in range(first, last + 1):
        standings = list(standings_of(facts, events, season, dt.datetime.now(dt.UTC)))
        final = standings[-1]
        for standing in standings[:-1]:
            began = time.perf_counter()
            outcome = simulate(standing)
            seconds = time.perf_counter() - began
            for name, column in NAMES.items():
                title, table, end = (getattr(one, name) for one in (outcome, standing, final))
                names = table[column].to_list()
                rows = table.select(column).join(
                    title.entities.rename({"entity_id": column}), on=column, maintain_order="left"
                )
                third = third_of(standing.number, len(standings))
                counts = shares(past[name], season, third)
                by_place = counts[: len(names)] + PSEUDO
                leads = (counts[0] + PSEUDO) / (counts.sum() + 2 * PSEUDO)
                leader = np.full(len(names), (1 - leads) / (len(names) - 1))
                leader[0] = leads
                points = dict(end.select(column, "points").iter_rows())
                inside = [
                    low <= points[who] <= high
                    for who, low, high in rows.select(column, "points_low", "points_high").iter_rows()
                    if who in points
                ]
                found[name].append(
                    Case(
                        season,
                        third,
                        arithmetic_of(standing, name).champion is not None,
                        {
                            "ours": rows["title_probability"].to_numpy(),
                            "by place": by_place / by_place.sum(),
                            "leader": leader,
                        },
                        names.index(end[column][0]),
                        inside,
                        seconds,
                    )
                )
        print(f"{season}: {len(standings) - 1} rounds", file=sys.stderr)
    return found


def calibration(found: list[Case]) -> str:
    """Odds against outcomes in bins of a fifth, of everybody with a chance above the floor."""
    said = np.concatenate([one.odds["ours"] for one in found])
    came = np.concatenate([np.arange(len(one.odds["ours"])) == one.champion for one in found])
    lines = ["| said | cases | mean said | came true |", "|---|---|---|---|"]
    edges = (FLOOR, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0 + FLOOR)
    error = 0.0
    for low, high in pairwise(edges):
        chosen = (said >= low) & (said < high)
        if chosen.any():
            mean, rate = said[chosen].mean(), came[chosen].mean()
            error += chosen.mean() * abs(mean - rate)
            lines.append(f"| {low:.2f}–{min(high, 1):.2f} | {chosen.sum()} | {mean:.3f} | {rate:.3f} |")
    return "\n".join([*lines, f"\nCalibration error over all {len(said)} odds: {error:.4f}"])


def report(found: dict[str, list[Case]]) -> None:
    for name, rows in found.items():
        print(f"\n### {name.capitalize()}, {len(rows)} rounds, {len({one.season for one in rows})} seasons\n")
        print("| third | rounds | ours | by place | leader | ours Brier | by place Brier | leader Brier |")
        print("|---|---|---|---|---|---|---|---|")
        groups = [(word, [one for one in rows if one.third == k]) for k, word in enumerate(THIRDS)]
        groups += [("all", rows), ("all, undecided", [one for one in rows if not one.decided])]
        groups += [
            (str(year), [one for one in rows if one.season == year])
            for year in sorted({o.season for o in rows})
        ]
        for word, own in groups:
            numbers = [np.mean([one.loss(model) for one in own]) for model in ("ours", "by place", "leader")]
            numbers += [
                np.mean([one.brier(model) for one in own]) for model in ("ours", "by place", "leader")
            ]
            print(f"| {word} | {len(own)} | " + " | ".join(f"{value:.3f}" for value in numbers) + " |")
        inside = [value for one in rows for value in one.is_inside]
        print(f"\n80 % interval of the final points covers {np.mean(inside):.3f} of {len(inside)}.\n")
        print(calibration(rows))
        worst = max(one.seconds for one in rows)
        print(
            f"\nSimulation of a round (both championships): mean {np.mean([o.seconds for o in rows]):.2f} s, most {worst:.2f} s"
        )


def main() -> None:
    began = time.perf_counter()
    data = sys.argv[1] if len(sys.argv) > 1 else None
    first, last = (int(year) for year in sys.argv[2:4]) if len(sys.argv) > 3 else (2014, 2025)
    reader = Reader(load_settings(**({"data": data} if data else {})).warehouse_root)
    report(cases(reader, first, last))
    print(f"\n{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
