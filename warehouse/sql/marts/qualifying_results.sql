with lines as (
    select * from stg_f1db__races_qualifying_results
    union all by name
    select * from stg_f1db__races_sprint_qualifying_results
)

select
    events.event_id,
    events.season,
    lines.* exclude (race_key),
    least(lines.time_s, lines.q1_s, lines.q2_s, lines.q3_s) as best_time_s,
    sessions.known_at
from lines
inner join int_events as events using (race_key)
inner join sessions on sessions.event_id = events.event_id and sessions.session = lines.session
