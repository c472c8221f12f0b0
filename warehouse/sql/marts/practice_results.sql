-- Lines of the results source; sessions that it has not published yet come from the timing feed.
with published as (
    select * from stg_f1db__races_free_practice_1_results
    union all by name
    select * from stg_f1db__races_free_practice_2_results
    union all by name
    select * from stg_f1db__races_free_practice_3_results
    union all by name
    select * from stg_f1db__races_free_practice_4_results
),

lines as (
    select events.event_id, published.* exclude (race_key)
    from published
    inner join int_events as events using (race_key)
    union all by name
    select event_id, session, display_order, position, car_number, driver_id, constructor_id, time_s, gap_s, laps
    from stg_timing__results
    where session in ('practice_1', 'practice_2', 'practice_3', 'practice_4')
)

select
    lines.*,
    events.season,
    sessions.known_at
from lines
inner join int_events as events using (event_id)
inner join sessions on sessions.event_id = events.event_id and sessions.session = lines.session
