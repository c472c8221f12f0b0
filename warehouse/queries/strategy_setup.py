"""Reads from which a past race, or the next one, is set up for the simulator."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from warehouse.reader import Reader

_LAPS = (
    "event_id, session, driver_id, constructor_id, car_number, lap_number, lap_number_note, lap_time_s, lap_end_session_s, "
    "compound, compound_name, tyre_life_laps, is_fresh_tyre, stint, is_in_lap, is_out_lap, is_green, is_safety_car, "
    "is_virtual_safety_car, is_red_flag, is_generated, is_after_result, position"
)


def race_laps(reader: Reader, event_id: str | None = None) -> pl.DataFrame:
    """Laps of races (of one, or of all), by event, car and lap; columns of ``laps`` that strategies are read from."""
    return reader.query(
        f"""
        select {_LAPS} from laps
        where session = 'race' and ($event_id is null or (season = $season and event_id = $event_id))
        order by event_id, car_number, lap_number
        """,
        {"event_id": event_id, "season": int(event_id[:4]) if event_id else None},
    )


def race_periods(reader: Reader, event_id: str) -> pl.DataFrame:
    """Neutralisations of a race by lap: ``status, first_lap, last_lap``."""
    return reader.query(
        """
        select status, first_lap, last_lap from track_status_periods
        where season = $season and event_id = $event_id and session = 'race'
        order by first_lap, last_lap, status
        """,
        {"event_id": event_id, "season": int(event_id[:4])},
    )


def race_summary(reader: Reader, event_id: str) -> dict[str, Any] | None:
    """The summary of a race: a row of ``session_summaries``; None when it was not held."""
    rows = reader.query(
        "select * from session_summaries where event_id = $event_id and session = 'race'",
        {"event_id": event_id},
    )
    return rows.row(0, named=True) if rows.height else None


def nominations(reader: Reader, event_id: str) -> dict[str, str]:
    """Side-wall name (``soft``, ``medium``, ``hard``) of each compound that was nominated, by the compound's own name."""
    rows = reader.query(
        "select compound_name, compound from compound_nominations where event_id = $event_id order by compound",
        {"event_id": event_id},
    )
    return dict(rows.iter_rows())


def usual_laps(reader: Reader) -> pl.DataFrame:
    """Median green lap of every race on slicks, oldest first: ``event_id, circuit_id, season, known_at, lap_time_s``."""
    return reader.query(
        """
        select laps.event_id, events.circuit_id, laps.season, max(laps.known_at) as known_at,
            median(laps.lap_time_s) as lap_time_s, count(*) as count_laps
        from laps
        inner join events using (event_id)
        where laps.session = 'race' and laps.is_green and laps.lap_number > 1 and not laps.is_in_lap
            and not laps.is_out_lap and laps.lap_time_s is not null
            and laps.compound not in ('intermediate', 'wet', 'unknown')
        group by all
        having count(*) >= 100
        order by known_at
        """
    )


def playable(reader: Reader) -> pl.DataFrame:
    """Races with laps, newest first: ``event_id, season, round, grand_prix_name, is_wet, race_starts_at``."""
    return reader.query(
        """
        select events.event_id, events.season, events.round, events.grand_prix_name, summaries.is_wet,
            summaries.laps_completed, sessions.starts_at as race_starts_at
        from session_summaries as summaries
        inner join events using (event_id)
        inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
        where summaries.session = 'race' and summaries.has_laps
        order by sessions.starts_at desc
        """
    )


def strategy_history(reader: Reader, circuit_id: str, as_of: dt.datetime, races: int) -> pl.DataFrame:
    """Stints of the latest dry races on a circuit known before an instant, newest race first.

    Args:
        reader: The warehouse.
        circuit_id: The circuit.
        as_of: Only what was known strictly before it.
        races: Races at most.

    Returns:
        ``event_id, season, driver_id, stint, compound, compound_name, first_lap, last_lap, laps_completed, position``.
    """
    # The seasons first: stints and results of all the others need not be read then.
    latest = reader.query(
        """
        select summaries.event_id, summaries.season
        from session_summaries as summaries
        inner join events using (event_id)
        where summaries.session = 'race' and summaries.has_laps and events.circuit_id = $circuit_id
            and summaries.known_at < $as_of
            and not coalesce(summaries.is_wet, false) and coalesce(summaries.count_red_flags, 0) = 0
        order by summaries.known_at desc, summaries.event_id
        limit $races
        """,
        {"circuit_id": circuit_id, "as_of": as_of, "races": races},
    )
    seasons = latest["season"].to_list() or [0]
    return reader.query(
        """
        select stints.event_id, stints.season, stints.driver_id, stints.stint, stints.compound, stints.compound_name,
            stints.first_lap, stints.last_lap, summaries.laps_completed, results.position, stints.known_at
        from stints
        inner join session_summaries as summaries
            on summaries.event_id = stints.event_id and summaries.session = 'race'
        inner join race_results as results
            on results.event_id = stints.event_id and results.driver_id = stints.driver_id
            and results.session = 'race'
        where stints.session = 'race' and list_contains($events, stints.event_id) and stints.known_at < $as_of
            and stints.season between $first and $last and results.season between $first and $last
            and results.status = 'classified'
        order by stints.known_at desc, stints.driver_id, stints.stint
        """,
        {
            "events": latest["event_id"].to_list(),
            "first": min(seasons),
            "last": max(seasons),
            "as_of": as_of,
        },
    )


