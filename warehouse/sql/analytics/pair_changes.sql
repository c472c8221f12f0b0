-- Pairs of cars of a race that changed order from one lap's end to the next: `gainer_id` was behind and is ahead.
with usual as (
    select event_id, median(lap_time_s) as lap_s
    from ordered_laps
    where is_racing
    group by event_id
),

steps as (
    select
        now.event_id,
        now.driver_id,
        now.lap_number,
        before.ends_s as ended_s,
        now.ends_s,
        now.is_racing,
        now.is_pitting,
        coalesce(now.lap_time_s <= 1.07 * usual.lap_s, false) as is_at_pace
    from ordered_laps as now
    inner join ordered_laps as before
        on before.event_id = now.event_id
        and before.car_number = now.car_number
        and before.lap_number = now.lap_number - 1
    inner join usual on usual.event_id = now.event_id
)

select
    gainers.event_id,
    gainers.lap_number,
    gainers.driver_id as gainer_id,
    losers.driver_id as loser_id,
    gainers.is_racing and losers.is_racing and losers.is_at_pace as is_overtake,
    gainers.is_pitting or losers.is_pitting as is_in_pit_phase
from steps as gainers
inner join steps as losers
    on losers.event_id = gainers.event_id
    and losers.lap_number = gainers.lap_number
    and losers.ended_s < gainers.ended_s
    and losers.ends_s > gainers.ends_s
