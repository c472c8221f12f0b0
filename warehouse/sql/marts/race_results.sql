with lines as (
    select * from stg_f1db__races_race_results
    union all by name
    select * from stg_f1db__races_sprint_race_results
)

select
    events.event_id,
    events.season,
    lines.* exclude (race_key, gap_s),
    lines.status not in ('did_not_start', 'did_not_qualify', 'did_not_prequalify', 'did_not_practice', 'excluded') as is_starter,
    case when lines.position = 1 and lines.time_s is not null then coalesce(lines.gap_s, 0.0) else lines.gap_s end as gap_s,
    sessions.known_at
from lines
inner join int_events as events using (race_key)
inner join sessions on sessions.event_id = events.event_id and sessions.session = lines.session
