-- One row per event. The round counts a season's events by race date, so it follows the newest calendar.
select
    events.event_id,
    events.season,
    row_number() over (partition by events.season order by sessions.starts_at, events.event_id)::integer as round,
    events.grand_prix_id,
    events.grand_prix_name,
    events.official_name,
    events.circuit_id,
    events.layout_id,
    (sessions.starts_at at time zone 'UTC')::date as race_date,
    events.is_sprint,
    events.qualifying_format,
    case
        when exists (select 1 from stg_f1db__races_race_results as results where results.race_key = events.race_key)
            or exists (
                select 1 from stg_timing__results as timing where timing.event_id = events.event_id and timing.session = 'race'
            )
            then 'held'
        else 'scheduled'
    end as status,
    events.course_length_km,
    events.turns,
    events.scheduled_laps,
    events.race_key as source_race_id,
    events.source_round,
    events.source,
    -- The calendar of a season is published before it begins.
    make_timestamptz(events.season::integer, 1, 1, 0, 0, 0, 'UTC') as known_at
from int_events as events
inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
