-- One row per lap of a race or sprint, joined to its event by name and to its driver by car number.
-- The feed's known slips are mended or marked here, each on purpose (the archive's README lists them):
--  * a lap number that stands twice, followed by a hole, is the next lap (2025 Miami sprint, one car);
--  * 2018 Bahrain, car 18: one lap is missing before lap 11, so numbers from there on are one too low;
--  * 2020 Austria: the feed lost 3 to 5 laps per car after lap 8; later numbers are too low by a car's own count;
--  * 2024 Monaco: lap 1 lasts until the restart, so the count is one lower than the official one;
--  * laps driven after the one the result was taken at stay, marked.
with named as (
    select
        laps.*,
        laps.season || '-' || names.grand_prix_id as event_id,
        row_number() over (
            partition by laps.season, names.grand_prix_id, laps.session, laps.car_number, laps.feed_lap_number
            order by laps.lap_end_session_s
        ) - 1 as repeats
    from stg_laps__laps as laps
    inner join event_names as names on names.name = lower(laps.event_name)
),

numbered as (
    select
        *,
        (
            feed_lap_number
            + repeats
            + case when event_id = '2018-bahrain' and session = 'race' and car_number = '18' and feed_lap_number >= 11 then 1 else 0 end
        )::integer as lap_number,
        case
            when repeats > 0 then 'corrected'
            when event_id = '2018-bahrain' and session = 'race' and car_number = '18' and feed_lap_number >= 11 then 'corrected'
            when event_id = '2020-austria' and session = 'race' and feed_lap_number > 8 then 'too_low'
            when event_id = '2024-monaco' and session = 'race' then 'offset_after_restart'
            else 'exact'
        end as lap_number_note
    from named
),

winners as (
    select
        event_id,
        session,
        laps
    from race_results
    where display_order = 1
)

select
    numbered.* exclude (round, event_name, feed_lap_number, repeats),
    results.driver_id,
    results.constructor_id,
    numbered.pit_in_session_s is not null as is_in_lap,
    numbered.pit_out_session_s is not null and numbered.lap_number > 1 as is_out_lap,
    coalesce(numbered.track_status_codes = '1', false) as is_green,
    coalesce(contains(numbered.track_status_codes, '4'), false) as is_safety_car,
    coalesce(contains(numbered.track_status_codes, '6') or contains(numbered.track_status_codes, '7'), false)
        as is_virtual_safety_car,
    coalesce(contains(numbered.track_status_codes, '5'), false) as is_red_flag,
    coalesce(numbered.lap_number > winners.laps, false) as is_after_result,
    results.known_at
from numbered
inner join race_results as results
    on results.event_id = numbered.event_id
    and results.session = numbered.session
    and results.car_number = numbered.car_number
left join winners on winners.event_id = numbered.event_id and winners.session = numbered.session
