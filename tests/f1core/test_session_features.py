"""Features of a weekend's sessions: values worked out by hand, and one loop over the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from f1core.features.registry import REGISTRY
from f1core.features.session.extract import session_features
from f1core.features.session.laps import find_long_runs, fuel_effect_s_per_lap, with_lap_kinds
from f1core.features.session.registry import SESSION_REGISTRY, Imputation
from f1core.features.session.view import SessionData, WeekendView
from f1core.session_rows import read_session
from tests.made_up_sessions import (
    ADA,
    BO,
    CY,
    DI,
    ED,
    EVENT,
    FIELD,
    FLO,
    QUALIFYING_TIMES,
    SPRINT_EVENT,
    MadeUpSession,
    full_weekend,
    qualifying,
)
from tests.made_up_weekend import TEAMS
from warehouse.reader import Reader
from warehouse.vocab import SessionKind, Stage

P1, P2, P3 = SessionKind.PRACTICE_1, SessionKind.PRACTICE_2, SessionKind.PRACTICE_3
Q, SQ, S = SessionKind.QUALIFYING, SessionKind.SPRINT_QUALIFYING, SessionKind.SPRINT
TEAM = {driver: team for team, pair in TEAMS.items() for driver in pair}
RACE_LAPS = 65.4
"""With these a lap of 90 s is corrected by exactly 0.05 s a lap."""

See = Callable[..., WeekendView]


@pytest.fixture(scope="module")
def reader(tiny_data: Path) -> Iterator[Reader]:
    found = Reader(tiny_data / "warehouse")
    yield found
    found.close()


@pytest.fixture
def see(reader: Reader, tmp_path: Path) -> See:
    """A view of invented sessions as the product reads them."""

    def make(*sessions: MadeUpSession, drivers: tuple[str, ...] = FIELD) -> WeekendView:
        read = [read_session(reader, one.write(tmp_path)) for one in sessions]
        return WeekendView(
            drivers,
            {driver: TEAM[driver] for driver in drivers},
            tuple(SessionData.of(rows) for rows in read),
            tuple(rows.session for rows in read),
            RACE_LAPS,
        )

    return make


def value(view: WeekendView, name: str, driver: str | None = None) -> float | None:
    """What a feature says of a driver, or of the event."""
    found = SESSION_REGISTRY[name].function(view)
    if driver is None:
        assert found is None or isinstance(found, float)
        return found
    assert not isinstance(found, float)
    return None if found is None else found[driver]


# --- laps -------------------------------------------------------------------------------------------------------------


def test_which_laps_count_and_which_are_driven_for_time(see: See) -> None:
    laps = (
        MadeUpSession(EVENT, P1)
        .run(
            ADA,
            [90.0, 93.6, 93.7, 91.0, 90.1],
            changes={3: {"track_status_codes": "12"}, 4: {"is_deleted": True}},
        )
        .run(BO, [96.4])
    )
    marked = see(laps).sessions[0].laps.filter(pl.col("driver_id") == ADA).sort("lap_number")
    # Out-lap, five timed ones, in-lap. 93.6 = 1.04 x 90; the yellow flag only makes 91.0 no clean lap.
    assert marked["is_counted"].to_list() == [False, True, True, True, True, False, False]
    assert marked["is_push"].to_list() == [False, True, True, False, True, False, False]
    assert marked["is_clean"].to_list() == [False, True, True, True, False, False, False]
    other = see(laps).sessions[0].laps.filter(pl.col("driver_id") == BO)
    assert not other["is_push"].any(), "96.4 is his best, but beyond 7 % of the session's"
    assert other["is_counted"].sum() == 1


def test_traffic_is_another_car_less_than_two_seconds_ahead(see: See) -> None:
    laps = MadeUpSession(EVENT, P1)
    laps.run(ADA, [90.0, 90.0], start_s=1000.0).run(BO, [90.0, 92.0], start_s=1001.9).run(
        CY, [90.0, 90.0], start_s=1004.0
    )
    marked = see(laps).sessions[0].laps.filter("is_push").sort("driver_id", "lap_number")
    # Bo follows Ada by 1.9 s over the line, on the second lap too; Cy starts 2.1 s behind Bo and comes closer in the second.
    assert marked.select("driver_id", "is_in_traffic").rows() == [
        (ADA, False), (ADA, False), (BO, True), (BO, True), (CY, False), (CY, True),
    ]  # fmt: skip
    view = see(laps)
    assert value(view, "push_traffic_share", BO) == 1.0
    assert value(view, "push_traffic_share", CY) == 0.5


# --- long runs --------------------------------------------------------------------------------------------------------


def test_fuel_is_worth_the_measured_gain_of_a_race() -> None:
    assert fuel_effect_s_per_lap(90.0, 57) == pytest.approx(3.27 / 57)
    assert fuel_effect_s_per_lap(60.0, 57) == pytest.approx(3.27 / 57 * 2 / 3)
    assert fuel_effect_s_per_lap(90.0, RACE_LAPS) == pytest.approx(0.05)


def test_a_long_run_by_hand(see: See) -> None:
    """Six equal laps of 90 s: the fuel burnt hides 0.05 s of wear a lap."""
    view = see(MadeUpSession(EVENT, P2).run(ADA, [90.0] * 6, compound="MEDIUM"))
    (run,) = view.long_runs[P2]
    assert (run.driver_id, run.compound, run.stint, run.first_lap, run.count_laps) == (ADA, "medium", 1, 2, 6)
    assert run.slope_s_per_lap == pytest.approx(0.05)
    assert run.pace_s == pytest.approx(90.0 + 0.05 * 2.5), "median of 90, 90.05 ... 90.25"
    assert run.scatter_s == pytest.approx(0.0, abs=1e-9)
    assert value(view, "long_run_pace_s", ADA) == pytest.approx(90.125)
    assert value(view, "long_run_pace_medium_s", ADA) == pytest.approx(90.125)
    assert value(view, "long_run_pace_soft_s", ADA) is None
    assert value(view, "long_run_degradation_s_per_lap", ADA) == pytest.approx(0.05)
    assert value(view, "long_run_laps", ADA) == 6.0
    assert value(view, "long_run_longest_laps", BO) is None, "he did not drive"


def test_an_outlier_is_left_out_and_neither_moves_pace_nor_slope(see: See) -> None:
    even = see(MadeUpSession(EVENT, P2).run(ADA, [90.0, 90.1, 90.0, 90.1, 90.0, 90.1, 90.0, 90.1]))
    slow = see(MadeUpSession(EVENT, P2).run(ADA, [90.0, 90.1, 90.0, 90.1, 97.0, 90.1, 90.0, 90.1]))
    (before,), (after,) = even.long_runs[P2], slow.long_runs[P2]
    assert (before.count_laps, after.count_laps) == (8, 7)
    assert after.pace_s == pytest.approx(before.pace_s, abs=0.06)
    assert after.slope_s_per_lap == pytest.approx(before.slope_s_per_lap, abs=0.02)
    assert 0 < before.scatter_s < 0.2


@pytest.mark.parametrize(
    ("times", "changes"),
    [
        ([90.0] * 4, {}),
        ([90.0] * 8, {4: {"track_status_codes": "2"}}),
        ([90.0] * 8, {3: {"is_accurate": False}}),
        ([90.0] * 8, {4: {"compound": "HARD"}, 5: {"compound": "HARD"}, 6: {"compound": "HARD"}, 7: {"compound": "HARD"}}),
        ([90.0, None, 90.0, 90.0, 90.0, 90.0], {}),
        ([90.0, 120.0, 90.1, 121.0, 90.0, 122.0, 90.2, 119.0], {}),
        ([90.0, 90.0, 90.0, 90.0, 97.0], {}),
    ],
    ids=["four laps", "a yellow flag", "a doubtful lap", "a change of tyres", "no time", "push and cool", "an outlier"],
)  # fmt: skip
def test_what_is_no_long_run(
    see: See, times: list[float | None], changes: dict[int, dict[str, object]]
) -> None:
    view = see(MadeUpSession(EVENT, P2).run(ADA, times, changes=changes))
    assert view.long_runs[P2] == ()
    assert value(view, "long_run_pace_s", ADA) is None
    assert value(view, "long_run_count", ADA) == 0.0, "he drove, and made none"


def test_long_runs_are_compared_on_the_same_compound(see: See) -> None:
    laps = MadeUpSession(EVENT, P2)
    for driver, time in ((ADA, 90.0), (BO, 90.9), (CY, 91.8)):
        laps.run(driver, [time] * 5, compound="SOFT")
    laps.run(ED, [92.0] * 5, compound="HARD")
    view = see(laps)
    runs = {run.driver_id: run.pace_s for run in view.long_runs[P2]}
    assert value(view, "long_run_gap_pct", ADA) == pytest.approx(100 * (runs[ADA] / runs[BO] - 1))
    assert value(view, "long_run_gap_pct", ADA) == pytest.approx(-0.99, abs=0.005), "about 90.0 / 90.9"
    assert value(view, "long_run_gap_pct", BO) == pytest.approx(0.0)
    assert value(view, "long_run_gap_pct", ED) is None, "alone on his compound: nothing to compare with"
    assert value(view, "long_run_team_mate_gap_pct", BO) == pytest.approx(0.99, abs=0.005)
    assert [value(view, "long_run_rank", d) for d in (ADA, BO, CY, ED)] == [1.0, 2.0, 3.0, None]
    assert value(view, "field_degradation_soft_s_per_lap") == pytest.approx(0.05, abs=0.001)
    assert value(view, "field_degradation_hard_s_per_lap") is None


def test_the_sprint_counts_as_long_runs_and_its_qualifying_as_short_ones(see: See) -> None:
    practice = MadeUpSession(SPRINT_EVENT, P1).run(ADA, [91.0]).run(BO, [92.0])
    shootout = MadeUpSession(SPRINT_EVENT, SQ).run(ADA, [90.9]).run(BO, [90.0])
    sprint = MadeUpSession(SPRINT_EVENT, S)
    for driver, time in ((ADA, 95.0), (BO, 95.5), (CY, 96.0)):
        sprint.run(driver, [time] * 8, compound="MEDIUM", pits=False)
    view = see(practice, shootout, sprint)
    assert value(view, "short_run_gap_pct", BO) == 0.0, "his best session is sprint qualifying"
    assert value(view, "short_run_best_s", BO) == 90.0
    assert value(view, "long_run_laps", ADA) == 8.0
    assert value(view, "sprint_laps", ADA) == 8.0
    assert value(view, "sprint_pace_gap_pct", BO) == pytest.approx(0.0)
    assert value(view, "sprint_pace_gap_pct", ADA) == pytest.approx(-0.52, abs=0.01)
    assert value(see(practice), "sprint_pace_gap_pct", ADA) is None


# --- short runs -------------------------------------------------------------------------------------------------------


def sectors(first: float, second: float, third: float) -> dict[str, float]:
    return {"sector_1_s": first, "sector_2_s": second, "sector_3_s": third}


def test_the_theoretical_best_is_the_sum_of_the_best_sectors(see: See) -> None:
    laps = MadeUpSession(EVENT, P3)
    laps.run(ADA, [90.0, 90.3], changes={0: sectors(30.0, 35.0, 25.0), 1: sectors(29.8, 35.4, 25.1)})
    laps.run(BO, [90.9, 91.0], changes={0: sectors(30.1, 35.6, 25.2), 1: sectors(30.4, 35.3, 25.3)})
    view = see(laps)
    assert value(view, "theoretical_best_s", ADA) == pytest.approx(29.8 + 35.0 + 25.0)
    assert value(view, "theoretical_loss_s", ADA) == pytest.approx(90.0 - 89.8)
    assert value(view, "theoretical_gap_pct", BO) == pytest.approx(100 * ((30.1 + 35.3 + 25.2) / 89.8 - 1))
    assert value(view, "practice_sector_1_gap_pct", BO) == pytest.approx(100 * (30.1 / 29.8 - 1))
    assert value(view, "practice_sector_2_gap_pct", ADA) == 0.0
    assert value(view, "short_run_gap_pct", BO) == pytest.approx(1.0)
    assert value(view, "short_run_team_mate_gap_pct", ADA) == pytest.approx(-1.0)


def test_sessions_are_put_together_after_gaps_are_taken_in_each(see: See) -> None:
    first = MadeUpSession(EVENT, P1).run(ADA, [100.0]).run(BO, [101.0])
    second = MadeUpSession(EVENT, P2).run(ADA, [90.0]).run(BO, [92.7])
    view = see(first, second)
    assert value(view, "short_run_gap_pct", BO) == pytest.approx(1.0), "the smaller gap"
    assert value(view, "short_run_last_gap_pct", BO) == pytest.approx(3.0), "the newest one"
    assert value(view, "short_run_best_s", ADA) == 90.0
    assert value(view, "practice_sector_3_gap_pct", BO) == pytest.approx((1.0 + 3.0) / 2), "the mean"


def test_speeds_are_the_median_of_the_three_highest(see: See) -> None:
    laps = MadeUpSession(EVENT, P1)
    for driver, speeds in ((ADA, [300, 310, 320, 350]), (BO, [300, 302, 301]), (CY, [305])):
        laps.run(
            driver,
            [90.0] * len(speeds),
            changes={n: {"speed_trap_kph": float(s)} for n, s in enumerate(speeds)},
        )
    view = see(laps)
    assert value(view, "practice_speed_trap_kph", ADA) == 320.0
    assert value(view, "practice_speed_trap_kph", BO) == 301.0
    assert value(view, "practice_speed_trap_delta_kph", ADA) == 15.0, "the field's median is Cy's 305"
    assert value(view, "practice_speed_i1_delta_kph", ADA) is None, "no reading there"


def test_a_gap_beyond_seven_per_cent_is_no_pace(see: See) -> None:
    view = see(MadeUpSession(EVENT, P1).run(ADA, [90.0]).run(BO, [96.2]).run(CY, [96.4]))
    assert value(view, "short_run_gap_pct", BO) == pytest.approx(100 * (96.2 / 90 - 1))
    assert value(view, "short_run_gap_pct", CY) is None


# --- qualifying -------------------------------------------------------------------------------------------------------


def test_gaps_and_progression_in_qualifying(see: See) -> None:
    view = see(qualifying())
    assert value(view, "pole_gap_s", ADA) == 0.0
    assert value(view, "pole_gap_s", BO) == pytest.approx(0.9)
    assert value(view, "pole_gap_s", ED) == pytest.approx(2.0), "his Q1 against the pole of Q3"
    assert value(view, "pole_gap_pct", BO) == pytest.approx(1.0)
    assert value(view, "segment_gap_pct", ED) == pytest.approx(100 * (92.0 / 91.0 - 1)), (
        "his Q1 against the best of Q1"
    )
    assert value(view, "team_mate_segment_gap_s", ADA) == pytest.approx(-0.9)
    assert value(view, "team_mate_segment_gap_s", DI) == pytest.approx(0.7), "Cy and Di met in Q2"
    assert value(view, "team_mate_segment_gap_pct", DI) == pytest.approx(100 * (91.4 / 90.7 - 1))
    assert value(view, "team_mate_segment_gap_s", ED) is None, "Flo did not take part"
    assert value(view, "q2_gap_pct", ED) is None
    assert value(view, "q1_to_q2_pct", ADA) == pytest.approx(100 * (90.5 / 91.0 - 1))
    assert value(view, "q2_to_q3_pct", BO) == pytest.approx(100 * (90.9 / 90.6 - 1)), "he got slower"
    assert value(view, "field_q1_to_q2_pct") is None, "four drivers are too few to speak for the field"
    assert value(view, "qualifying_timing_position", CY) == 3.0


def test_who_took_part_in_a_segment_without_setting_a_time() -> None:
    from f1core.features.session.qualifying import last_segments

    rows = [
        (f"d{place}", place, 91.0, 90.5 if place <= 14 else None, 90.0 if place <= 8 else None)
        for place in range(1, 21)
    ]
    results = pl.DataFrame(rows, schema=["driver_id", "position", "q1_s", "q2_s", "q3_s"], orient="row")
    one = SessionData(Q, results, pl.DataFrame(), pl.DataFrame(), pl.DataFrame())
    found = last_segments(one)
    assert [found[f"d{place}"] for place in (8, 9, 10)] == [3.0, 3.0, 3.0], "ninth and tenth crashed in Q3"
    assert [found[f"d{place}"] for place in (11, 14, 15, 16)] == [2.0, 2.0, 2.0, 1.0], (
        "the fifteenth crashed in Q2"
    )
    stopped = SessionData(
        Q, results.with_columns(q3_s=pl.lit(None, pl.Float64)), pl.DataFrame(), pl.DataFrame(), pl.DataFrame()
    )
    assert last_segments(stopped)["d1"] == 2.0, "no Q3 was held"
    assert last_segments(None) == {}


def test_a_qualifying_that_was_stopped_before_its_last_segment(see: See) -> None:
    """Red-flagged: the pole is the best of what was held, and nobody has a Q3."""
    cut = {driver: (first, second, None) for driver, (first, second, _) in QUALIFYING_TIMES.items()}
    status = [
        {"session_s": at, "status": code}
        for at, code in ((0.0, "1"), (900.0, "5"), (1200.0, "1"), (2000.0, "5"))
    ]
    view = see(qualifying(cut, track_status=status))
    assert value(view, "pole_gap_s", BO) == pytest.approx(90.6 - 90.5)
    assert value(view, "q3_gap_pct", ADA) is None
    assert value(view, "last_qualifying_segment", ADA) == 2.0
    assert value(view, "qualifying_red_flags") == 2.0


def test_deleted_laps_are_counted_only_where_race_control_speaks(see: See) -> None:
    told = qualifying()
    told.laps[2]["is_deleted"] = True
    assert told.laps[2]["lap_time_s"] == 90.5
    view = see(told)
    assert value(view, "qualifying_deleted_laps", ADA) == 1.0
    assert value(view, "qualifying_deleted_laps", BO) == 0.0
    assert value(view, "qualifying_push_laps", ADA) == 2.0
    silent = qualifying(knows_deletions=False)
    assert value(see(silent), "qualifying_deleted_laps", ADA) is None


def test_the_best_lap_and_what_came_before_it(see: See) -> None:
    made = qualifying()
    # Ada's best is her third timed lap in a row; Ed's only one follows his out-lap.
    view = see(made)
    assert value(view, "is_best_lap_after_out_lap", ADA) == 0.0
    assert value(view, "is_best_lap_after_out_lap", ED) == 1.0
    assert value(view, "qualifying_laps", ADA) == 5.0
    assert value(view, "qualifying_fresh_sets", ADA) == 1.0
    assert value(view, "best_out_lap_delta_pct", ED) is None, "too few out-laps to compare with"


# --- conditions and coverage ------------------------------------------------------------------------------------------


def test_weather_is_the_mean_of_all_measurements(see: See) -> None:
    first = MadeUpSession(EVENT, P1).run(ADA, [90.0])
    first.weather = [{"session_s": 1.0, "air_temperature_celsius": 20.0, "is_raining": False}]
    second = MadeUpSession(EVENT, P2).run(ADA, [90.0], compound="INTERMEDIATE")
    second.weather = [
        {
            "session_s": float(n),
            "air_temperature_celsius": 26.0,
            "track_temperature_celsius": 30.0,
            "is_raining": True,
        }
        for n in range(2)
    ]
    view = see(first, second)
    assert value(view, "weather_air_celsius") == pytest.approx(24.0)
    assert value(view, "weather_track_celsius") == pytest.approx(30.0)
    assert value(view, "weather_rain_share") == pytest.approx(2 / 3)
    assert value(view, "weather_humidity_pct") is None
    assert value(view, "wet_lap_share") == pytest.approx(0.5)


def test_the_track_gets_faster_within_a_practice(see: See) -> None:
    laps = MadeUpSession(EVENT, P2)
    for place, driver in enumerate(FIELD[:6]):
        laps.run(driver, [90.0], start_s=100.0 + 150 * place)
        laps.run(driver, [89.1 + 0.1 * place], start_s=3000.0 + 150 * place)
    view = see(laps)
    assert value(view, "practice_track_evolution_pct") == pytest.approx(100 * ((89.3 + 89.4) / 2 / 90.0 - 1))


def test_coverage_counts_what_was_driven(see: See) -> None:
    view = see(
        MadeUpSession(EVENT, P1).run(ADA, [90.0, 90.2], compound="SOFT"),
        MadeUpSession(EVENT, P2)
        .run(ADA, [99.0, 90.0, 90.1], compound="HARD")
        .run(BO, [90.0], compound="TEST_UNKNOWN"),
    )
    assert value(view, "sessions_used") == 2.0
    assert value(view, "sessions_used_share") == 1.0
    assert [value(view, "sessions_driven", d) for d in (ADA, BO, CY)] == [2.0, 1.0, 0.0]
    assert [value(view, "laps_driven", d) for d in (ADA, BO, CY)] == [9.0, 3.0, 0.0]
    assert value(view, "laps_clean", ADA) == 5.0
    assert value(view, "laps_pushed", ADA) == 4.0, "99 is 10 % off his best"
    assert [value(view, "compounds_used", d) for d in (ADA, BO)] == [2.0, 0.0]
    assert value(view, "longest_stint_laps", ADA) == 5.0
    assert value(view, "out_lap_share", ADA) == pytest.approx(4 / 9)


# --- the registry -----------------------------------------------------------------------------------------------------

UNITS = {
    "", "s", "%", "km/h", "place", "laps", "runs", "share", "s/lap", "segment", "sets", "count", "flag", "sessions",
    "compounds", "°C", "hPa", "m/s", "m/s²", "%/s", "1/min",
}  # fmt: skip


def test_every_feature_is_documented_and_pure(see: See) -> None:
    """One loop over the registry: name, unit, doc, rule; the same answer twice; nothing it reads is changed."""
    view = see(*full_weekend())
    empty = WeekendView(FIELD, {driver: TEAM[driver] for driver in FIELD}, ())
    hollow = see(*(MadeUpSession(SPRINT_EVENT, kind).result(ADA).result(BO) for kind in (P1, SQ, S, Q)))
    before = [one.laps.clone() for one in view.sessions]
    assert len(SESSION_REGISTRY) >= 55
    assert not set(SESSION_REGISTRY) & set(REGISTRY)
    for name, one in SESSION_REGISTRY.items():
        assert name == name.lower() == one.name
        assert one.unit in UNITS, name
        assert len(one.doc) > 15 and one.doc.rstrip(".)") != one.doc, name
        assert isinstance(one.imputation, Imputation)
        for suffix, unit in (
            ("_s", "s"),
            ("_pct", "%"),
            ("_kph", "km/h"),
            ("_s_per_lap", "s/lap"),
            ("_share", "share"),
        ):
            if name.endswith(suffix) and not name.endswith(("_per_s", "_s_per_lap")):
                assert one.unit == unit, name
        found = one.function(view)
        assert found == one.function(view), f"{name} is pure"
        if isinstance(found, dict):
            assert set(found) == set(FIELD), name
        for nothing in (empty, hollow):
            values = one.function(nothing)
            for single in values.values() if isinstance(values, dict) else [values]:
                assert single is None or single >= 0.0, f"{name} invents nothing from no laps"
    assert all(
        left.equals(right) for left, right in zip(before, [one.laps for one in view.sessions], strict=True)
    )


def test_features_wait_for_their_stage(see: See) -> None:
    view = see(*full_weekend())
    stages = list(Stage)
    for stage in stages:
        made = session_features(view, stage).frame
        assert made.columns == ["driver_id", *SESSION_REGISTRY]
        for name, one in SESSION_REGISTRY.items():
            if stages.index(stage) < stages.index(one.since):
                assert made[name].null_count() == made.height, f"{name} at {stage}"
    last = session_features(view, Stage.PRE_RACE).frame
    known = [name for name in SESSION_REGISTRY if last[name].null_count() == 0]
    assert len(known) >= 45


def test_what_stands_in_is_counted_and_named(see: See) -> None:
    laps = MadeUpSession(EVENT, P2)
    for place, driver in enumerate(FIELD):
        # Bo makes no long run, Flo and Ed make none as a team; Hal does not drive at all.
        if driver != FIELD[7]:
            laps.run(
                driver, [90.0 + place] if driver in (BO, ED, FLO) else [90.0 + place] * 6, compound="SOFT"
            )
    view = see(laps)
    made = session_features(view, Stage.PRE_QUALIFYING)
    rows = {row["driver_id"]: row for row in made.frame.iter_rows(named=True)}
    raw = {driver: value(view, "long_run_pace_s", driver) for driver in FIELD}
    assert raw[BO] is None and raw[ED] is None
    assert rows[BO]["long_run_pace_s"] == raw[ADA], "his team mate's"
    others = sorted(pace for pace in raw.values() if pace is not None)
    assert len(others) == 6
    assert rows[ED]["long_run_pace_s"] == (others[2] + others[3]) / 2, "the median of the field"
    assert {"long_run_pace_s", "long_run_degradation_s_per_lap"} <= set(made.imputed[BO])
    assert "long_run_laps" not in made.imputed[BO], "no long runs is a fact, not a gap"
    assert "long_run_team_mate_gap_pct" not in made.imputed[BO], "its rule is none"
    assert made.imputed[ADA] == ()
    assert made.imputed[FIELD[7]] == (), "nothing stands in for who did not drive"
    assert rows[FIELD[7]]["long_run_pace_s"] is None
    few = see(MadeUpSession(EVENT, P2).run(ADA, [90.0] * 6).run(CY, [90.0]))
    assert session_features(few, Stage.PRE_QUALIFYING).imputed[CY] == (), "one driver is no field"


def test_a_lap_table_without_rows_has_its_kinds() -> None:
    from warehouse.frames import frame_schema
    from warehouse.tables import TABLES

    empty = with_lap_kinds(pl.DataFrame(schema=frame_schema(TABLES["session_laps"])))
    assert {"is_counted", "is_clean", "is_push", "is_in_traffic"} <= set(empty.columns)
    assert find_long_runs(empty, RACE_LAPS) == ()
