select
    raceId as race_key,
    'race' as session,
    positionDisplayOrder as display_order,
    positionNumber as position,
    driverNumber as car_number,
    driverId as driver_id,
    constructorId as constructor_id,
    lap,
    timeMillis / 1000.0 as time_s,
    gapMillis / 1000.0 as gap_s
from f1db__races_fastest_laps
