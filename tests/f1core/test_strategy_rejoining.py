"""Where a car would have come out of the pits: against sums by hand, on a made-up race and a real one, without leakage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import pytest

from f1core.strategy.rejoining import RejoinRace, rejoin_race, rejoin_race_of, rejoins
from models.strategy.rejoin import DEFAULT_LOSS_S
from warehouse.queries.rejoin import circuit_race_laps
from warehouse.reader import Reader

LAP_S, LOSS_S = 90.0, 21.0
FIELD = {"a": 0.0, "b": 1.5, "c": 10.0, "d": 24.0, "e": 40.0, "f": 41.0}
Rows = dict[str, dict[int, dict[str, Any]]]


def race(season: int, stops: dict[str, int], *, loss_s: float = LOSS_S, laps: int = 30) -> pl.DataFrame:
    """Cars at paces of their own that start some seconds apart and stop once; laps 20 to 22 are behind a safety car."""
    rows = []
    for number, (name, start) in enumerate(FIELD.items()):
        at = 1000.0 + start
        for lap in range(1, laps + 1):
            is_in, is_out, is_slow = stops.get(name) == lap, stops.get(name) == lap - 1, 20 <= lap <= 22
            took = LAP_S + 0.1 * number + 0.01 * (lap % 3) + loss_s * is_out + 30 * is_slow
            at += took
            rows.append(
                {
                    "event_id": f"{season}-ring",
                    "season": season,
                    "circuit_id": "ring",
                    "driver_id": name,
                    "car_number": name,
                    "lap_number": lap,
                    "lap_number_note": "exact",
                    "lap_time_s": took,
                    "lap_end_session_s": at,
                    "compound": "medium",
                    "tyre_life_laps": lap,
                    "is_in_lap": is_in,
                    "is_out_lap": is_out,
                    "is_green": not is_slow,
                    "is_after_result": False,
                    "known_at": dt.datetime(season, 6, 1, 18, tzinfo=dt.UTC),
                }
            )
    return pl.DataFrame(rows)


def start(season: int) -> dt.datetime:
    return dt.datetime(season, 6, 1, 12, tzinfo=dt.UTC)


RACES = pl.concat(
    [
        race(2021, {"a": 12, "b": 15}, loss_s=20.0),
        race(2022, {"c": 14}, loss_s=23.0),
        race(2024, {"a": 15, "b": 17, "d": 15, "f": 26}),
    ]
)


def by_driver(laps: pl.DataFrame) -> Rows:
    found: Rows = {}
    for row in laps.iter_rows(named=True):
        found.setdefault(row["driver_id"], {})[int(row["lap_number"])] = row
    return found


def clear(rows: Rows, lap: int) -> bool:
    seen = [laps[lap] for laps in rows.values() if lap in laps and laps[lap]["lap_end_session_s"] is not None]
    return 2 * sum(bool(one["is_green"]) for one in seen) > len(seen)


def end(rows: Rows, driver: str, lap: int) -> float | None:
    return rows[driver].get(lap, {}).get("lap_end_session_s")


def is_in(rows: Rows, driver: str, lap: int) -> bool:
    return bool(rows[driver].get(lap, {}).get("is_in_lap"))


def is_out(rows: Rows, driver: str, lap: int) -> bool:
    return bool(rows[driver].get(lap, {}).get("is_out_lap"))


def paces(rows: Rows, lap: int) -> dict[str, float]:
    """Lap times to expect: the middle of the field, and 0.7 of how far a car's own last clean laps are from it."""
    own: dict[str, float] = {}
    for driver, laps in rows.items():
        fitted = max((one for one in laps if one <= lap and is_out(rows, driver, one)), default=0)
        recent = [laps[one] for one in range(max(lap - 4, 2, fitted + 1), lap + 1) if one in laps]
        clean = [
            one["lap_time_s"]
            for one in recent
            if one["is_green"] and not one["is_in_lap"] and not one["is_out_lap"] and one["lap_time_s"]
        ]
        if clean:
            own[driver] = median(clean)
    if not own:
        return {}
    usual = median(own.values())
    return {driver: usual + 0.7 * min(max(own.get(driver, usual) - usual, -3.0), 3.0) for driver in rows}


def open_laps(rows: Rows, driver: str) -> Iterator[int]:
    """In-laps on which he could stop under green, from lap 5 on."""
    for lap in range(5, max(max(laps) for laps in rows.values()) - 1):
        there = [end(rows, driver, one) for one in (lap - 1, lap, lap + 1)]
        if all(clear(rows, one) for one in (lap - 1, lap, lap + 1)) and None not in there:
            yield lap


def stopped(rows: Rows, driver: str, lap: int) -> bool:
    return is_in(rows, driver, lap) and is_out(rows, driver, lap + 1)


