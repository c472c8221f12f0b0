-- The final grid is published an hour before the start.
with lines as (
    select * from stg_f1db__races_starting_grid_positions
    union all by name
    select * from stg_f1db__races_sprint_starting_grid_positions
)

select
    events.event_id,
    events.season,
    lines.* exclude (race_key),
    sessions.starts_at - interval 60 minutes as known_at
from lines
inner join int_events as events using (race_key)
inner join sessions on sessions.event_id = events.event_id and sessions.session = lines.session
