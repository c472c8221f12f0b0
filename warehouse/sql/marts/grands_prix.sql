select
    grands_prix.*,
    countries.country_name
from stg_f1db__grands_prix as grands_prix
left join stg_f1db__countries as countries using (country_id)
