"""The gate of DESIGN §4: whatever happens at or after the cut-off, the features do not change by a bit.

Everything known at the cut-off or later is deleted, altered and joined by invented rows, ratings are computed anew from what
results then say, and features of every event, target and stage that ends before are compared byte by byte. A planted leak
must be caught.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f1core.features.extract import extract, stage_cutoff
from f1core.features.facts import FeatureFacts
from f1core.features.registry import REGISTRY, Values, feature
from f1core.features.view import EventView
from f1core.ratings import rate_frames
from f1core.targets import rules_of
from warehouse.queries.history import GATED_TABLES, Facts, order_by_known
from warehouse.reader import Reader
from warehouse.vocab import SessionKind, Stage, Target

FIRST = 2022
PACES: list[pl.DataFrame] = []
"""Race pace by the laps as they really were, put here by :func:`paces_of_laps`."""
CHECKED_PER_CUTOFF = 6
QUICK, THOROUGH = 20, 120
PLACES = [(target, stage) for target in Target for stage in rules_of(target).stages]
Check = tuple[str, Stage, Target]


def events_of(facts: Facts) -> list[str]:
    held = set(facts.tables["session_summaries"]["event_id"])
    return [e for e in facts.calendar["event_id"] if int(e[:4]) >= FIRST and e in held]


def tampered(facts: Facts, cutoff: dt.datetime, seed: int) -> Facts:
    """The facts with everything from the cut-off on deleted, altered or invented; the past is untouched."""
    rng = random.Random(seed)
    tables = {}
    for name in GATED_TABLES:
        if name == "ratings":
            continue
        rows = facts.tables[name]
        past, future = rows.filter(pl.col("known_at") < cutoff), rows.filter(pl.col("known_at") >= cutoff)
        how = rng.choice(["delete all", "delete some", "alter", "alter", "alter"])
        if how == "delete all":
            future = future.clear()
        elif how == "delete some":
            future = future.sample(fraction=0.5, seed=seed)
        else:
            future = altered(future, rng)
        tables[name] = order_by_known(name, pl.concat([past, future, *invented(rows, cutoff, rng)]))
    if rng.random() < 0.15:
        # The future may also be unknown altogether.
        tables = {name: rows.filter(pl.col("known_at") < cutoff) for name, rows in tables.items()}
    paces = tampered_paces(facts, cutoff, rng, seed)
    ratings = rate_frames(tables["race_results"], tables["qualifying_results"], paces)
    tables["ratings"] = order_by_known("ratings", ratings)
    return Facts(tables, facts.calendar, facts.sessions, facts.circuits)


def tampered_paces(facts: Facts, cutoff: dt.datetime, rng: random.Random, seed: int) -> pl.DataFrame:
    """What laps say of race pace: races that end at the cut-off or later have other laps, or none."""
    results = facts.tables["race_results"].filter(pl.col("session") == "race")
    later = results.filter(pl.col("known_at") >= cutoff)["event_id"].unique().to_list()
    paces = PACES[0]
    past, future = (paces.filter(pl.col("event_id").is_in(later) == is_later) for is_later in (False, True))
    if rng.random() < 0.3:
        return past
    shuffled = pl.col("driver_id").shuffle(seed=seed % 2**31).over("event_id")
    return pl.concat([past, future.with_columns(shuffled, pl.col("race_pace_pct") * 3 + rng.random())])


def altered(rows: pl.DataFrame, rng: random.Random) -> pl.DataFrame:
    """Every value a feature may look at becomes another one; keys stay unique."""
    if rows.is_empty():
        return rows
    order = rows.select(pl.int_range(pl.len()).shuffle(seed=rng.randrange(2**31))).to_series()
    changed = rows
    if "driver_id" in rows.columns and "display_order" in rows.columns and "constructor_id" in rows.columns:
        # Someone else had each result: the order of each session is drawn again.
        keys = [name for name in ("event_id", "session") if name in rows.columns]
        changed = changed.with_columns(
            pl.col("driver_id", "constructor_id").shuffle(seed=rng.randrange(2**31)).over(keys)
        )
    floats = [n for n, kind in rows.schema.items() if kind == pl.Float64]
    factor = 1 + rng.random()
    changed = changed.with_columns(pl.col(floats) * factor + rng.random())
    ints = [
        n
        for n in ("position", "laps", "penalty_places", "grid_position", "count_starters")
        if n in rows.columns
    ]
    changed = changed.with_columns(rows[n][order].alias(n) for n in ints)
    if "status" in rows.columns:
        changed = changed.with_columns(rows["status"][order])
    return changed.cast(rows.schema)  # type: ignore[arg-type]


def invented(rows: pl.DataFrame, cutoff: dt.datetime, rng: random.Random) -> list[pl.DataFrame]:
    """Rows that never were: whole sessions copied under another event at, or after, the cut-off."""
    if rows.is_empty():
        return []
    found = []
    for number in range(rng.randrange(3)):
        event = rng.choice(rows["event_id"].unique(maintain_order=True).to_list())
        known = cutoff + dt.timedelta(microseconds=rng.choice([0, 1, 3_600_000_000]))
        found.append(
            rows.filter(pl.col("event_id") == event).with_columns(
                event_id=pl.lit(f"{cutoff.year}-invented-{number}"),
                season=pl.lit(cutoff.year, pl.Int32),
                known_at=pl.lit(known).cast(rows.schema["known_at"]),
            )
        )
    return found


def differences(
    truth: FeatureFacts, other: FeatureFacts, checks: list[Check], cutoff: dt.datetime
) -> list[str]:
    """Features that differ between two worlds, each seen as of the cut-off."""
    found = []
    for event, stage, target in checks:
        expected, lineup = extract(truth, event, stage, target=target, as_of=cutoff)
        got, other_lineup = extract(other, event, stage, target=target, as_of=cutoff)
        if lineup != other_lineup:
            found.append(f"{event} {target} {stage}: the field")
            continue
        if same_frames(expected, got):
            continue
        found += [
            f"{event} {target} {stage}: {name}"
            for name in expected.columns
            if not same_bits(expected[name], got[name])
        ]
    return found


def same_frames(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Whether two frames are the same to the bit."""
    others = pl.exclude(pl.Float64)
    return (
        left.schema == right.schema
        and left.select(others).equals(right.select(others), null_equal=True)
        and _same_floats(left.select(pl.col(pl.Float64)), right.select(pl.col(pl.Float64)))
    )


