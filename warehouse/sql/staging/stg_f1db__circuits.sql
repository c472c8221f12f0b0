select
    id as circuit_id,
    name as circuit_name,
    fullName as full_name,
    previousNames as previous_names,
    lower(type) as circuit_type,
    lower(direction) as direction,
    placeName as place_name,
    countryId as country_id,
    latitude,
    longitude,
    length as length_km,
    turns
from f1db__circuits
