-- One row per event and session of the recorded schedules; local times become UTC.
with sessions as (
    select
        year as season,
        round_number as round,
        event_name,
        official_event_name as official_name,
        country,
        location,
        event_format,
        gmt_offset,
        recorded_at::timestamptz as recorded_at,
        unnest([
            {'name': session1, 'at': session1_date},
            {'name': session2, 'at': session2_date},
            {'name': session3, 'at': session3_date},
            {'name': session4, 'at': session4_date},
            {'name': session5, 'at': session5_date}
        ]) as listed
    from fastf1__schedules
)

select
    season,
    round,
    event_name,
    official_name,
    country,
    location,
    event_format,
    recorded_at,
    case
        when listed.name = 'Practice 1' then 'practice_1'
        when listed.name = 'Practice 2' then 'practice_2'
        when listed.name = 'Practice 3' then 'practice_3'
        when listed.name = 'Qualifying' then 'qualifying'
        when listed.name in ('Sprint Qualifying', 'Sprint Shootout') then 'sprint_qualifying'
        when listed.name = 'Sprint' then 'sprint'
        when listed.name = 'Race' then 'race'
        else listed.name
    end as session,
    (listed.at || gmt_offset)::timestamptz as starts_at
from sessions
where coalesce(listed.name, '') not in ('', 'None') and listed.at is not null and gmt_offset is not null