def loss_by_hand(races: list[Rows]) -> float:
    """The mean of the races' medians, drawn to their median with the weight of 0.3 races."""
    losses = []
    for rows in races:
        found = []
        for driver in rows:
            for lap in open_laps(rows, driver):
                pace = paces(rows, lap - 1)
                if stopped(rows, driver, lap) and pace:
                    took = (
                        rows[driver][lap + 1]["lap_end_session_s"]
                        - rows[driver][lap - 1]["lap_end_session_s"]
                    )
                    found.append(took - 2 * pace[driver])
        if found:
            losses.append(median(found))
    if not losses:
        return DEFAULT_LOSS_S
    return (sum(losses) + 0.3 * median(losses)) / (len(losses) + 0.3)


def by_hand(rows: Rows, driver: str, loss_s: float) -> dict[int, tuple[list[float], int | None]]:
    """By lap: the probability of every place, and where he really came out if he stopped."""
    found = {}
    for lap in open_laps(rows, driver):
        pace = paces(rows, lap - 1)
        if not pace or is_in(rows, driver, lap - 1):
            continue
        rivals = [
            one
            for one in rows
            if one != driver
            and end(rows, one, lap - 1) is not None
            and end(rows, one, lap + 1) is not None
            and not any(is_in(rows, one, near) for near in (lap - 1, lap, lap + 1))
        ]
        mine = rows[driver][lap - 1]["lap_end_session_s"] + 2 * pace[driver] + loss_s
        shares = {1: 1.0}
        for one in rivals:
            behind = mine - rows[one][lap - 1]["lap_end_session_s"] - 2 * pace[one]
            is_ahead = 1 / (1 + 2.718281828459045 ** -max(min(behind / 0.7, 50), -50))
            after: dict[int, float] = {}
            for place, share in shares.items():
                after[place] = after.get(place, 0.0) + share * (1 - is_ahead)
                after[place + 1] = after.get(place + 1, 0.0) + share * is_ahead
            shares = after
        out = rows[driver][lap + 1]["lap_end_session_s"]
        real = 1 + sum(rows[one][lap + 1]["lap_end_session_s"] < out for one in rivals)
        found[lap] = (
            [shares[place] for place in sorted(shares)],
            real if stopped(rows, driver, lap) else None,
        )
    return found


def assert_same(seen: pl.DataFrame, wanted: dict[int, tuple[list[float], int | None]]) -> None:
    assert seen["lap"].unique(maintain_order=True).to_list() == sorted(wanted)
    for (lap,), part in seen.group_by("lap", maintain_order=True):
        shares, real = wanted[int(str(lap))]
        told = part.filter("is_predicted").row(0, named=True)
        assert told["position"] == 1 + shares.index(max(shares))
        assert dict(part.select("position", "probability").iter_rows()) == pytest.approx(
            {place: share for place, share in enumerate(shares, 1) if share >= 0.01}, abs=1e-9
        )
        assert (told["count_cars"], told["real_position"]) == (len(shares), real)
        assert told["is_stop"] == (real is not None)
        # 80 %: at most a tenth is left on either side.
        low, high = told["low_position"], told["high_position"]
        assert sum(shares[: low - 1]) < 0.1 <= sum(shares[:low])
        assert sum(shares[: high - 1]) < 0.9 <= sum(shares[:high]) + 1e-12


@pytest.mark.parametrize("driver", ["a", "d", "f"])
def test_a_made_up_race_is_foretold_as_by_hand(driver: str) -> None:
    asked = rejoin_race_of(RACES, "2024-ring", start(2024))
    earlier = [by_driver(part) for part in RACES.filter(pl.col("season") < 2024).partition_by("event_id")]
    loss = loss_by_hand(earlier)
    assert asked.loss_s == pytest.approx(loss) and asked.seasons == (2021, 2022)
    rows = by_driver(RACES.filter(pl.col("season") == 2024))
    seen = rejoins(asked, driver)
    assert_same(seen, by_hand(rows, driver, loss))
    assert set(range(19, 24)) & set(seen["lap"]) == set(), "a lap near the safety car is not foretold"


def test_a_clear_case_needs_no_sums() -> None:
    # He leads by 1.5, 10, 24, 40 s and more, and a stop costs some 21.5 s: behind b and c, ahead of d.
    seen = rejoins(rejoin_race_of(RACES, "2024-ring", start(2024)), "a").filter("is_predicted")
    told = dict(seen.select("lap", "position").iter_rows())
    assert told[8] == 3
    assert 16 not in told, "he was in the pits at the line from which it would have been foretold"
    stop = seen.filter("is_stop").row(0, named=True)
    assert (stop["lap"], stop["real_position"], stop["count_cars"]) == (15, 3, 5)


