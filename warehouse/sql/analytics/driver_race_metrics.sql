with raced as (
    select *
    from race_results
    where session = 'race'
    qualify row_number() over (partition by event_id, driver_id order by is_starter desc, display_order) = 1
),

scored as (
    select
        event_id,
        driver_id,
        coalesce(sum(points) filter (where session = 'race'), 0.0) as points,
        coalesce(sum(points) filter (where session = 'sprint'), 0.0) as sprint_points
    from race_results
    group by event_id, driver_id
),

qualified as (
    select
        *,
        100.0 * (best_time_s / nullif(min(nullif(best_time_s, 0)) over (partition by event_id), 0) - 1.0) as gap_pct
    from qualifying_results
    where session = 'qualifying'
    qualify row_number() over (partition by event_id, driver_id order by position nulls last, display_order) = 1
),

listed as (
    select
        coalesce(raced.event_id, qualified.event_id) as event_id,
        coalesce(raced.season, qualified.season) as season,
        coalesce(raced.driver_id, qualified.driver_id) as driver_id,
        coalesce(raced.constructor_id, qualified.constructor_id) as constructor_id,
        coalesce(raced.is_starter, false) as is_starter,
        case when raced.is_starter then raced.grid_position end as grid_position,
        qualified.position as qualifying_position,
        qualified.display_order as qualifying_order,
        raced.position,
        raced.display_order as race_order,
        raced.count_pit_stops,
        coalesce(raced.is_starter and raced.status in ('retired', 'not_classified'), false) as is_dnf,
        lower(coalesce(raced.reason_retired, '')) as reason,
        case when qualified.gap_pct <= 7.0 then qualified.gap_pct end as qualifying_gap_pct,
        nullif(qualified.q1_s, 0) as q1_s,
        nullif(qualified.q2_s, 0) as q2_s,
        nullif(qualified.q3_s, 0) as q3_s,
        nullif(qualified.time_s, 0) as time_s
    from raced
    full join qualified on qualified.event_id = raced.event_id and qualified.driver_id = raced.driver_id
),

mates as (
    select own.event_id, own.driver_id, other.driver_id as teammate_driver_id
    from listed as own
    inner join listed as other
        on other.event_id = own.event_id
        and other.constructor_id = own.constructor_id
        and other.driver_id <> own.driver_id
    qualify row_number() over (
        partition by own.event_id, own.driver_id
        order by other.is_starter desc, other.race_order nulls last, other.qualifying_order nulls last, other.driver_id
    ) = 1
),

compared as (
    select
        own.*,
        mates.teammate_driver_id,
        other.qualifying_position as mate_qualifying_position,
        other.position as mate_position,
        case
            when own.q3_s + other.q3_s is not null then 'q3'
            when own.q2_s + other.q2_s is not null then 'q2'
            when own.q1_s + other.q1_s is not null then 'q1'
            when own.time_s + other.time_s is not null then 'single'
        end as qualifying_segment,
        case qualifying_segment
            when 'q3' then 100.0 * (own.q3_s / other.q3_s - 1.0)
            when 'q2' then 100.0 * (own.q2_s / other.q2_s - 1.0)
            when 'q1' then 100.0 * (own.q1_s / other.q1_s - 1.0)
            when 'single' then 100.0 * (own.time_s / other.time_s - 1.0)
        end as mate_gap_pct
    from listed as own
    left join mates on mates.event_id = own.event_id and mates.driver_id = own.driver_id
    left join listed as other on other.event_id = own.event_id and other.driver_id = mates.teammate_driver_id
),

overtaking as (
    select event_id, driver_id, sum(made)::integer as made, sum(suffered)::integer as suffered
    from (
        select event_id, gainer_id as driver_id, 1 as made, 0 as suffered from pair_changes where is_overtake
        union all
        select event_id, loser_id, 0, 1 from pair_changes where is_overtake
    )
    group by event_id, driver_id
),

classified as (
    select event_id, driver_id from listed where position is not null
),

