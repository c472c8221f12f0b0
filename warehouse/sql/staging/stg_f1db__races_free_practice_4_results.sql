select
    raceId as race_key,
    'practice_4' as session,
    positionDisplayOrder as display_order,
    positionNumber as position,
    driverNumber as car_number,
    driverId as driver_id,
    constructorId as constructor_id,
    timeMillis / 1000.0 as time_s,
    gapMillis / 1000.0 as gap_s,
    laps
from f1db__races_free_practice_4_results
