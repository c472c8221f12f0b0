select
    events.event_id,
    events.season,
    lines.* exclude (race_key),
    sessions.known_at
from stg_f1db__races_fastest_laps as lines
inner join int_events as events using (race_key)
inner join sessions on sessions.event_id = events.event_id and sessions.session = lines.session
