select
    raceId as race_key,
    'sprint' as session,
    positionDisplayOrder as display_order,
    positionNumber as position,
    positionText as position_text,
    coalesce(positionText = 'PL', false) as is_pit_lane_start,
    driverNumber as car_number,
    driverId as driver_id,
    constructorId as constructor_id,
    qualificationPositionNumber as qualifying_position,
    gridPenalty as penalty_text,
    gridPenaltyPositions as penalty_places,
    timeMillis / 1000.0 as time_s
from f1db__races_sprint_starting_grid_positions
