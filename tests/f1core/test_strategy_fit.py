"""Measuring races, pooling them, publishing both; nothing known later has a say, and nothing is measured twice."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f1core.demo.calendar import Calendar
from f1core.demo.weekend import WeekendStory
from f1core.demo.world import World
from f1core.ratings import lap_paces
from f1core.strategy import fit as fit_module
from f1core.strategy import pace as pace_module
from f1core.strategy.fit import MIN_RACES, fingerprints, fitted, fitted_as_usual, measured_rows
from models.lap_pace import race_paces
from models.strategy.measure import measurements
from models.strategy.pool import pool
from tests.f1core.test_strategy_truth import facts_of
from warehouse.errors import NotReady
from warehouse.frames import frame_schema
from warehouse.queries.strategy import measurements as stored_measurements
from warehouse.reader import Reader
from warehouse.store import Store
from warehouse.tables import TABLES

RACES = 5
Facts = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


def known_at(race: int) -> dt.datetime:
    return dt.datetime(2024, 3, 3, 17, tzinfo=dt.UTC) + race * dt.timedelta(days=14)


@pytest.fixture(scope="module")
def facts() -> Facts:
    """Some races as the warehouse has them; the last but one is on the circuit of the first."""
    weekends = Calendar(dt.date(2026, 11, 21), 1).weekends()[:RACES]
    world = World.drawn(11, 2)
    frames = []
    for number, weekend in enumerate(weekends):
        known = pl.lit(known_at(number)).cast(pl.Datetime("us", "UTC"))
        frames.append([rows.with_columns(known_at=known) for rows in facts_of(WeekendStory(world, weekend))])
    laps, periods, results = (pl.concat(parts) for parts in zip(*frames, strict=True))
    return laps, periods, results


@pytest.fixture(scope="module")
def events(facts: Facts) -> pl.DataFrame:
    names = facts[0]["event_id"].unique(maintain_order=True).to_list()
    circuits = [f"circuit-{number % (RACES - 2)}" for number in range(RACES)]
    return pl.DataFrame({"event_id": names, "season": 2024, "circuit_id": circuits})


@pytest.fixture(scope="module")
def measured(facts: Facts, events: pl.DataFrame) -> pl.DataFrame:
    return measured_rows(*facts, events=events)


def warehouse(folder: Path, rows: pl.DataFrame) -> Reader:
    """A warehouse that holds these measurements and nothing else."""
    schema = frame_schema(TABLES["strategy_measurements"])
    table = rows.with_columns(made_from=pl.lit("made up")).select(*schema).cast(schema)  # type: ignore[arg-type]
    store = Store(folder / "warehouse")
    store.replace("strategy_measurements", table.to_arrow().cast(TABLES["strategy_measurements"].schema))
    store.publish(now=known_at(RACES))
    return Reader(folder / "warehouse")


def test_a_race_is_measured_by_itself(facts: Facts) -> None:
    """Whatever other races there are, and in whatever order their rows come."""
    together = measurements(*facts)
    event = facts[0]["event_id"][0]
    alone = measurements(*(rows.filter(pl.col("event_id") == event) for rows in facts))
    assert alone.equals(together.filter(pl.col("event_id") == event))
    assert alone.height >= 30
    shuffled = [rows.sample(fraction=1.0, shuffle=True, seed=3) for rows in facts]
    again = measurements(*shuffled)
    assert again.drop("value", "standard_error", "spread").equals(
        together.drop("value", "standard_error", "spread")
    )
    for name in ("value", "standard_error", "spread"):
        assert ((again[name] - together[name]).abs().fill_null(0.0) < 1e-9).all()


def test_measurements_are_known_when_the_last_of_their_facts_was(facts: Facts, events: pl.DataFrame) -> None:
    laps, periods, results = facts
    event = events["event_id"][2]
    late = known_at(2) + dt.timedelta(days=3)
    is_late = (pl.col("event_id") == event) & (pl.col("grid_position") == 1)
    corrected = results.with_columns(
        known_at=pl.when(is_late).then(pl.lit(late).cast(pl.Datetime("us", "UTC"))).otherwise("known_at")
    )
    rows = measured_rows(laps, periods, corrected, events=events)
    assert set(rows.filter(pl.col("event_id") == event)["known_at"]) == {late}
    assert set(rows.filter(pl.col("event_id") == events["event_id"][1])["known_at"]) == {known_at(1)}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_what_becomes_known_later_changes_no_parameter(
    measured: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = random.Random(seed)
    as_of = known_at(rng.randrange(MIN_RACES, RACES))
    past, future = measured.filter(pl.col("known_at") < as_of), measured.filter(pl.col("known_at") >= as_of)
    copied = past.filter(pl.col("event_id") == past["event_id"][0])
    at = pl.lit(as_of).cast(past.schema["known_at"])
    other = rng.choice(
        [
            future.clear(),
            future.with_columns(pl.col("value") * (1 + rng.random()) + rng.random()),
            future.with_columns(circuit_id=pl.lit("circuit-0"), season=pl.lit(2025, past.schema["season"])),
            pl.concat([future, copied.with_columns(event_id=pl.lit("2024-invented"), known_at=at)]),
        ]
    )
    circuit = rng.choice(["circuit-0", "circuit-2", "nowhere"])
    reader = warehouse(tmp_path_factory.mktemp("as-of"), pl.concat([past, other]))
    assert fitted(reader, circuit, 90.0, as_of) == pool(past, circuit, 90.0)
    assert all(known < as_of for known in stored_measurements(reader, as_of)["known_at"])
    reader.close()


def test_the_property_would_see_a_leak(measured: pl.DataFrame) -> None:
    """One more race changes parameters of every circuit."""
    past = measured.filter(pl.col("known_at") < known_at(3))
    for circuit in ("circuit-0", "nowhere"):
        assert pool(past, circuit, 90.0) != pool(measured, circuit, 90.0)


def test_too_few_races_are_refused_with_what_to_do(measured: pl.DataFrame, tmp_path: Path) -> None:
    reader = warehouse(tmp_path, measured)
    with pytest.raises(NotReady, match="before that day") as refusal:
        fitted(reader, "circuit-0", 90.0, known_at(MIN_RACES - 1))
    assert "fit-strategy" in refusal.value.hint
    assert fitted(reader, "circuit-0", 90.0, known_at(MIN_RACES)).count_races == 1
    with pytest.raises(NotReady, match="nowhere"):
        fitted_as_usual(reader, "nowhere")
    reader.close()


def test_a_fingerprint_follows_every_row_and_no_other_race(facts: Facts) -> None:
    before = fingerprints(*facts)
    laps, periods, results = facts
    event = laps["event_id"][0]
    first = (pl.col("event_id") == event) & (pl.col("lap_number") == 7) & (pl.col("car_number") == "3")
    slower = laps.with_columns(
        lap_time_s=pl.when(first).then(pl.col("lap_time_s") + 0.001).otherwise("lap_time_s")
    )
    after = fingerprints(slower, periods, results)
    assert {name for name in before if before[name] != after[name]} == {event}
    assert fingerprints(*(rows.reverse() for rows in facts)) == before
    fewer = results.filter((pl.col("event_id") != event) | (pl.col("grid_position") != 1))
    assert fingerprints(laps, periods, fewer)[event] != before[event]


def test_the_scale_is_the_lap_and_nothing_else(measured: pl.DataFrame) -> None:
    """Shares of a lap follow the lap time; seconds in the pit lane and rates do not."""
    short, long = (pool(measured, "circuit-1", lap) for lap in (60.0, 120.0))
    for name in ("soft", "medium", "hard"):
        assert long.wear_s[name].value == pytest.approx(2 * short.wear_s[name].value)
    assert long.fuel_and_track_s.high == pytest.approx(2 * short.fuel_and_track_s.high)
    assert long.pit_loss_s == short.pit_loss_s
    assert long.safety_car_rates == short.safety_car_rates


def test_every_number_comes_with_its_interval_and_source(measured: pl.DataFrame) -> None:
    rows = pool(measured, "circuit-1", 90.0).rows()
    assert len({(row["parameter"], row["part"]) for row in rows}) == len(rows) > 40
    for row in rows:
        assert row["low"] <= row["value"] <= row["high"], row
        assert row["source"] in ("circuit", "pool", "assumption")
        assert row["spread"] >= 0
    assert (
        pool(measured, "circuit-1", 90.0).pit_lane_loss_s < pool(measured, "circuit-1", 90.0).pit_loss_s.value
    )


def test_race_paces_are_fitted_once_and_again_where_the_race_changed(
    facts: Facts, events: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.queries.strategy.circuits_of_events", lambda reader: events)
    laps = facts[0].with_columns(session=pl.lit("race"))
    prints = fingerprints(*facts)
    store = Store(tmp_path / "warehouse")
    store.publish(now=known_at(RACES))
    first, is_new = fit_module._paces(Reader(tmp_path / "warehouse"), facts[0], prints)
    assert is_new and first.select("event_id", "driver_id", "race_pace_pct").equals(
        lap_paces(laps).sort("event_id", "driver_id").select("event_id", "driver_id", "race_pace_pct")
    )
    store = Store(tmp_path / "warehouse")
    store.replace("race_paces", first.to_arrow().cast(TABLES["race_paces"].schema))
    store.publish(now=known_at(RACES))
    reader = Reader(tmp_path / "warehouse")
    asked: list[list[str]] = []

    def counted(rows: pl.DataFrame) -> pl.DataFrame:
        asked.append(rows["event_id"].unique().sort().to_list())
        return race_paces(rows)

    monkeypatch.setattr(fit_module, "race_paces", counted)
    again, is_new = fit_module._paces(reader, facts[0], prints)
    assert not is_new and again.equals(first) and asked == [[]]
    changed = sorted(prints)[1]
    other, is_new = fit_module._paces(reader, facts[0], {**prints, changed: "f" * 16})
    assert is_new and asked[1] == [changed]
    assert other.drop("made_from").equals(first.drop("made_from"))


def test_stored_race_paces_stand_for_the_laps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first setup of a process must not fit the laps of every race."""
    columns = dict.fromkeys(pace_module.PACE_COLUMNS, pl.Float64) | {
        "event_id": pl.String,
        "driver_id": pl.String,
    }
    held = pl.DataFrame([("2024-a", "x", 0.1, 0.05)], schema=columns, orient="row")
    read: list[str | None] = []

    def laps_of(reader: object, event: str | None = None) -> pl.DataFrame:
        read.append(event)
        return pl.DataFrame({"event_id": [event], "session": ["race"]})

    monkeypatch.setattr(pace_module, "stored_paces", lambda reader: held)
    monkeypatch.setattr(
        pace_module, "playable", lambda reader: pl.DataFrame({"event_id": ["2024-b", "2024-a"]})
    )
    monkeypatch.setattr(pace_module, "race_laps", laps_of)
    monkeypatch.setattr(
        pace_module,
        "lap_paces",
        lambda laps: held.with_columns(event_id=pl.lit("2024-b")) if laps.height else held,
    )
    found = pace_module._race_paces(None)  # type: ignore[arg-type]
    assert read == ["2024-b"] and found["event_id"].to_list() == ["2024-a", "2024-b"]
