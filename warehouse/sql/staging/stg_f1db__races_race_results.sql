-- One row per line of the official result; milliseconds become seconds, no points become 0.
select
    raceId as race_key,
    'race' as session,
    positionDisplayOrder as display_order,
    positionNumber as position,
    positionText as position_text,
    case
        when positionNumber is not null then 'classified'
        else case positionText
            when 'DNF' then 'retired'
            when 'NC' then 'not_classified'
            when 'DSQ' then 'disqualified'
            when 'DNS' then 'did_not_start'
            when 'DNQ' then 'did_not_qualify'
            when 'DNPQ' then 'did_not_prequalify'
            when 'DNP' then 'did_not_practice'
            when 'EX' then 'excluded'
            else positionText
        end
    end as status,
    driverNumber as car_number,
    driverId as driver_id,
    constructorId as constructor_id,
    engineManufacturerId as engine_manufacturer_id,
    coalesce(sharedCar, false) as is_shared_car,
    laps,
    timeMillis / 1000.0 as time_s,
    timePenaltyMillis / 1000.0 as time_penalty_s,
    gapMillis / 1000.0 as gap_s,
    gapLaps as gap_laps,
    reasonRetired as reason_retired,
    coalesce(points, 0.0) as points,
    gridPositionNumber as grid_position,
    coalesce(gridPositionText = 'PL', false) as is_pit_lane_start,
    qualificationPositionNumber as qualifying_position,
    pitStops as count_pit_stops,
    coalesce(fastestLap, false) as is_fastest_lap
from f1db__races_race_results
