-- Lines of the results source; sessions that it has not published yet come from the timing feed.
with lines as (
    select events.event_id, results.* exclude (race_key)
    from stg_f1db__races_race_results as results
    inner join int_events as events using (race_key)
    union all by name
    select events.event_id, results.* exclude (race_key)
    from stg_f1db__races_sprint_race_results as results
    inner join int_events as events using (race_key)
    union all by name
    select
        * exclude (q1_s, q2_s, q3_s, points),
        coalesce(points, 0.0) as points,
        false as is_shared_car,
        false as is_fastest_lap
    from stg_timing__results
    where session in ('race', 'sprint')
)

select
    lines.* exclude (gap_s),
    events.season,
    lines.status not in ('did_not_start', 'did_not_qualify', 'did_not_prequalify', 'did_not_practice', 'excluded') as is_starter,
    case when lines.position = 1 and lines.time_s is not null then coalesce(lines.gap_s, 0.0) else lines.gap_s end as gap_s,
    sessions.known_at
from lines
inner join int_events as events using (event_id)
inner join sessions on sessions.event_id = events.event_id and sessions.session = lines.session
