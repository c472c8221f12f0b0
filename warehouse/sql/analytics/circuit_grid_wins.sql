-- Two drivers of a shared car stand on one slot: races are counted, not drivers.
select
    events.circuit_id,
    metrics.grid_position,
    count(distinct metrics.event_id)::integer as count_starts,
    count(distinct metrics.event_id) filter (where metrics.position = 1)::integer as count_wins,
    count(distinct metrics.event_id) filter (where metrics.position <= 3)::integer as count_podiums,
    count(distinct metrics.event_id) filter (where metrics.is_dnf)::integer as count_dnfs,
    avg(metrics.position) as mean_position
from driver_race_metrics as metrics
inner join events using (event_id)
where metrics.is_starter and metrics.grid_position is not null
group by events.circuit_id, metrics.grid_position
order by events.circuit_id, metrics.grid_position
