with nominated as (
    unpivot stg_laps__nominations
    on hard, medium, soft
    into name compound value compound_name
),

-- The nominations carry rounds only; the lap files of the same archive say which event a round is.
rounds as (
    select distinct
        laps.season,
        laps.round,
        names.grand_prix_id
    from stg_laps__laps as laps
    inner join event_names as names on names.name = lower(laps.event_name)
),

fallback as (
    select
        season,
        source_round as round,
        grand_prix_id
    from events
    where source = 'f1db'
)

select
    events.event_id,
    events.season,
    nominated.compound,
    case when nominated.compound_name like 'C_' then nominated.compound_name else lower(nominated.compound_name) end
        as compound_name,
    (select min(sessions.starts_at) from sessions where sessions.event_id = events.event_id) as known_at
from nominated
left join rounds on rounds.season = nominated.season and rounds.round = nominated.round
left join fallback on fallback.season = nominated.season and fallback.round = nominated.round
inner join events
    on events.season = nominated.season
    and events.grand_prix_id = coalesce(rounds.grand_prix_id, fallback.grand_prix_id)
