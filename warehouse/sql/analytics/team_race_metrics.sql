with usual_stops as (
    select event_id, constructor_id, time_s
    from pit_stops
    where session = 'race' and time_s > 0
    qualify time_s <= quantile_cont(time_s, 0.1) over (partition by event_id) + 30.0
),

against_field as (
    select
        event_id,
        constructor_id,
        time_s - avg(time_s) over (partition by event_id) as beyond_mean_s,
        time_s - median(time_s) over (partition by event_id) as beyond_median_s
    from usual_stops
),

stops as (
    select
        event_id,
        constructor_id,
        count(*)::integer as count_stops,
        avg(beyond_mean_s) as pit_time_vs_field_s,
        count(*) filter (where beyond_median_s > 3.0)::integer as count_slow_stops
    from against_field
    group by event_id, constructor_id
),

teams as (
    select
        event_id,
        any_value(season) as season,
        constructor_id,
        count(*) filter (where is_starter)::integer as count_starters,
        count(position)::integer as count_classified,
        count(*) filter (where dnf_cause = 'mechanical')::integer as count_mechanical_dnfs,
        count(*) filter (where dnf_cause = 'accident')::integer as count_accident_dnfs,
        count(*) filter (where dnf_cause = 'other')::integer as count_other_dnfs,
        sum(points) as points,
        sum(sprint_points) as sprint_points,
        min(position) as best_position,
        any_value(is_wet) as is_wet,
        min(qualifying_gap_pct) as qualifying_gap_pct,
        min(race_pace_pct) as race_pace_pct,
        sum(pit_places_gained)::integer as pit_places_gained,
        count(pit_places_gained)::integer as count_strategy_cars,
        any_value(known_at) as known_at
    from driver_race_metrics
    group by event_id, constructor_id
    having count_starters > 0
),

gaps as (
    select *, race_pace_pct - min(race_pace_pct) over (partition by event_id) as race_pace_gap_pct
    from teams
),

ranked as (
    select
        *,
        case when qualifying_gap_pct is not null then
            rank() over (partition by event_id order by qualifying_gap_pct nulls last)::integer
        end as qualifying_rank,
        case when race_pace_gap_pct is not null then
            rank() over (partition by event_id order by race_pace_gap_pct nulls last)::integer
        end as race_pace_rank
    from gaps
)

select
    ranked.* exclude (race_pace_pct),
    coalesce(stops.count_stops, 0) as count_stops,
    stops.pit_time_vs_field_s,
    coalesce(stops.count_slow_stops, 0) as count_slow_stops,
    elo.change as elo_change
from ranked
left join stops on stops.event_id = ranked.event_id and stops.constructor_id = ranked.constructor_id
left join elo_rankings as elo
    on elo.event_id = ranked.event_id
    and elo.entity_kind = 'constructor'
    and elo.entity_id = ranked.constructor_id
    and elo.is_present
order by ranked.known_at, ranked.event_id, ranked.constructor_id
