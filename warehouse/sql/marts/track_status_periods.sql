-- Neutralisations as the leading car met them: runs of its laps that carry the status.
with leader as (
    select distinct on (event_id, session, lap_number)
        event_id,
        season,
        session,
        lap_number,
        lap_end_session_s,
        is_safety_car,
        is_virtual_safety_car,
        is_red_flag,
        known_at
    from laps
    where not is_generated and not is_after_result
    order by event_id, session, lap_number, lap_end_session_s
),

touched as (
    select *, 'safety_car' as status from leader where is_safety_car
    union all by name
    select *, 'virtual_safety_car' as status from leader where is_virtual_safety_car
    union all by name
    select *, 'red_flag' as status from leader where is_red_flag
),

runs as (
    select
        *,
        lap_number - row_number() over (partition by event_id, session, status order by lap_number) as run
    from touched
)

select
    event_id,
    season,
    session,
    status,
    row_number() over (partition by event_id, session, status order by min(lap_number))::integer as period,
    min(lap_number) as first_lap,
    max(lap_number) as last_lap,
    count(*)::integer as count_laps,
    max(lap_end_session_s) as ended_session_s,
    any_value(known_at) as known_at
from runs
group by event_id, season, session, status, run