def same_bits(left: pl.Series, right: pl.Series) -> bool:
    if left.dtype != pl.Float64:
        return left.equals(right, null_equal=True)
    return _same_floats(left.to_frame("value"), right.to_frame("value"))


def _same_floats(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Whether numbers are the same to the bit, which for ``==`` zero and minus zero are and NaN is not."""
    bits = [np.ascontiguousarray(rows.fill_null(0.0).to_numpy()).view(np.uint64) for rows in (left, right)]
    return left.select(pl.all().is_null()).equals(right.select(pl.all().is_null())) and np.array_equal(*bits)


def check(
    facts: Facts, truth: FeatureFacts, seed: int, places: list[tuple[Target, Stage]] = PLACES
) -> list[str]:
    """One random cut-off, a world that differs after it, and some events, targets and stages that end by then."""
    rng = random.Random(seed)
    events = {
        target: [e for e in events_of(facts) if rules_of(target).session in truth.starts_at[e]]
        for target in Target
    }
    assert len(events[Target.SPRINT]) > 20
    target, stage = rng.choice(places)
    event = rng.choice(events[target])
    end = stage_cutoff(truth, event, stage, target)
    # Mostly the stage's own end; else some instant in the weekend or the weeks before.
    cutoff = end if rng.random() < 0.5 else end - dt.timedelta(seconds=rng.randrange(0, 10 * 86400))
    checks: list[Check] = [(event, stage, target)]
    for _ in range(CHECKED_PER_CUTOFF - 1):
        other, at = rng.choice(places)
        before = [e for e in events[other] if stage_cutoff(truth, e, Stage.PRE_WEEKEND) <= cutoff]
        checks.append((rng.choice(before[-8:]), at, other) if before else (event, stage, target))
    return differences(truth, FeatureFacts(tampered(facts, cutoff, seed)), checks, cutoff)


@pytest.fixture(scope="module", autouse=True)
def paces_of_laps(recent_paces: pl.DataFrame) -> None:
    PACES[:] = [recent_paces]


@pytest.fixture(scope="module")
def truth(recent_facts: Facts) -> FeatureFacts:
    return FeatureFacts(recent_facts)


PROPERTY = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=False
)


@settings(PROPERTY, max_examples=QUICK)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_future_changes_no_feature(recent_facts: Facts, truth: FeatureFacts, seed: int) -> None:
    assert check(recent_facts, truth, seed) == []


@pytest.mark.slow
@settings(PROPERTY, max_examples=THOROUGH)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_future_changes_no_feature_however_hard_one_tries(
    recent_facts: Facts, truth: FeatureFacts, seed: int
) -> None:
    assert check(recent_facts, truth, seed) == []


# --- the test itself --------------------------------------------------------------------------------------------------


@pytest.fixture
def registry_restored() -> Iterator[None]:
    kept = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(kept)


def leak_whole_table(view: EventView) -> Values:
    """Reads a table past the gate: the mean of all results there will ever be."""
    starts = view.facts.tables["starts"].frame
    means = dict(starts.group_by("driver_id").agg(pl.col("position").mean()).iter_rows())
    return {driver: means.get(driver) for driver in view.drivers}


def leak_next_result(view: EventView) -> Values:
    """Reads the result of the event itself."""
    starts = view.facts.tables["starts"].frame.filter(pl.col("event_id") == view.event_id)
    places = dict(starts.select("driver_id", pl.col("position").cast(pl.Float64)).iter_rows())
    return {driver: places.get(driver) for driver in view.drivers}


def leak_one_row(view: EventView) -> Values:
    """Off by one: the first rating after the gate."""
    seen = view.seen("ratings")
    column = seen.arrays.column("value")
    return float(column[min(seen.end, len(column) - 1)])


@pytest.mark.usefixtures("registry_restored")
@pytest.mark.parametrize("leak", [leak_whole_table, leak_next_result, leak_one_row], ids=lambda f: f.__name__)
def test_a_planted_leak_is_caught(recent_facts: Facts, truth: FeatureFacts, leak: object) -> None:
    feature(unit="place", group="test")(leak)  # type: ignore[arg-type]
    found = [words for seed in range(4) for words in check(recent_facts, truth, seed)]
    assert any(leak.__name__ in words for words in found)  # type: ignore[attr-defined]
    # Nothing else is, but for the share of features that are present, which counts the leaking one.
    allowed = (leak.__name__, "feature_coverage", "data_quality_flag")  # type: ignore[attr-defined]
    assert all(words.endswith(allowed) for words in found)


@pytest.mark.usefixtures("registry_restored")
def test_a_leak_of_the_sprint_into_its_own_forecast_is_caught(
    recent_facts: Facts, truth: FeatureFacts
) -> None:
    """Before the race the sprint is history; before the sprint it is the answer."""

    def leak_sprint(view: EventView) -> Values:
        """Reads the sprint's result, whenever."""
        rows = view.facts.tables["sprints"].frame.filter(pl.col("event_id") == view.event_id)
        places = dict(rows.select("driver_id", pl.col("display_order").cast(pl.Float64)).iter_rows())
        return {driver: places.get(driver) for driver in view.drivers}

    feature(unit="place", group="test")(leak_sprint)
    sprint = [place for place in PLACES if place[0] is Target.SPRINT]
    found = [words for seed in range(3) for words in check(recent_facts, truth, seed, sprint)]
    assert any("leak_sprint" in words for words in found)


def test_a_sprints_grid_and_qualifying_are_its_own(recent_facts: Facts, truth: FeatureFacts) -> None:
    """What the race's sessions hold changes nothing of the sprint's, whenever it may have been known."""
    event = "2023-azerbaijan"
    tables = {
        name: rows.filter((pl.col("event_id") != event) | (pl.col("session") != session))
        for name, session in (
            ("qualifying_results", SessionKind.QUALIFYING),
            ("starting_grids", SessionKind.RACE),
        )
        for rows in (recent_facts.tables[name],)
    }
    facts = Facts(
        {**recent_facts.tables, **tables}, recent_facts.calendar, recent_facts.sessions, recent_facts.circuits
    )
    checks = [(event, stage, Target.SPRINT) for stage in rules_of(Target.SPRINT).stages]
    end = stage_cutoff(truth, event, Stage.PRE_RACE)
    assert differences(truth, FeatureFacts(facts), checks, end) == []
    race = [(event, Stage.PRE_RACE, Target.RACE)]
    assert any(
        "the field" in words or "grid" in words
        for words in differences(truth, FeatureFacts(facts), race, end)
    )


def test_frames_are_compared_to_the_bit() -> None:
    rows = pl.DataFrame({"value": [0.0, None, float("nan")], "name": ["a", None, "b"]})
    assert same_frames(rows, rows.clone())
    for other in ([-0.0, None, float("nan")], [0.0, 0.0, float("nan")], [0.0, None, 1.0]):
        changed = rows.with_columns(value=pl.Series(other, dtype=pl.Float64))
        assert not same_frames(rows, changed)
        assert not same_bits(rows["value"], changed["value"])
    assert not same_frames(rows, rows.with_columns(name=pl.Series(["a", "b", None])))


def test_tampering_leaves_the_past_and_changes_the_future(recent_facts: Facts) -> None:
    cutoff = dt.datetime(2024, 7, 28, 12, tzinfo=dt.UTC)
    changed = set()
    for seed in range(4):
        other = tampered(recent_facts, cutoff, seed)
        for name in GATED_TABLES:
            rows, now = recent_facts.tables[name], other.tables[name]
            if name != "ratings":
                assert now.filter(pl.col("known_at") < cutoff).equals(
                    rows.filter(pl.col("known_at") < cutoff)
                )
            if not now.filter(pl.col("known_at") >= cutoff).equals(rows.filter(pl.col("known_at") >= cutoff)):
                changed.add(name)
    assert changed == set(GATED_TABLES)


def test_ratings_depend_on_nothing_later(recent_facts: Facts, recent_paces: pl.DataFrame) -> None:
    """Rated from the results up to any race, every rating is to the bit what the full history gives."""
    results, qualifying = recent_facts.tables["race_results"], recent_facts.tables["qualifying_results"]
    full = rate_frames(results, qualifying, recent_paces).sort(
        "known_at", "event_id", "rating_kind", "entity_kind", "entity_id"
    )
    for cutoff in (dt.datetime(2022, 6, 1, tzinfo=dt.UTC), dt.datetime(2025, 7, 6, 15, tzinfo=dt.UTC)):
        known = pl.col("known_at") < cutoff
        raced = results.filter(known)["event_id"].unique().to_list()
        paces = recent_paces.filter(pl.col("event_id").is_in(raced))
        part = rate_frames(results.filter(known), qualifying.filter(known), paces)
        part = part.sort("known_at", "event_id", "rating_kind", "entity_kind", "entity_id")
        expected = full.filter(known)
        assert part.height == expected.height > 1000
        assert part.drop("value", "variance").equals(expected.drop("value", "variance"))
        assert same_bits(part["value"], expected["value"])


def test_a_fact_known_exactly_at_the_cutoff_is_not_known_yet(recent_facts: Facts, reader: Reader) -> None:
    known = reader.query(
        "select distinct known_at from qualifying_results where event_id = '2024-belgium' and session = 'qualifying'"
    ).item()
    history = recent_facts.history(known)
    assert history.table("qualifying_results").filter(pl.col("event_id") == "2024-belgium").is_empty()
    later = recent_facts.history(known + dt.timedelta(microseconds=1))
    assert later.table("qualifying_results").filter(pl.col("event_id") == "2024-belgium").height == 20
    for name in GATED_TABLES:
        assert history.table(name)["known_at"].max() < known
    assert history.data_through is not None
    assert history.data_through < known
