"""The agenda: what is planned when, from a made-up calendar; keys that stay, times that follow."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise

import pytest

from f1core.agenda import (
    Job,
    PlannedRun,
    order,
    planned_runs,
    race_days,
)
from f1core.agenda_calendar import AgendaEvent, without_times
from f1core.recurring import STANDING, standing_runs
from f1core.settings import Settings, load_settings
from warehouse.vocab import EventStatus, SessionKind

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
RACE = dt.datetime(2026, 5, 24, 13, 0, tzinfo=dt.UTC)
P1, P2, P3 = SessionKind.PRACTICE_1, SessionKind.PRACTICE_2, SessionKind.PRACTICE_3
Q, SQ, S, R = SessionKind.QUALIFYING, SessionKind.SPRINT_QUALIFYING, SessionKind.SPRINT, SessionKind.RACE
USUAL = {P1: -50, P2: -46, P3: -26, Q: -23, R: 0}
SPRINT = {P1: -50, SQ: -46, S: -27, Q: -23, R: 0}


def event(
    name: str, race: dt.datetime, hours: dict[SessionKind, float] = USUAL, **more: object
) -> AgendaEvent:
    starts = {session: race + hour * HOUR for session, hour in hours.items()}
    known = {session: start + (3 if session is R else 1) * HOUR for session, start in starts.items()}
    made = AgendaEvent(f"2026-{name}", f"{name.title()} 2026", EventStatus.SCHEDULED, starts, known)
    return replace(made, **more)


@pytest.fixture
def settings() -> Settings:
    return load_settings(data="/nowhere")


def plan(events: list[AgendaEvent], settings: Settings) -> dict[str, PlannedRun]:
    runs = planned_runs(events, settings, since=RACE - 300 * DAY, until=RACE + 300 * DAY)
    assert [run.key for run in runs] == [run.key for run in sorted(runs, key=order)]
    assert len({run.key for run in runs}) == len(runs), "a key is given twice"
    return {run.key: run for run in runs}


def test_a_usual_weekend(settings: Settings) -> None:
    runs = plan([event("vale", RACE)], settings)
    assert set(runs) == {
        *(f"extract:2026-vale:{s}" for s in ("practice_1", "practice_2", "practice_3", "qualifying", "race")),
        *(
            f"forecast:2026-vale:{s}"
            for s in ("practice_1", "practice_2", "practice_3", "qualifying", "grid")
        ),
        "results:2026-vale:grid",
        "freeze:2026-vale:race:post_qualifying",
        "freeze:2026-vale:race:pre_race",
        "freeze:2026-vale:qualifying:pre_qualifying",
        "results:2026-vale",
        "settle:2026-vale",
        "settle:2026-vale:qualifying",
        *(f"settle:2026-vale:correction-{n}" for n in range(1, 8)),
        "retrain:2026-vale",
        "strategy:2026-vale",
    }
    quarter = dt.timedelta(minutes=15)
    assert runs["extract:2026-vale:practice_1"].at == RACE - 49 * HOUR + quarter
    assert runs["extract:2026-vale:practice_1"].params == {"event_id": "2026-vale", "session": "practice_1"}
    official = runs["freeze:2026-vale:race:post_qualifying"]
    assert (official.at, official.deadline) == (RACE - 22 * HOUR + dt.timedelta(minutes=1), RACE)
    assert official.params == {"event_id": "2026-vale", "target": "race", "stage": "post_qualifying"}
    qualifying = runs["freeze:2026-vale:qualifying:pre_qualifying"]
    assert (qualifying.at, qualifying.deadline) == (RACE - 23.5 * HOUR, RACE - 23 * HOUR)
    assert qualifying.params == {
        "event_id": "2026-vale",
        "target": "qualifying",
        "stage": "pre_qualifying",
    }
    assert runs["settle:2026-vale:qualifying"].at == RACE - 22 * HOUR + quarter
    assert "target" not in runs["settle:2026-vale:correction-1"].params, "everything that was sealed"
    assert runs["results:2026-vale:grid"].at == RACE - dt.timedelta(minutes=59)
    assert runs["freeze:2026-vale:race:pre_race"].at == RACE - dt.timedelta(minutes=30)
    for job in ("settle", "retrain", "results"):
        assert runs[f"{job}:2026-vale"].at == RACE + 3 * HOUR + quarter
    corrections = [runs[f"settle:2026-vale:correction-{n}"].at for n in range(1, 8)]
    assert corrections == [dt.datetime(2026, 5, 24 + n, 6, tzinfo=dt.UTC) for n in range(1, 8)]


def test_a_sprint_weekend_has_its_own_sessions(settings: Settings) -> None:
    runs = plan([event("vale", RACE, SPRINT)], settings)
    extracted = [run.params["session"] for run in runs.values() if run.job is Job.EXTRACT]
    assert extracted == ["practice_1", "sprint_qualifying", "sprint", "qualifying", "race"]
    official = runs["freeze:2026-vale:sprint:post_qualifying"]
    assert (official.at, official.deadline) == (
        RACE - 46 * HOUR + dt.timedelta(minutes=46),
        RACE - 27 * HOUR,
    )
    assert runs["freeze:2026-vale:sprint:pre_race"].at == RACE - 27.5 * HOUR
    assert runs["freeze:2026-vale:sprint:pre_race"].params["is_optional"] == "yes"
    grid = runs["results:2026-vale:sprint_grid"]
    assert (grid.at, grid.deadline) == (RACE - 27 * HOUR - dt.timedelta(minutes=59), RACE - 27 * HOUR)
    assert grid.params == {"event_id": "2026-vale", "wanted": "grid", "target": "sprint"}
    assert runs["forecast:2026-vale:sprint_grid"].after == (grid.key,)
    assert runs["settle:2026-vale:sprint"].at == RACE - 26 * HOUR + dt.timedelta(minutes=15)


def test_a_sprint_of_2021_has_the_grid_of_fridays_qualifying(settings: Settings) -> None:
    runs = plan([event("vale", RACE, {P1: -50, Q: -46, P2: -30, S: -25, R: 0})], settings)
    assert runs["freeze:2026-vale:sprint:post_qualifying"].at == RACE - 45 * HOUR + dt.timedelta(minutes=1)


def test_a_sprint_whose_qualifying_is_not_in_the_calendar_is_not_sealed_by_itself(settings: Settings) -> None:
    runs = plan([event("vale", RACE, {P1: -50, S: -27, Q: -23, R: 0})], settings)
    assert not [key for key in runs if ":sprint:" in key and not key.startswith(("extract", "forecast"))]


def test_at_one_instant_facts_come_before_seals_before_scores_before_models(settings: Settings) -> None:
    # Qualifying ends half an hour before the race: everything of the afternoon falls together.
    runs = plan([event("vale", RACE, {P1: -24, Q: -1.5, R: 0})], settings)
    assert runs["freeze:2026-vale:race:post_qualifying"].at < RACE
    after = [run.job for run in runs.values() if run.at == RACE + 3 * HOUR + dt.timedelta(minutes=15)]
    assert after == [Job.RESULTS, Job.EXTRACT, Job.SETTLE, Job.RETRAIN, Job.STRATEGY]
    assert [job.value for job in sorted(Job, key=lambda job: job.rank)] == [
        *("calendar", "f1db_check", "lineup", "full_season", "results", "weather", "extract"),
        *("freeze", "settle", "retrain", "forecast", "strategy", "backfill", "maintenance", "backtest"),
    ]


def test_qualifying_that_ends_after_the_start_is_sealed_at_the_start_at_the_latest(
    settings: Settings,
) -> None:
    runs = plan([event("vale", RACE, {P1: -24, Q: -0.5, R: 0})], settings)
    assert runs["freeze:2026-vale:race:post_qualifying"].at <= RACE


@pytest.mark.parametrize("minutes", [30, 90])
def test_t_minus_seals_that_many_minutes_before_the_start_whatever_is_known(minutes: int) -> None:
    settings = load_settings(
        data="/nowhere", prediction_freeze_policy="t-minus", prediction_freeze_tminutes=minutes
    )
    runs = plan([event("vale", RACE)], settings)
    official = runs["freeze:2026-vale:race:t-minus"]
    assert (official.at, official.deadline) == (RACE - dt.timedelta(minutes=minutes), RACE)
    assert "stage" not in official.params, "the latest stage that is known then"
    assert "freeze:2026-vale:race:post_qualifying" not in runs
    assert "stage" not in runs["freeze:2026-vale:qualifying:t-minus"].params


def test_retraining_can_be_turned_off() -> None:
    settings = load_settings(data="/nowhere", auto_retrain_enabled=False)
    runs = plan([event("vale", RACE), event("isle", RACE + 14 * DAY)], settings)
    assert not [key for key in runs if key.startswith("retrain")]
    assert runs["forecast:2026-isle"].after == ("results:2026-vale",)


def test_the_next_event_is_forecast_after_the_result_and_the_training(settings: Settings) -> None:
    runs = plan([event("vale", RACE), event("isle", RACE + 14 * DAY)], settings)
    first = runs["forecast:2026-isle"]
    assert first.at == runs["results:2026-vale"].at
    assert first.after == ("results:2026-vale", "retrain:2026-vale")
    assert first.deadline == RACE + 14 * DAY


def test_keys_stay_and_times_follow_when_the_calendar_moves(settings: Settings) -> None:
    before = plan([event("vale", RACE), event("isle", RACE + 14 * DAY)], settings)
    after = plan(
        [event("vale", RACE + 90 * dt.timedelta(minutes=1)), event("isle", RACE + 14 * DAY)], settings
    )
    assert before.keys() == after.keys()
    moved = {key for key in before if before[key].at != after[key].at}
    untimed = {f"settle:2026-vale:correction-{n}" for n in range(1, 8)}
    assert moved == {key for key in before if "vale" in key and key not in untimed} | {"forecast:2026-isle"}
    # A race that is put in between changes what follows what, and nobody's key.
    inserted = plan(
        [event("vale", RACE), event("moor", RACE + 7 * DAY), event("isle", RACE + 14 * DAY)], settings
    )
    assert before.keys() < inserted.keys()
    assert inserted["forecast:2026-moor"].after[0] == "results:2026-vale"
    assert inserted["forecast:2026-isle"].after[0] == "results:2026-moor"


def test_a_cancelled_event_and_one_without_times_have_no_runs(settings: Settings) -> None:
    cancelled = event("vale", RACE, status=EventStatus.CANCELLED)
    untimed = event("isle", RACE + 14 * DAY, is_time_estimated=True)
    nothing = AgendaEvent("2026-moor", "Moor 2026", EventStatus.SCHEDULED, {}, {})
    assert plan([cancelled, untimed, nothing], settings) == {}
    assert without_times([cancelled, untimed, nothing], RACE) == ["2026-isle", "2026-moor"]
    assert without_times([untimed], RACE + 60 * DAY) == [], "it is over"
    # The event after a cancelled one follows the last that is held.
    runs = plan([event("lake", RACE - 14 * DAY), cancelled, event("isle", RACE + 14 * DAY)], settings)
    assert runs["forecast:2026-isle"].after[0] == "results:2026-lake"


def test_a_session_of_which_only_the_day_is_known_is_not_sealed(settings: Settings) -> None:
    """Its data are still fetched and its result still settles what was sealed while its start was known."""
    usual = plan([event("vale", RACE, SPRINT)], settings)
    unknown = event("vale", RACE, SPRINT, estimated=frozenset({Q, S}))
    runs = plan([unknown], settings)
    gone = {
        "freeze:2026-vale:qualifying:pre_qualifying",
        "freeze:2026-vale:sprint:post_qualifying",
        "freeze:2026-vale:sprint:pre_race",
    }
    assert usual.keys() - runs.keys() == gone
    assert not runs.keys() - usual.keys()
    assert without_times([unknown], RACE - 60 * HOUR) == [
        "2026-vale (seal of qualifying)",
        "2026-vale (seal of sprint)",
    ]
    assert without_times([unknown], RACE - HOUR) == [], "both are over"
    assert without_times([event("vale", RACE, SPRINT)], RACE - 60 * HOUR) == []


def test_only_what_falls_into_the_span_is_given(settings: Settings) -> None:
    events = [event("vale", RACE)]
    everything = planned_runs(events, settings, since=RACE - 300 * DAY, until=RACE + 300 * DAY)
    cuts = [RACE - 40 * HOUR, RACE - 23 * HOUR, RACE, RACE + 3.25 * HOUR, RACE + 5 * DAY]
    parts = [
        planned_runs(events, settings, since=first, until=last)
        for first, last in zip([RACE - 300 * DAY, *cuts], [*cuts, RACE + 300 * DAY], strict=True)
    ]
    assert [run for part in parts for run in part] == everything


# --- what recurs ----------------------------------------------------------------------------------------------------


def test_what_recurs_does_so_at_its_hours() -> None:
    sunday = dt.datetime(2026, 5, 24, tzinfo=dt.UTC)
    runs = standing_runs(sunday - dt.timedelta(seconds=1), sunday + DAY - dt.timedelta(seconds=1))
    hours: dict[str, list[str]] = {}
    for run in runs:
        hours.setdefault(run.job.value, []).append(f"{run.at:%H:%M}")
    six = ["00:00", "06:00", "12:00", "18:00"]
    assert hours == {
        "calendar": ["00:00"],
        "f1db_check": six,
        "lineup": six,
        "full_season": ["02:00"],
        "results": ["06:00"],
        "weather": six,
        "forecast": six,
        "backfill": ["00:30", "06:30", "12:30", "18:30"],
        "backtest": ["04:15"],
    }
    assert runs[0].key == "calendar@2026-05-24T00:00Z"
    week = standing_runs(sunday, sunday + 7 * DAY)
    assert [f"{run.at:%A}" for run in week if run.job is Job.MAINTENANCE] == ["Monday"]


def test_weather_is_looked_at_every_hour_on_race_day() -> None:
    days = race_days([event("vale", RACE), event("isle", RACE + 14 * DAY, status=EventStatus.CANCELLED)])
    assert days == {RACE.date()}
    runs = standing_runs(RACE - 2 * DAY, RACE + 2 * DAY, days)
    count = {
        day: len([run for run in runs if run.job is Job.WEATHER and run.at.date() == day])
        for day in (RACE.date() - DAY, RACE.date(), RACE.date() + DAY)
    }
    assert list(count.values()) == [4, 24, 4]


@pytest.mark.parametrize("change", [dt.date(2026, 3, 29), dt.date(2026, 10, 25)])
def test_summer_time_changes_nothing(change: dt.date) -> None:
    start = dt.datetime.combine(change - 2 * DAY, dt.time(), dt.UTC)
    runs = [run.at for run in standing_runs(start, start + 5 * DAY) if run.job is Job.F1DB_CHECK]
    assert {later - earlier for earlier, later in pairwise(runs)} == {6 * HOUR}
    assert all(at.tzinfo is dt.UTC for at in runs)


def test_every_job_that_recurs_has_one_entry() -> None:
    jobs = [one.job for one in STANDING]
    assert len(jobs) == len(set(jobs))
    assert set(Job) - set(jobs) == {Job.EXTRACT, Job.FREEZE, Job.SETTLE, Job.RETRAIN, Job.STRATEGY}
