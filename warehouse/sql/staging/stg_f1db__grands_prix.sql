select
    id as grand_prix_id,
    name as grand_prix_name,
    fullName as full_name,
    shortName as short_name,
    countryId as country_id
from f1db__grands_prix
