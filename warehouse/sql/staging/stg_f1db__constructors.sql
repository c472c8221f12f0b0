select
    id as constructor_id,
    name as constructor_name,
    fullName as full_name,
    countryId as country_id
from f1db__constructors
