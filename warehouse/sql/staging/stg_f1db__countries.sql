select
    id as country_id,
    alpha3Code as country_code,
    name as country_name
from f1db__countries
