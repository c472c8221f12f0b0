select
    year as season,
    entrantId as entrant_id,
    constructorId as constructor_id,
    engineManufacturerId as engine_manufacturer_id,
    driverId as driver_id,
    rounds,
    testDriver as is_test_driver
from f1db__seasons_entrants_drivers
