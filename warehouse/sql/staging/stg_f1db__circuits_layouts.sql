select
    id as layout_id,
    circuitId as circuit_id,
    effective as is_in_effect,
    length as length_km,
    turns
from f1db__circuits_layouts
