select
    circuits.circuit_id,
    circuits.circuit_name,
    circuits.full_name,
    circuits.previous_names,
    circuits.circuit_type,
    circuits.direction,
    circuits.place_name,
    circuits.country_id,
    countries.country_name,
    countries.country_code,
    circuits.latitude,
    circuits.longitude,
    circuits.length_km,
    circuits.turns
from stg_f1db__circuits as circuits
inner join stg_f1db__countries as countries using (country_id)
