-- Places gained on lap 1, among the cars that finished it.
with cars as (
    select
        laps.event_id,
        laps.driver_id,
        row_number() over (
            partition by laps.event_id
            order by results.grid_position nulls last, results.qualifying_position nulls last, laps.ends_s
        ) as grid_rank,
        row_number() over (partition by laps.event_id order by laps.ends_s) as lap_rank
    from ordered_laps as laps
    inner join race_results as results
        on results.event_id = laps.event_id and results.session = 'race' and results.car_number = laps.car_number
    where laps.lap_number = 1
)

select event_id, driver_id, (grid_rank - lap_rank)::integer as start_gain_places
from cars
