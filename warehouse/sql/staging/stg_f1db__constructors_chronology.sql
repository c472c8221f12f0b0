select
    parentConstructorId as constructor_id,
    positionDisplayOrder as member_order,
    constructorId as member_constructor_id,
    yearFrom as season_from,
    yearTo as season_to
from f1db__constructors_chronology
