select
    drivers.*,
    countries.country_code as nationality_code
from stg_f1db__drivers as drivers
left join stg_f1db__countries as countries on countries.country_id = drivers.nationality_country_id
