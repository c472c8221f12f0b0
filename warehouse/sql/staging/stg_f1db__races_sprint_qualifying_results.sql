select
    raceId as race_key,
    'sprint_qualifying' as session,
    positionDisplayOrder as display_order,
    positionNumber as position,
    positionText as position_text,
    driverNumber as car_number,
    driverId as driver_id,
    constructorId as constructor_id,
    timeMillis / 1000.0 as time_s,
    q1Millis / 1000.0 as q1_s,
    q2Millis / 1000.0 as q2_s,
    q3Millis / 1000.0 as q3_s,
    laps
from f1db__races_sprint_qualifying_results
