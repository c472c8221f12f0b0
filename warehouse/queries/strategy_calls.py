"""What the field did in past races: how often cars stopped, and when first."""

from __future__ import annotations

import datetime as dt

import polars as pl

from warehouse.reader import Reader


def past_calls(reader: Reader, as_of: dt.datetime | None = None) -> pl.DataFrame:
    """Stops of the classified cars of every dry race without a red flag, known before an instant; a row is a race.

    A stop is a change of tyres: a lap into the pit lane after which the compound is another one or the set is younger.
    Drives through the pit lane behind a safety car are none.

    Args:
        reader: The warehouse.
        as_of: Only what was known strictly before it; None for all.

    Returns:
        By day: event_id, season, circuit_id, race_date, known_at, laps (of the winner), scheduled_laps, cars, stops (the
        most frequent number, the smaller of two), mean_stops, first_lap (median of the first stops).
    """
    return reader.query(
        """
        with sets as (
            select
                event_id,
                driver_id,
                lap_number,
                is_in_lap,
                stint,
                compound,
                tyre_life_laps,
                lead(stint) over car as next_stint,
                lead(compound) over car as next_compound,
                lead(tyre_life_laps) over car as next_life
            from laps
            where session = 'race'
            window car as (partition by event_id, driver_id order by lap_number)
        ),

        stops as (
            select event_id, driver_id, count(*) as stops, min(lap_number) as first_lap
            from sets
            where
                is_in_lap
                and next_stint <> stint
                and (next_compound <> compound or coalesce(next_life <= tyre_life_laps, true))
            group by event_id, driver_id
        ),

        cars as (
            select results.event_id, coalesce(stops.stops, 0) as stops, stops.first_lap
            from race_results as results
            left join stops using (event_id, driver_id)
            where results.session = 'race' and results.status = 'classified'
        ),

        races as (
            select
                event_id,
                count(*) as cars,
                avg(stops) as mean_stops,
                median(first_lap) as first_lap
            from cars
            group by event_id
        ),

        counted as (
            select event_id, stops, row_number() over (partition by event_id order by count(*) desc, stops) as rank
            from cars
            group by event_id, stops
        )

        select
            events.event_id,
            events.season,
            events.circuit_id,
            events.race_date,
            summaries.known_at,
            summaries.laps_completed as laps,
            events.scheduled_laps,
            races.cars,
            counted.stops,
            races.mean_stops,
            races.first_lap
        from races
        inner join counted on races.event_id = counted.event_id and counted.rank = 1
        inner join events on races.event_id = events.event_id
        inner join session_summaries as summaries
            on races.event_id = summaries.event_id and summaries.session = 'race'
        where
            summaries.has_laps
            and summaries.wet_lap_share <= 0.02
            and coalesce(summaries.count_red_flags, 0) = 0
            and ($as_of::timestamptz is null or summaries.known_at < $as_of)
            -- A red flag on the first lap is seen on the laps only.
            and races.event_id not in (
                select event_id from track_status_periods where session = 'race' and status = 'red_flag'
                union
                select event_id from laps where session = 'race' and is_red_flag
            )
        order by events.race_date, events.event_id
        """,
        {"as_of": as_of},
    )
