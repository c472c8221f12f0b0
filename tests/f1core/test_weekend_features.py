"""Features of whole weekends: one row per driver beside history, what later sessions may not change, and bad input."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from f1core.features.registry import REGISTRY
from f1core.features.session.registry import SESSION_REGISTRY
from f1core.sources.bundle import Bundle, bundle_folder, read_bundle
from f1core.weekend_features import (
    FLAGS,
    KEYS,
    WeekendFeatures,
    read_weekend,
    weekend_features,
    weekend_path,
    write_weekend,
)
from f1core.workspace import Workspace
from tests.conftest import workspace_of
from tests.made_up_sessions import (
    ADA,
    BO,
    CY,
    DI,
    EVENT,
    FIELD,
    LOADED_AT,
    MadeUpSession,
    car_of,
    full_weekend,
    lap_samples,
    qualifying,
)
from tests.made_up_weekend import DRIVERS
from warehouse.errors import SourceError
from warehouse.reader import Reader
from warehouse.vocab import SessionKind, Stage

P1, P2, P3 = SessionKind.PRACTICE_1, SessionKind.PRACTICE_2, SessionKind.PRACTICE_3
Q, R = SessionKind.QUALIFYING, SessionKind.RACE


# --- a whole weekend --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def work(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace_of(Path(shutil.copytree(tiny_data, tmp_path_factory.mktemp("weekend") / "data")))


def weekend(root: Path, event: str = EVENT) -> list[Bundle]:
    """Every session of a normal weekend, the race too."""
    made = [MadeUpSession(event, kind) for kind in (P1, P2, P3, Q, R)]
    rng = random.Random(7)
    for one in made:
        for place, driver in enumerate(FIELD):
            base = 90.0 + 0.1 * place
            times = [base + rng.random() for _ in range(6)]
            one.run(driver, times, compound=rng.choice(["SOFT", "MEDIUM"]))
            if one.kind is Q:
                one.result(driver, position=place + 1, q1_s=times[0], q2_s=times[1], q3_s=times[2])
                one.telemetry += lap_samples(driver, 2, one.laps[-7]["lap_start_session_s"], times[0])
    return [one.write(root) for one in made]


def same_bits(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    floats = [name for name, kind in left.schema.items() if kind == pl.Float64]
    as_bits = [pl.col(name).reinterpret(signed=False) for name in floats]
    return left.schema == right.schema and left.with_columns(as_bits).equals(
        right.with_columns(as_bits), null_equal=True
    )


def test_a_weekend_is_one_row_per_driver_with_history_beside(work: Workspace, tmp_path: Path) -> None:
    found = weekend_features(work, EVENT, weekend(tmp_path / "b"), stage=Stage.PRE_RACE)
    assert found.frame["driver_id"].to_list() == sorted(FIELD)
    assert set(found.frame.columns) >= {
        *KEYS,
        *SESSION_REGISTRY,
        *REGISTRY,
        "championship_position",
        "elo_driver",
    }
    assert found.frame.width >= 55
    assert list(found.sessions) == [P1, P2, P3, Q], "in order of time, without the race"
    assert found.missing == {}
    assert set(found.frame["data_quality_flag"]) <= set(FLAGS)
    history = work.features.get(EVENT, Stage.PRE_RACE).frame
    assert found.frame.select("driver_id", *REGISTRY).equals(
        history.select("driver_id", *REGISTRY), null_equal=True
    )
    path = write_weekend(work, found)
    assert path == weekend_path(work, EVENT) and path.stat().st_size < 1_000_000
    frame, stamp = read_weekend(path)
    assert frame.equals(found.frame, null_equal=True)
    assert stamp["stage"] == "pre_race" and set(stamp["sessions"]) == {
        "practice_1",
        "practice_2",
        "practice_3",
        "qualifying",
    }
    with pytest.raises(SourceError, match="no weekend features"):
        read_weekend(tmp_path / "none.parquet")


@pytest.mark.parametrize("stage", list(Stage))
def test_later_sessions_change_nothing_by_a_bit(work: Workspace, tmp_path: Path, stage: Stage) -> None:
    """The gate: whatever happens to sessions known at the cut-off or later, the row is the same."""
    bundles = weekend(tmp_path / "truth")
    rng = random.Random(stage.value)
    starts = dict(
        work.reader.query(
            "select session, known_at from sessions where event_id = $e", {"e": EVENT}
        ).iter_rows()
    )
    instants = [None, starts["practice_2"] + dt.timedelta(microseconds=1)]
    for as_of in instants:
        truth = weekend_features(work, EVENT, bundles, stage=stage, as_of=as_of)
        later = [one for one in bundles if one.meta.session not in truth.sessions]
        assert R in {one.meta.session for one in later}
        kept = [one for one in bundles if one.meta.session in truth.sessions]
        changed = [tampered(one, tmp_path / f"{rng.random()}", rng) for one in later if rng.random() < 0.7]
        other = weekend_features(work, EVENT, [*changed, *kept], stage=stage, as_of=as_of)
        assert same_bits(truth.frame, other.frame), f"{stage} {as_of}"
        assert truth.sessions == other.sessions


def tampered(bundle: Bundle, root: Path, rng: random.Random) -> Bundle:
    """The session as if everything in it had gone otherwise; sometimes with its files destroyed."""
    made = MadeUpSession(bundle.meta.event_id, bundle.meta.session)
    for driver in rng.sample(FIELD, 6):
        made.run(driver, [80.0 + rng.random() for _ in range(7)], compound="HARD")
        made.result(driver, position=1, q1_s=70.0, q2_s=60.0, q3_s=50.0)
    written = made.write(root, loaded_at=LOADED_AT + dt.timedelta(days=1))
    if rng.random() < 0.3:
        (written.folder / "laps.parquet").write_bytes(b"cut")
    return written


def test_the_gate_catches_a_leak(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above is able to fail: with the gate open the race shows."""
    import f1core.weekend_features

    bundles = weekend(tmp_path / "truth")
    truth = weekend_features(work, EVENT, bundles, stage=Stage.PRE_QUALIFYING)
    monkeypatch.setattr(f1core.weekend_features, "sessions_before", lambda *_: (P1, P2, P3, Q))
    leaking = weekend_features(work, EVENT, bundles, stage=Stage.PRE_QUALIFYING)
    assert not same_bits(truth.frame, leaking.frame)