pit_phases as (
    select event_id, driver_id, sum(places)::integer as places
    from (
        select event_id, gainer_id as driver_id, loser_id as rival_id, 1 as places from pair_changes where is_in_pit_phase
        union all
        select event_id, loser_id, gainer_id, -1 from pair_changes where is_in_pit_phase
    ) as moves
    semi join classified on classified.event_id = moves.event_id and classified.driver_id = moves.driver_id
    semi join classified as rivals on rivals.event_id = moves.event_id and rivals.driver_id = moves.rival_id
    group by event_id, driver_id
),

paced as (
    select
        *,
        consistency_pct - median(consistency_pct) over (partition by event_id) as consistency_vs_field_pct
    from lap_craft
)

select
    rows.event_id,
    rows.season,
    rows.driver_id,
    rows.constructor_id,
    rows.is_starter,
    rows.grid_position,
    rows.qualifying_position,
    rows.position,
    coalesce(scored.points, 0.0) as points,
    coalesce(scored.sprint_points, 0.0) as sprint_points,
    rows.is_dnf,
    case
        when not rows.is_dnf then null
        when regexp_matches(rows.reason, 'accident|collision|spun|spin|damage|broken wing') then 'accident'
        when rows.reason = ''
            or regexp_matches(
                rows.reason,
                'withdr|injur|physical|unwell|unfit|illness|safety concerns|^retirement$|illegal|ignored|dispute|infringement|'
                || 'assistance|push start|reversed|raced by|practice only|reserve driver|weight|stalled|stewards|'
                || 'seized|camera car|not ready|shortage|scrutineering|too slowly|stop-go|grid formation|starting procedure'
            ) then 'other'
        else 'mechanical'
    end as dnf_cause,
    summaries.is_wet,
    rows.teammate_driver_id,
    rows.qualifying_gap_pct,
    rows.qualifying_segment,
    case when abs(rows.mate_gap_pct) <= 7.0 then rows.mate_gap_pct end as qualifying_gap_teammate_pct,
    rows.qualifying_position < rows.mate_qualifying_position as is_ahead_in_qualifying,
    rows.position < rows.mate_position as is_ahead_in_race,
    own.race_pace_pct,
    own.standard_error_pct as race_pace_error_pct,
    own.race_pace_pct - other.race_pace_pct as race_pace_gap_teammate_pct,
    own.consistency_pct,
    own.consistency_vs_field_pct,
    own.wear_pct as tyre_wear_vs_field_pct,
    own.wear_error_pct as tyre_wear_error_pct,
    coalesce(own.count_laps, 0) as count_pace_laps,
    case when racing.event_id is not null then coalesce(overtaking.made, 0) end as overtakes_made,
    case when racing.event_id is not null then coalesce(overtaking.suffered, 0) end as overtakes_suffered,
    racing.count_racing_laps,
    case when rows.is_starter then starts.start_gain_places end as start_gain_places,
    case when racing.event_id is not null and rows.position is not null then coalesce(pit_phases.places, 0) end
        as pit_places_gained,
    rows.count_pit_stops,
    elo.change as elo_change,
    sessions.known_at
from compared as rows
inner join sessions on sessions.event_id = rows.event_id and sessions.session = 'race'
left join scored on scored.event_id = rows.event_id and scored.driver_id = rows.driver_id
left join session_summaries as summaries on summaries.event_id = rows.event_id and summaries.session = 'race'
left join paced as own on own.event_id = rows.event_id and own.driver_id = rows.driver_id
left join paced as other on other.event_id = rows.event_id and other.driver_id = rows.teammate_driver_id
left join racing_laps as racing on racing.event_id = rows.event_id and racing.driver_id = rows.driver_id
left join overtaking on overtaking.event_id = rows.event_id and overtaking.driver_id = rows.driver_id
left join pit_phases on pit_phases.event_id = rows.event_id and pit_phases.driver_id = rows.driver_id
left join start_gains as starts on starts.event_id = rows.event_id and starts.driver_id = rows.driver_id
left join elo_rankings as elo
    on elo.event_id = rows.event_id
    and elo.entity_kind = 'driver'
    and elo.entity_id = rows.driver_id
    and elo.is_present
order by sessions.known_at, rows.event_id, rows.driver_id
