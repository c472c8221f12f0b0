-- Laps of races at whose ends the order of the cars can be told by the clock. Left out are races whose lap numbers differ by
-- car (`too_low`), cars that did not start by the official result (2024 Great Britain, one on its formation lap), and cars whose clock in the feed slipped on lap 1 (mostly by a stop in it): the end of that lap lies more
-- than 3 s before what its lap time says, and so do the ends of all later laps (2023 Monaco, three cars, 18 to 26 s).
with slipped as (
    select event_id, car_number
    from laps
    where session = 'race' and lap_number = 1 and lap_time_s is not null and not is_generated
    qualify lap_end_session_s - lap_time_s
        < median(lap_end_session_s - lap_time_s) over (partition by event_id) - 3.0
)

select
    event_id,
    car_number,
    driver_id,
    lap_number,
    lap_time_s,
    lap_end_session_s as ends_s,
    is_in_lap or is_out_lap as is_pitting,
    is_green and not is_in_lap and not is_out_lap and lap_number > 1 as is_racing
from laps
where session = 'race' and not is_generated and not is_after_result
    and event_id not in (select event_id from laps where session = 'race' and lap_number_note = 'too_low')
    and exists (
        select 1
        from race_results as results
        where results.event_id = laps.event_id
            and results.session = 'race'
            and results.car_number = laps.car_number
            and results.is_starter
    )
    and not exists (
        select 1 from slipped where slipped.event_id = laps.event_id and slipped.car_number = laps.car_number
    )
