with races as (
    select events.circuit_id, summaries.*
    from session_summaries as summaries
    inner join events using (event_id)
    where summaries.session = 'race'
),

ranked as (
    select
        event_id,
        rank() over (partition by event_id order by grid_position) as grid_rank,
        rank() over (partition by event_id order by position) as finish_rank
    from driver_race_metrics
    where season >= 2010 and grid_position is not null and position is not null
),

correlations as (
    select event_id, corr(grid_rank, finish_rank) as correlation
    from ranked
    group by event_id
    having count(*) >= 5
),

cars as (
    select
        event_id,
        count(*) filter (where is_starter)::integer as count_starters,
        count(*) filter (where is_dnf)::integer as count_dnfs,
        count(*) filter (where grid_position = 1) > 0 as has_pole,
        count(*) filter (where grid_position = 1 and position = 1) > 0 as is_won_from_pole,
        sum(overtakes_made)::integer as overtakes,
        sum(count_racing_laps)::integer as count_racing_laps
    from driver_race_metrics
    group by event_id
),

stops as (
    select
        events.circuit_id,
        count(*)::integer as count_green_stops,
        median(loss_s) as pit_loss_s,
        quantile_cont(loss_s, 0.25) as pit_loss_low_s,
        quantile_cont(loss_s, 0.75) as pit_loss_high_s
    from green_stops
    inner join events using (event_id)
    group by events.circuit_id
),

counted as (
    select
        races.circuit_id,
        count(*)::integer as count_races,
        min(races.season) as first_season,
        max(races.season) as last_season,
        sum(cars.count_starters)::integer as count_starters,
        sum(cars.count_dnfs) / nullif(sum(cars.count_starters), 0)::double as dnf_rate,
        coalesce(sum(cars.count_starters) filter (where races.season >= 2010), 0)::integer as count_recent_starters,
        sum(cars.count_dnfs) filter (where races.season >= 2010)
            / nullif(sum(cars.count_starters) filter (where races.season >= 2010), 0)::double as recent_dnf_rate,
        count(*) filter (where cars.has_pole)::integer as count_pole_races,
        avg(cars.is_won_from_pole::integer) filter (where cars.has_pole) as pole_win_share,
        count(correlations.correlation)::integer as count_correlated_races,
        avg(correlations.correlation) as grid_finish_correlation,
        count(*) filter (where races.has_laps)::integer as count_timed_races,
        count(cars.overtakes)::integer as count_overtaking_races,
        avg(cars.overtakes) as overtakes_per_race,
        100.0 * sum(cars.overtakes) / nullif(sum(cars.count_racing_laps), 0) as overtakes_per_100_laps,
        count(*) filter (where races.count_safety_cars > 0)::integer as count_safety_car_races,
        avg((races.count_safety_cars > 0)::integer) as safety_car_rate,
        avg((races.count_virtual_safety_cars > 0)::integer) as virtual_safety_car_rate,
        avg((races.count_red_flags > 0)::integer) as red_flag_rate,
        count(*) filter (where races.is_wet)::integer as count_wet_races,
        avg(races.is_wet::integer) as wet_rate,
        count(wear.tyre_wear_pct)::integer as count_wear_races,
        avg(wear.tyre_wear_pct) as tyre_wear_pct,
        max(races.known_at) as known_at
    from races
    inner join cars on cars.event_id = races.event_id
    left join correlations on correlations.event_id = races.event_id
    left join lap_wear as wear on wear.event_id = races.event_id
    group by races.circuit_id
)

select
    counted.*,
    case when overtakes_per_100_laps is not null then
        percent_rank() over (
            partition by overtakes_per_100_laps is not null order by overtakes_per_100_laps desc
        )
    end as overtaking_difficulty,
    coalesce(stops.count_green_stops, 0) as count_green_stops,
    stops.* exclude (circuit_id, count_green_stops),
    wilson_low(count_safety_car_races, nullif(count_timed_races, 0)) as safety_car_low,
    wilson_high(count_safety_car_races, nullif(count_timed_races, 0)) as safety_car_high,
    wilson_low(count_wet_races, nullif(count_timed_races, 0)) as wet_low,
    wilson_high(count_wet_races, nullif(count_timed_races, 0)) as wet_high
from counted
left join stops on stops.circuit_id = counted.circuit_id
order by counted.circuit_id
