-- Lines of the results source; sessions that it has not published yet come from the timing feed.
with lines as (
    select events.event_id, results.* exclude (race_key)
    from stg_f1db__races_qualifying_results as results
    inner join int_events as events using (race_key)
    union all by name
    select events.event_id, results.* exclude (race_key)
    from stg_f1db__races_sprint_qualifying_results as results
    inner join int_events as events using (race_key)
    union all by name
    select
        event_id, session, display_order, position, position_text, car_number, driver_id, constructor_id, q1_s, q2_s, q3_s, laps
    from stg_timing__results
    where session in ('qualifying', 'sprint_qualifying')
)

select
    lines.*,
    events.season,
    least(lines.time_s, lines.q1_s, lines.q2_s, lines.q3_s) as best_time_s,
    sessions.known_at
from lines
inner join int_events as events using (event_id)
inner join sessions on sessions.event_id = events.event_id and sessions.session = lines.session
