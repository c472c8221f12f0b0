select
    event_id,
    season,
    session,
    any_value(driver_id) as driver_id,
    any_value(constructor_id) as constructor_id,
    car_number,
    stint,
    mode(compound order by lap_number) as compound,
    mode(compound_name order by lap_number) as compound_name,
    min(lap_number) as first_lap,
    max(lap_number) as last_lap,
    count(*)::integer as count_laps,
    arg_min(tyre_life_laps, lap_number) as tyre_life_at_start_laps,
    arg_min(is_fresh_tyre, lap_number) as is_fresh_tyre,
    median(lap_time_s) filter (where is_green and not is_in_lap and not is_out_lap and lap_number > 1) as median_green_lap_s,
    any_value(known_at) as known_at
from laps
where stint is not null and not is_after_result
group by event_id, season, session, car_number, stint