def test_what_was_known_later_changes_nothing() -> None:
    first = rejoins(rejoin_race_of(RACES, "2024-ring", start(2024)), "a")
    late = race(2023, {"a": 15}, loss_s=60.0).with_columns(known_at=pl.lit(start(2024)))
    later = [late, race(2025, {"a": 15}, loss_s=60.0), race(2026, {"b": 9, "c": 12}, loss_s=5.0)]
    assert rejoins(rejoin_race_of(pl.concat([*later, RACES]), "2024-ring", start(2024)), "a").equals(first)
    # And what was known before does change it.
    known = pl.concat([RACES, race(2023, {"a": 15}, loss_s=60.0)])
    assert not rejoins(rejoin_race_of(known, "2024-ring", start(2024)), "a").equals(first)


def test_what_happened_after_the_lap_before_does_not_move_the_forecast() -> None:
    slower = pl.col("lap_number") > 14
    changed = RACES.with_columns(
        lap_end_session_s=pl.when(slower & (pl.col("season") == 2024))
        .then(pl.col("lap_end_session_s") + 500 * (pl.col("driver_id") == "c").cast(pl.Float64))
        .otherwise("lap_end_session_s")
    )
    before, after = (
        rejoins(rejoin_race_of(laps, "2024-ring", start(2024)), "a") for laps in (RACES, changed)
    )
    told = pl.exclude("real_position")
    assert (
        before.filter(pl.col("lap") <= 15).select(told).equals(after.filter(pl.col("lap") <= 15).select(told))
    )
    assert not before.filter("is_stop").equals(after.filter("is_stop")), "but he really came out elsewhere"


def test_rain_strangers_and_a_first_race_are_answered() -> None:
    wet = RACES.with_columns(compound=pl.lit("intermediate"))
    asked = rejoin_race_of(wet, "2024-ring", start(2024))
    assert asked.clock is None and rejoins(asked, "a").is_empty()
    dry = rejoin_race_of(RACES, "2024-ring", start(2024))
    assert rejoins(dry, "nobody").is_empty() and rejoins(dry, "nobody").schema == rejoins(dry, "a").schema
    first = rejoin_race_of(RACES, "2021-ring", start(2021))
    assert (first.loss_s, first.seasons) == (DEFAULT_LOSS_S, ()) and rejoins(first, "a").height


def test_the_order_of_the_laps_does_not_matter() -> None:
    shuffled = RACES.sample(fraction=1, shuffle=True, seed=3)
    first, second = (
        rejoins(rejoin_race_of(laps, "2024-ring", start(2024)), "f") for laps in (RACES, shuffled)
    )
    assert first.equals(second)
    laps = first["lap"].unique(maintain_order=True).to_list()
    assert all(one < two for one, two in pairwise(laps))


def test_a_lap_lost_by_the_feed_is_counted_as_officially() -> None:
    inferred = RACES.with_columns(lap_number_note=pl.lit("inferred"))
    told = rejoins(rejoin_race_of(inferred, "2024-ring", start(2024), official_laps=31), "a")
    exact = rejoins(rejoin_race_of(RACES, "2024-ring", start(2024), official_laps=30), "a")
    assert told.equals(exact.with_columns(pl.col("lap") + 1))


@pytest.fixture(scope="module")
def reader(ingested: Path) -> Reader:
    return Reader(ingested / "warehouse")


EVENT, DRIVER = "2025-austria", "lando-norris"


@pytest.fixture(scope="module")
def real(reader: Reader) -> RejoinRace:
    return rejoin_race(reader, EVENT)


def test_a_real_race_is_foretold_as_by_hand(reader: Reader, real: RejoinRace) -> None:
    laps = circuit_race_laps(reader, "spielberg", 2020, 2025)
    races = {str(name): part for (name,), part in laps.group_by("event_id")}
    # Two races of a season are one measurement: the hand sums them up by race, so a season with two is left to the model.
    rows = by_driver(races[EVENT])
    wanted = by_hand(rows, DRIVER, real.loss_s)
    assert_same(rejoins(real, DRIVER), wanted)
    assert len(wanted) > 40 and sum(place is not None for _, place in wanted.values()) == 2
    earlier = [by_driver(races[f"{season}-austria"]) for season in (2022, 2023, 2024)]
    assert set(real.seasons) >= {2022, 2023, 2024} and max(real.seasons) < 2025
    measured = [real.model.losses["spielberg"][season] for season in (2022, 2023, 2024)]
    assert (sum(measured) + 0.3 * median(measured)) / 3.3 == pytest.approx(loss_by_hand(earlier))


def test_under_an_earlier_clock_the_race_is_not_known(reader: Reader) -> None:
    asked = rejoin_race(reader, EVENT, dt.datetime(2025, 6, 29, tzinfo=dt.UTC))
    assert asked.clock is None
