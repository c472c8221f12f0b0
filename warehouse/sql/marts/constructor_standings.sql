-- Championship after each race, as published; after a race that only the timing feed has, the points of the last published
-- table of the season plus those scored since.
with published as (
    select
        events.event_id,
        events.season,
        lines.* exclude (race_key),
        sessions.starts_at,
        sessions.known_at
    from stg_f1db__races_constructor_standings as lines
    inner join int_events as events using (race_key)
    inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
),

unpublished as (
    select distinct sessions.event_id, sessions.season, sessions.starts_at, sessions.known_at
    from stg_timing__results as timing
    inner join sessions on sessions.event_id = timing.event_id and sessions.session = 'race'
    where timing.session = 'race' and timing.event_id not in (select published.event_id from published)
),

bases as (
    select
        unpublished.*,
        arg_max(published.event_id, published.starts_at) as base_event_id,
        max(published.starts_at) as base_starts_at
    from unpublished
    left join published on published.season = unpublished.season and published.starts_at < unpublished.starts_at
    group by all
),

counted as (
    select bases.event_id, published.constructor_id, published.engine_manufacturer_id, published.points
    from bases
    inner join published on published.event_id = bases.base_event_id
    union all
    select bases.event_id, results.constructor_id, makers.engine_manufacturer_id, results.points
    from bases
    inner join race_results as results on results.season = bases.season
    inner join sessions as raced on raced.event_id = results.event_id and raced.session = 'race'
    inner join (
        select season, constructor_id, min(engine_manufacturer_id) as engine_manufacturer_id
        from stg_f1db__seasons_entrants_drivers
        group by all
    ) as makers on makers.season = results.season and makers.constructor_id = results.constructor_id
    where raced.starts_at <= bases.starts_at and (bases.base_starts_at is null or raced.starts_at > bases.base_starts_at)
),

summed as (
    select event_id, constructor_id, engine_manufacturer_id, sum(points) as points
    from counted
    group by all
),

ranked as (
    select
        summed.*,
        row_number() over (partition by event_id order by points desc, constructor_id, engine_manufacturer_id)::integer as display_order
    from summed
)

select * exclude (starts_at) from published
union all by name
select
    ranked.*,
    ranked.display_order as position,
    ranked.display_order::varchar as position_text,
    false as is_champion,
    unpublished.season,
    unpublished.known_at
from ranked
inner join unpublished using (event_id)
