-- Stops of races under green with the time they cost: in-lap and out-lap against the median green laps of the two stints.
select
    ins.event_id,
    ins.driver_id,
    ins.lap_number,
    ins.lap_time_s + outs.lap_time_s - before.median_green_lap_s - after.median_green_lap_s as loss_s
from laps as ins
inner join laps as outs
    on outs.event_id = ins.event_id
    and outs.session = ins.session
    and outs.car_number = ins.car_number
    and outs.lap_number = ins.lap_number + 1
    and outs.stint = ins.stint + 1
inner join stints as before
    on before.event_id = ins.event_id
    and before.session = ins.session
    and before.car_number = ins.car_number
    and before.stint = ins.stint
inner join stints as after
    on after.event_id = ins.event_id
    and after.session = ins.session
    and after.car_number = ins.car_number
    and after.stint = outs.stint
where ins.session = 'race'
    and ins.is_in_lap and outs.is_out_lap
    and ins.is_green and outs.is_green
    and ins.lap_number > 1
    and not outs.is_after_result
    -- A repair is no stop, and a weather change no comparison.
    and loss_s between 5.0 and 60.0
