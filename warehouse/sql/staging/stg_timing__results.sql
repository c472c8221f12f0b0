-- One row per line of a session's result that only the timing feed has so far (f1core/supplement.py finds them).
select
    event_id,
    session,
    display_order,
    position,
    position_text,
    status,
    car_number,
    driver_id,
    constructor_id,
    laps,
    time_s,
    gap_s,
    points,
    grid_position,
    is_pit_lane_start,
    q1_s,
    q2_s,
    q3_s
from timing__results
