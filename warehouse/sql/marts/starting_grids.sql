-- The final grid is published an hour before the start. Where only the timing feed has a race, its result names the slots.
with published as (
    select * from stg_f1db__races_starting_grid_positions
    union all by name
    select * from stg_f1db__races_sprint_starting_grid_positions
),

lines as (
    select events.event_id, published.* exclude (race_key)
    from published
    inner join int_events as events using (race_key)
    union all by name
    select
        event_id,
        session,
        row_number() over (partition by event_id, session order by coalesce(grid_position, 99), display_order)::integer
            as display_order,
        grid_position as position,
        case when is_pit_lane_start then 'PL' else grid_position::varchar end as position_text,
        is_pit_lane_start,
        driver_id,
        constructor_id,
        car_number
    from stg_timing__results
    where session in ('race', 'sprint') and (grid_position is not null or is_pit_lane_start)
)

select
    lines.*,
    events.season,
    sessions.starts_at - interval 60 minutes as known_at
from lines
inner join int_events as events using (event_id)
inner join sessions on sessions.event_id = events.event_id and sessions.session = lines.session
