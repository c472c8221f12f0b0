select
    id as driver_id,
    name as driver_name,
    firstName as first_name,
    lastName as last_name,
    abbreviation as driver_code,
    permanentNumber as permanent_number,
    dateOfBirth as date_of_birth,
    nationalityCountryId as nationality_country_id
from f1db__drivers
