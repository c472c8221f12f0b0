-- The source fills a season's rounds as it goes, so the rows of a season are known with its newest result.
with newest as (
    select
        events.season,
        max(sessions.known_at) as known_at
    from events
    inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
    where events.status = 'held'
    group by events.season
)

select
    entrants.*,
    coalesce(newest.known_at, make_timestamptz(entrants.season::integer, 1, 1, 0, 0, 0, 'UTC')) as known_at
from stg_f1db__seasons_entrants_drivers as entrants
left join newest using (season)