def qualifying_best(reader: Reader, event_id: str, before: dt.datetime | None) -> float | None:
    """Best time of an event's qualifying, if it was known before an instant [s]."""
    rows = reader.query(
        """
        select min(best_time_s) as best_s from qualifying_results
        where season = $season and event_id = $event_id and session = 'qualifying'
            and ($before::timestamptz is null or known_at < $before)
        """,
        {"event_id": event_id, "season": int(event_id[:4]), "before": before},
    )
    best = rows["best_s"][0]
    return None if best is None else float(best)


def starters(reader: Reader, event_id: str) -> pl.DataFrame:
    """Starters of a past race, by grid slot; who started from the pit lane stands behind the rest.

    Returns:
        ``driver_id, driver_name, driver_code, constructor_id, constructor_name, grid, is_pit_lane_start, laps,
        actual_position`` (place in the official order), ``is_classified, is_out`` (did not see the flag),
        ``qualifying_gap_pct`` [% of the best time; null beyond 7 %], ``gap_s`` (lead lap only).
    """
    return reader.query(
        """
        with best as (
            select driver_id, min(best_time_s) as best_s
            from qualifying_results
            where season = $season and event_id = $event_id and session = 'qualifying' and best_time_s > 0
            group by all
        ),
        gaps as (
            select driver_id, 100 * (best_s / min(best_s) over () - 1) as gap_pct from best
        )
        select
            results.driver_id,
            drivers.driver_name,
            drivers.driver_code,
            results.constructor_id,
            constructors.constructor_name,
            cast(
                row_number() over (order by results.grid_position nulls last, results.display_order) as integer
            ) as grid,
            results.is_pit_lane_start,
            coalesce(results.laps, 0) as laps,
            cast(row_number() over (order by results.display_order) as integer) as actual_position,
            results.status = 'classified' as is_classified,
            results.status in ('retired', 'not_classified')
                or (results.status = 'classified' and results.reason_retired is not null) as is_out,
            case when gap_pct <= 7 then gap_pct end as qualifying_gap_pct,
            results.gap_s
        from race_results as results
        inner join drivers using (driver_id)
        inner join constructors using (constructor_id)
        left join gaps using (driver_id)
        where results.season = $season and results.event_id = $event_id and results.session = 'race'
            and results.is_starter
        order by grid
        """,
        {"event_id": event_id, "season": int(event_id[:4])},
    )


def next_events(reader: Reader, now: dt.datetime | None = None) -> pl.DataFrame:
    """Events without a race result, by start: ``event_id, season, grand_prix_name``.

    Args:
        reader: The warehouse.
        now: Only races that are not over by then; None takes those after the newest result.
    """
    return reader.query(
        """
        select events.event_id, events.season, events.grand_prix_name
        from events
        inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
        where events.status <> 'cancelled' and sessions.known_at > coalesce(
            $now::timestamptz, (select max(known_at) from session_summaries where session = 'race'), '1950-01-01Z'
        )
        order by sessions.starts_at, events.event_id
        """,
        {"now": now},
    )


def expected_starters(reader: Reader, event_id: str, as_of: dt.datetime) -> pl.DataFrame:
    """Everybody who may start a race to come, once for each source that names him.

    Returns:
        ``source`` (grid, qualifying, forecast_qualifying, forecast_race, last_race: of this season or the one before),
        ``driver_id, driver_name, driver_code,
        constructor_id, constructor_name, grid`` (1..n within the source), ``is_pit_lane_start, qualifying_gap_pct``.
    """
    return reader.query(
        """
        with listed as (
            select 'grid' as source, driver_id, constructor_id, display_order as rank, is_pit_lane_start
            from starting_grids
            where season = $season and event_id = $event_id and session = 'race' and known_at < $as_of
            union all
            select 'qualifying', driver_id, constructor_id, display_order, false
            from qualifying_results
            where season = $season and event_id = $event_id and session = 'qualifying' and known_at < $as_of
            union all
            select 'forecast_' || entries.target, driver_id, constructor_id, predicted_position, false
            from forecast_entries as entries
            inner join forecasts as heads using (event_id, target, stage, model)
            where entries.event_id = $event_id and entries.target in ('qualifying', 'race') and heads.as_of <= $as_of
            qualify entries.stage || entries.model = max_by(entries.stage || entries.model, heads.as_of)
                over (partition by entries.target)
            union all
            select 'last_race', driver_id, constructor_id, coalesce(grid_position, 99), is_pit_lane_start
            from race_results
            where session = 'race' and is_starter and season between $season - 1 and $season and event_id = (
                select max_by(event_id, known_at) from race_results
                where session = 'race' and season between $season - 1 and $season and known_at < $as_of
            )
        ),
        best as (
            select driver_id, min(best_time_s) as best_s
            from qualifying_results
            where season = $season and event_id = $event_id and session = 'qualifying' and known_at < $as_of
                and best_time_s > 0
            group by all
        ),
        gaps as (select driver_id, 100 * (best_s / min(best_s) over () - 1) as gap_pct from best)
        select
            listed.source,
            listed.driver_id,
            drivers.driver_name,
            drivers.driver_code,
            listed.constructor_id,
            constructors.constructor_name,
            cast(row_number() over (partition by source order by rank, listed.driver_id) as integer) as grid,
            listed.is_pit_lane_start,
            case when gap_pct <= 7 then gap_pct end as qualifying_gap_pct
        from listed
        inner join drivers using (driver_id)
        inner join constructors using (constructor_id)
        left join gaps using (driver_id)
        order by source, grid
        """,
        {"event_id": event_id, "season": int(event_id[:4]), "as_of": as_of},
    )
