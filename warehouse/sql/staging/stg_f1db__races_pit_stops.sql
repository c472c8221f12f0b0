select
    raceId as race_key,
    'race' as session,
    positionDisplayOrder as display_order,
    driverNumber as car_number,
    driverId as driver_id,
    constructorId as constructor_id,
    stop,
    lap,
    timeMillis / 1000.0 as time_s
from f1db__races_pit_stops