def test_a_simulated_clock_sees_no_later_session(tiny_data: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    friday = workspace_of(data, "2024-04-05T20:00Z")
    found = weekend_features(friday, EVENT, weekend(tmp_path / "b"))
    assert found.stage is Stage.PRE_QUALIFYING
    assert list(found.sessions) == [P1, P2]
    assert found.as_of == dt.datetime(2024, 4, 5, 20, tzinfo=dt.UTC)


# --- bad input --------------------------------------------------------------------------------------------------------


def row_of(found: WeekendFeatures, driver: str) -> dict[str, object]:
    return found.frame.filter(pl.col("driver_id") == driver).row(0, named=True)


def test_a_driver_swapped_between_practice_and_race(work: Workspace, tmp_path: Path) -> None:
    """Kit drove Ada's car in practice: no row for him, and nothing made up for Ada."""
    practice = MadeUpSession(EVENT, P1)
    for driver in (*FIELD[1:], DRIVERS[10]):
        practice.run(driver, [90.0, 90.1, 90.2, 90.1, 90.0, 90.2])
    only_practice = weekend_features(work, EVENT, [practice.write(tmp_path / "b")], stage=Stage.PRE_RACE)
    assert DRIVERS[10] not in only_practice.frame["driver_id"].to_list()
    ada = row_of(only_practice, ADA)
    assert ada["data_quality_flag"] == "no_laps"
    assert ada["count_imputed"] == 0 and ada["imputed_columns"] == ""
    measured = [
        name
        for name, one in SESSION_REGISTRY.items()
        if one.group.name in ("long runs", "short runs") and not name.startswith("field_")
    ]
    assert all(ada[name] is None for name in measured)
    assert ada["laps_driven"] == 0.0
    assert "practice_1: no lap" in str(ada["data_problems"])
    with_qualifying = weekend_features(
        work,
        EVENT,
        [practice.write(tmp_path / "c"), qualifying().write(tmp_path / "c")],
        stage=Stage.PRE_RACE,
    )
    assert row_of(with_qualifying, ADA)["data_quality_flag"] == "partial"
    assert row_of(with_qualifying, ADA)["pole_gap_s"] == 0.0


def test_a_session_without_laps_and_one_that_is_not_there(work: Workspace, tmp_path: Path) -> None:
    hollow = MadeUpSession(EVENT, P2, problems=("No laps.",), results=full_weekend()[1].results).write(
        tmp_path / "b"
    )
    found = weekend_features(
        work, EVENT, [hollow], stage=Stage.PRE_RACE, reasons={P1: "the source has nothing of it yet"}
    )
    assert set(found.frame["data_quality_flag"]) == {"no_sessions"}
    assert found.frame["count_imputed"].sum() == 0
    assert found.missing[P1] == "the source has nothing of it yet" and found.missing[P3] == "not loaded"
    assert "practice_2: No laps" in str(row_of(found, ADA)["data_problems"])
    assert row_of(found, ADA)["sessions_used"] == 0.0
    nothing = weekend_features(work, EVENT, [], stage=Stage.PRE_WEEKEND)
    assert set(nothing.frame["data_quality_flag"]) == {"no_sessions"}
    assert nothing.frame.select(*SESSION_REGISTRY).null_count().sum_horizontal()[0] >= len(FIELD) * 90


def test_a_damaged_session_is_named_and_the_others_count(work: Workspace, tmp_path: Path) -> None:
    bundles = weekend(tmp_path / "b")
    whole = weekend_features(work, EVENT, bundles, stage=Stage.PRE_RACE)
    path = bundle_folder(tmp_path / "b", EVENT, P2) / "laps.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    cut = weekend_features(work, EVENT, [read_bundle(one.folder) for one in bundles], stage=Stage.PRE_RACE)
    assert list(cut.sessions) == [P1, P3, Q]
    assert "is damaged" in cut.missing[P2]
    assert "practice_2" in str(row_of(cut, ADA)["data_problems"]) and "is damaged" in str(
        row_of(cut, ADA)["data_problems"]
    )
    assert row_of(cut, ADA)["sessions_used_share"] == 0.75
    without = weekend_features(
        work, EVENT, [b for b in bundles if b.meta.session is not P2], stage=Stage.PRE_RACE
    )
    assert same_bits(cut.frame.drop("data_problems"), without.frame.drop("data_problems"))
    assert not same_bits(whole.frame, cut.frame)


def test_a_stuck_sensor_and_a_car_without_telemetry_are_flagged(work: Workspace, tmp_path: Path) -> None:
    def made(stuck: str | None = None, without: str | None = None) -> MadeUpSession:
        one = full_weekend()[1]
        one.event_id = EVENT
        for sample in one.telemetry:
            if sample["car_number"] == car_of(stuck or "ada-alm") and stuck:
                sample["throttle_pct"] = 0.0
        one.telemetry = [s for s in one.telemetry if without is None or s["car_number"] != car_of(without)]
        return one

    clean = weekend_features(work, EVENT, [made().write(tmp_path / "a")], stage=Stage.PRE_RACE)
    stuck = weekend_features(work, EVENT, [made(stuck=CY).write(tmp_path / "b")], stage=Stage.PRE_RACE)
    lost = weekend_features(work, EVENT, [made(without=CY).write(tmp_path / "c")], stage=Stage.PRE_RACE)
    assert row_of(clean, CY)["data_quality_flag"] == "ok"
    assert row_of(clean, CY)["full_throttle_share"] == pytest.approx(0.5, abs=0.01)
    for found, words in ((stuck, "throttle stuck at 0"), (lost, "no telemetry")):
        row = row_of(found, CY)
        assert row["data_quality_flag"] == "suspect"
        assert words in str(row["data_problems"])
        assert "full_throttle_share" in str(row["imputed_columns"]).split(";"), (
            "his team mate's, and said to be"
        )
        assert row["full_throttle_share"] == row_of(found, DI)["full_throttle_share"]
        assert row["count_imputed"] == len(str(row["imputed_columns"]).split(";"))
        assert row_of(found, ADA)["data_quality_flag"] == "ok"
    assert "lap_top_speed_kph" not in str(row_of(stuck, CY)["imputed_columns"]), "the speed sensor is fine"


def test_of_two_versions_of_a_session_the_newer_counts(work: Workspace, tmp_path: Path) -> None:
    old = MadeUpSession(EVENT, P1).run(ADA, [90.0]).run(BO, [95.0]).write(tmp_path / "a")
    new = (
        MadeUpSession(EVENT, P1)
        .run(ADA, [90.0])
        .run(BO, [91.0])
        .write(tmp_path / "b", loaded_at=LOADED_AT + dt.timedelta(hours=1))
    )
    for bundles in ([old, new], [new, old]):
        found = weekend_features(work, EVENT, bundles, stage=Stage.PRE_QUALIFYING)
        assert row_of(found, BO)["short_run_best_s"] == 91.0


# --- the real thing ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bahrain(recorded_data: Path, ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> WeekendFeatures:
    data = Path(shutil.copytree(ingested, tmp_path_factory.mktemp("bahrain") / "data"))
    bundles = [
        read_bundle(bundle_folder(recorded_data / "fetched", "2023-bahrain", kind)) for kind in (P2, Q)
    ]
    return weekend_features(workspace_of(data), "2023-bahrain", bundles)


@pytest.mark.slow
def test_bahrain_2023_from_practice_2_and_qualifying(bahrain: WeekendFeatures) -> None:
    frame = bahrain.frame
    features = [*SESSION_REGISTRY, *REGISTRY]
    assert frame.height == 20
    assert len(features) >= 55
    assert bahrain.stage is Stage.PRE_RACE
    stand_ins = dict(
        zip(frame["driver_id"], (set(names.split(";")) for names in frame["imputed_columns"]), strict=True)
    )
    for columns in (features, list(SESSION_REGISTRY)):
        own = [
            name
            for name in columns
            if sum(
                v is not None and name not in stand_ins[d]
                for d, v in frame.select("driver_id", name).iter_rows()
            )
            >= 18
        ]
        assert len(own) >= 45, "known for at least 18 drivers, without anything that stands in"
    ver = row_of(bahrain, "max-verstappen")
    assert ver["pole_gap_s"] == 0.0
    assert ver["short_run_best_s"] == 91.076
    assert ver["last_qualifying_segment"] == 3.0
    assert row_of(bahrain, "sergio-perez")["pole_gap_s"] == pytest.approx(0.138)
    assert row_of(bahrain, "fernando-alonso")["short_run_gap_pct"] == 0.0, "fastest of second practice"
    assert set(frame["data_quality_flag"]) <= {"ok", "imputed"}
    assert 0.05 < float(str(frame["field_degradation_soft_s_per_lap"][0])) < 0.4
    assert frame["full_throttle_share"].is_between(0.5, 0.7).all()


@pytest.mark.slow
def test_the_best_laps_are_the_official_ones(bahrain: WeekendFeatures, reader_of_facts: Reader) -> None:
    """An independent oracle: the results source's practice times."""
    official = reader_of_facts.query(
        "select driver_id, time_s from practice_results where event_id = '2023-bahrain' and session = 'practice_2'"
    )
    joined = bahrain.frame.select("driver_id", "short_run_best_s").join(official, on="driver_id")
    assert joined.height == 20
    assert joined.select(((pl.col("short_run_best_s") - pl.col("time_s")).abs() < 0.0015).all()).item()


@pytest.fixture
def reader_of_facts(ingested: Path) -> Iterator[Reader]:
    found = Reader(ingested / "warehouse")
    yield found
    found.close()
