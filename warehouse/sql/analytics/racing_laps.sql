-- Laps per event and driver on which an overtake could count.
select event_id, driver_id, count(*) filter (where is_racing)::integer as count_racing_laps
from ordered_laps
group by event_id, driver_id
