-- Every event of the calendar with its key in the results source. `corrections` mends race dates known to be wrong;
-- an event that only a recorded schedule lists (a race put back into a running season) is added to its season.
with listed as (
    select
        races.season || '-' || races.grand_prix_id as event_id,
        races.race_key,
        races.season,
        races.round as source_round,
        races.grand_prix_id,
        grands_prix.grand_prix_name,
        races.official_name,
        races.circuit_id,
        races.layout_id,
        coalesce(corrections.race_date, races.race_date) as race_date,
        races.race_clock,
        races.qualifying_format,
        races.sprint_qualifying_format is not null or races.qualifying_format = 'SPRINT_RACE' or races.sprint_date is not null
            as is_sprint,
        races.course_length_km,
        races.turns,
        coalesce(races.scheduled_laps, races.laps_completed) as scheduled_laps,
        'f1db' as source
    from stg_f1db__races as races
    inner join stg_f1db__grands_prix as grands_prix using (grand_prix_id)
    left join corrections on corrections.event_id = races.season || '-' || races.grand_prix_id
),

scheduled as (
    select
        sessions.season || '-' || names.grand_prix_id as event_id,
        sessions.season,
        sessions.round,
        names.grand_prix_id,
        any_value(sessions.official_name) as official_name,
        any_value(sessions.location) as location,
        max(sessions.starts_at) filter (where sessions.session = 'race') as race_starts_at,
        bool_or(sessions.session = 'sprint') as is_sprint
    from stg_fastf1__schedules as sessions
    inner join event_names as names on names.name = lower(sessions.event_name)
    group by all
),

circuits_by_place as (
    select
        scheduled.event_id,
        min(circuits.circuit_id) as circuit_id
    from scheduled
    left join place_aliases on place_aliases.place = lower(scheduled.location)
    inner join stg_f1db__circuits as circuits
        on circuits.circuit_id = place_aliases.circuit_id
        or (place_aliases.circuit_id is null and lower(circuits.place_name) = lower(scheduled.location))
    group by scheduled.event_id
),

latest_circuit as (
    select
        grand_prix_id,
        arg_max(circuit_id, race_date) as circuit_id
    from listed
    group by grand_prix_id
),

added as (
    select
        scheduled.event_id,
        null::integer as race_key,
        scheduled.season,
        scheduled.round as source_round,
        scheduled.grand_prix_id,
        grands_prix.grand_prix_name,
        scheduled.official_name,
        coalesce(places.circuit_id, latest_circuit.circuit_id) as circuit_id,
        null::varchar as layout_id,
        (scheduled.race_starts_at at time zone 'UTC')::date as race_date,
        null::varchar as race_clock,
        'KNOCKOUT' as qualifying_format,
        scheduled.is_sprint,
        circuits.length_km as course_length_km,
        circuits.turns,
        null::integer as scheduled_laps,
        'schedule' as source
    from scheduled
    inner join stg_f1db__grands_prix as grands_prix using (grand_prix_id)
    left join circuits_by_place as places using (event_id)
    left join latest_circuit on latest_circuit.grand_prix_id = scheduled.grand_prix_id
    inner join stg_f1db__circuits as circuits on circuits.circuit_id = coalesce(places.circuit_id, latest_circuit.circuit_id)
    where scheduled.event_id not in (select listed.event_id from listed)
        and scheduled.race_starts_at is not null
        and scheduled.season in (select listed.season from listed)
)

select * from listed
union all by name
select * from added
