-- One row per event and session. Times: the results source's own, else the recorded schedule's, else estimated from the
-- race date. Of sessions without a result a schedule that was recorded after the newest result goes first: it is the newer
-- of the two, and what is sealed before a session must know when it was brought forward. A session's result is known when it has usually ended; see docs/time.md for the rule.
with kinds(session, days_before, estimated_clock, minutes_before_2021, minutes) as (
    values
        ('practice_1', 2, interval 10 hours, 90, 60),
        ('practice_2', 2, interval 14 hours, 90, 60),
        ('practice_3', 1, interval 9 hours, 60, 60),
        ('practice_4', 1, interval 10 hours, 60, 60),
        ('qualifying', 1, interval 13 hours, 60, 60),
        ('sprint_qualifying', 1, interval 9 hours, 45, 45),
        ('sprint', 1, interval 10 hours, 60, 60),
        ('race', 0, interval 13 hours, 240, 180)
),

given as (
    unpivot (
        select
            events.event_id,
            (events.race_date + races.race_clock::time) at time zone 'UTC' as race,
            (races.qualifying_date + races.qualifying_clock::time) at time zone 'UTC' as qualifying,
            (races.sprint_qualifying_date + races.sprint_qualifying_clock::time) at time zone 'UTC' as sprint_qualifying,
            (races.sprint_date + races.sprint_clock::time) at time zone 'UTC' as sprint,
            (races.practice_1_date + races.practice_1_clock::time) at time zone 'UTC' as practice_1,
            (races.practice_2_date + races.practice_2_clock::time) at time zone 'UTC' as practice_2,
            (races.practice_3_date + races.practice_3_clock::time) at time zone 'UTC' as practice_3,
            (races.practice_4_date + races.practice_4_clock::time) at time zone 'UTC' as practice_4
        from int_events as events
        inner join stg_f1db__races as races using (race_key)
    )
    on race, qualifying, sprint_qualifying, sprint, practice_1, practice_2, practice_3, practice_4
    into name session value starts_at
),

scheduled as (
    select
        sessions.season || '-' || names.grand_prix_id as event_id,
        sessions.session,
        sessions.starts_at,
        sessions.recorded_at
    from stg_fastf1__schedules as sessions
    inner join event_names as names on names.name = lower(sessions.event_name)
),

held as (
    select race_key, session from stg_f1db__races_race_results
    union
    select race_key, session from stg_f1db__races_sprint_race_results
    union
    select race_key, session from stg_f1db__races_qualifying_results
    union
    select race_key, session from stg_f1db__races_sprint_qualifying_results
    union
    select race_key, session from stg_f1db__races_free_practice_1_results
    union
    select race_key, session from stg_f1db__races_free_practice_2_results
    union
    select race_key, session from stg_f1db__races_free_practice_3_results
    union
    select race_key, session from stg_f1db__races_free_practice_4_results
),

all_sessions as (
    select event_id, session from given
    union
    select event_id, session from scheduled
    union
    select events.event_id, held.session from held inner join int_events as events using (race_key)
    union
    select event_id, session from stg_timing__results
    union
    select event_id, unnest(['race', 'qualifying']) as session from int_events
),

newest_result as (
    select max(events.race_date) as race_date
    from int_events as events
    inner join held on held.race_key = events.race_key and held.session = 'race'
),

timed as (
    select
        events.event_id,
        events.season,
        all_sessions.session,
        scheduled.starts_at is not null
            and held.session is null
            and scheduled.recorded_at > (newest_result.race_date + 1)::timestamptz as is_schedule_newer,
        coalesce(
            case when is_schedule_newer then scheduled.starts_at end,
            given.starts_at,
            scheduled.starts_at,
            (events.race_date - kinds.days_before::integer + kinds.estimated_clock) at time zone 'UTC'
        ) as starts_at,
        case
            when is_schedule_newer then 'schedule'
            when given.starts_at is not null then 'f1db'
            when scheduled.starts_at is not null then 'schedule'
            else 'estimated'
        end as time_source,
        case when events.season < 2021 then kinds.minutes_before_2021 else kinds.minutes end as minutes
    from all_sessions
    inner join int_events as events using (event_id)
    inner join kinds using (session)
    left join given using (event_id, session)
    left join scheduled using (event_id, session)
    left join held on held.race_key = events.race_key and held.session = all_sessions.session
    cross join newest_result
)

select
    event_id,
    season,
    session,
    starts_at,
    -- A race of which only the date is known counts as known when that day is over.
    case
        when session = 'race' and time_source = 'estimated'
            then date_trunc('day', starts_at) + interval 1 day
        else starts_at + to_minutes(minutes)
    end as known_at,
    time_source = 'estimated' as is_time_estimated,
    time_source
from timed
