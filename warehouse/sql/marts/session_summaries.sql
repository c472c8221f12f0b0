with results as (
    select
        event_id,
        season,
        session,
        arg_min(driver_id, display_order) as winner_driver_id,
        count(*) filter (where is_starter)::integer as count_starters,
        count(*) filter (where status = 'classified')::integer as count_classified,
        count(*) filter (where status in ('retired', 'not_classified'))::integer as count_retired,
        arg_min(laps, display_order) as laps_completed,
        min(time_s) filter (where position = 1) as winner_time_s,
        sum(laps) filter (where is_starter)::integer as count_laps_expected,
        any_value(known_at) as known_at
    from race_results
    group by event_id, season, session
),

lapwise as (
    select
        event_id,
        session,
        avg((compound in ('intermediate', 'wet'))::integer) filter (where compound <> 'unknown') as wet_lap_share,
        count(*) filter (where not is_generated and not is_after_result)::integer as count_laps_timed
    from laps
    group by event_id, session
),

periods as (
    select
        event_id,
        session,
        count(*) filter (where status = 'safety_car')::integer as count_safety_cars,
        count(*) filter (where status = 'virtual_safety_car')::integer as count_virtual_safety_cars,
        count(*) filter (where status = 'red_flag')::integer as count_red_flags
    from track_status_periods
    group by event_id, session
)

select
    results.*,
    case when results.session = 'race' then races.distance_km else races.sprint_distance_km end as distance_km,
    case
        when results.session = 'race' then results.laps_completed < events.scheduled_laps
        else results.laps_completed < coalesce(races.sprint_scheduled_laps, results.laps_completed)
    end as is_shortened,
    lapwise.event_id is not null as has_laps,
    lapwise.wet_lap_share,
    lapwise.wet_lap_share > 0.02 as is_wet,
    case when lapwise.event_id is not null then coalesce(periods.count_safety_cars, 0) end as count_safety_cars,
    case when lapwise.event_id is not null then coalesce(periods.count_virtual_safety_cars, 0) end as count_virtual_safety_cars,
    case when lapwise.event_id is not null then coalesce(periods.count_red_flags, 0) end as count_red_flags,
    lapwise.count_laps_timed
from results
inner join events using (event_id)
left join stg_f1db__races as races on races.race_key = events.source_race_id
left join lapwise on lapwise.event_id = results.event_id and lapwise.session = results.session
left join periods on periods.event_id = results.event_id and periods.session = results.session
