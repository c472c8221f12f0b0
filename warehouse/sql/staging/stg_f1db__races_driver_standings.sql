select
    raceId as race_key,
    positionDisplayOrder as display_order,
    positionNumber as position,
    positionText as position_text,
    driverId as driver_id,
    coalesce(points, 0.0) as points,
    coalesce(championshipWon, false) as is_champion
from f1db__races_driver_standings
