select
    raceId as race_key,
    positionDisplayOrder as display_order,
    positionNumber as position,
    positionText as position_text,
    constructorId as constructor_id,
    engineManufacturerId as engine_manufacturer_id,
    coalesce(points, 0.0) as points,
    coalesce(championshipWon, false) as is_champion
from f1db__races_constructor_standings
