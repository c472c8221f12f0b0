with lines as (
    select * from stg_f1db__races_free_practice_1_results
    union all by name
    select * from stg_f1db__races_free_practice_2_results
    union all by name
    select * from stg_f1db__races_free_practice_3_results
    union all by name
    select * from stg_f1db__races_free_practice_4_results
)

select
    events.event_id,
    events.season,
    lines.* exclude (race_key),
    sessions.known_at
from lines
inner join int_events as events using (race_key)
inner join sessions on sessions.event_id = events.event_id and sessions.session = lines.session
