"""Reads of drivers as analysts know them: a season's figures, a career, a circuit record, two to four beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from warehouse.queries.samples import is_small, wilson
from warehouse.reader import Reader

_DNF_LOW, _DNF_HIGH = wilson("count(*) filter (where is_dnf)", "count(*)")
_MEASURES = f"""
    count(*)::integer as count_races,
    count(*) filter (where position = 1)::integer as count_wins,
    count(*) filter (where position <= 3)::integer as count_podiums,
    count(*) filter (where grid_position = 1)::integer as count_poles,
    count(*) filter (where points > 0)::integer as count_points_finishes,
    avg(points) as points_per_race,
    avg(grid_position) as mean_grid_position,
    avg(position) as mean_position,
    count(position)::integer as count_classified,
    count(*) filter (where is_dnf)::integer as count_dnfs,
    count(*) filter (where dnf_cause = 'mechanical')::integer as count_mechanical_dnfs,
    count(*) filter (where dnf_cause = 'accident')::integer as count_accident_dnfs,
    avg(is_dnf::integer) as dnf_rate,
    {_DNF_LOW} as dnf_low,
    {_DNF_HIGH} as dnf_high,
    count(race_pace_pct)::integer as count_pace_races,
    median(race_pace_pct) as race_pace_pct,
    count(race_pace_gap_teammate_pct)::integer as count_pace_duels,
    median(race_pace_gap_teammate_pct) as race_pace_gap_teammate_pct,
    count(is_ahead_in_race)::integer as count_race_duels,
    count(*) filter (where is_ahead_in_race)::integer as count_race_duels_won,
    count(consistency_pct)::integer as count_consistency_races,
    avg(consistency_pct) as consistency_pct,
    avg(consistency_vs_field_pct) as consistency_vs_field_pct,
    count(tyre_wear_vs_field_pct)::integer as count_wear_races,
    sum(tyre_wear_vs_field_pct / tyre_wear_error_pct ** 2) / sum(1 / tyre_wear_error_pct ** 2)
        as tyre_wear_vs_field_pct,
    1 / sqrt(sum(1 / tyre_wear_error_pct ** 2)) as tyre_wear_error_pct,
    count(overtakes_made)::integer as count_overtaking_races,
    sum(overtakes_made)::integer as overtakes_made,
    sum(overtakes_suffered)::integer as overtakes_suffered,
    avg(overtakes_made) as overtakes_made_per_race,
    avg(overtakes_suffered) as overtakes_suffered_per_race,
    count(start_gain_places)::integer as count_timed_starts,
    avg(start_gain_places) as start_gain_places,
    count(pit_places_gained)::integer as count_strategy_races,
    avg(pit_places_gained) as pit_places_gained,
    avg(count_pit_stops) as pit_stops_per_race,
    sum(elo_change) as elo_change,
    count(*) filter (where is_wet)::integer as count_wet_races,
    count(*) filter (where not is_wet)::integer as count_dry_races,
    avg(elo_change) filter (where is_wet) as wet_elo_change,
    avg(elo_change) filter (where not is_wet) as dry_elo_change,
    avg(elo_change) filter (where is_wet) - avg(elo_change) filter (where not is_wet) as wet_skill,
    {is_small("count(*)")} as is_small_sample,
    {is_small("count(*) filter (where is_wet)")} as is_small_wet_sample
"""
_WEEKENDS = f"""
    sum(points) + sum(sprint_points) as points,
    count(qualifying_gap_teammate_pct)::integer as count_qualifying_gaps,
    median(qualifying_gap_teammate_pct) as qualifying_gap_teammate_pct,
    count(qualifying_gap_pct)::integer as count_qualifyings,
    median(qualifying_gap_pct) as qualifying_gap_pct,
    count(is_ahead_in_qualifying)::integer as count_qualifying_duels,
    count(*) filter (where is_ahead_in_qualifying)::integer as count_qualifying_duels_won,
    {is_small("count(qualifying_gap_teammate_pct)")} as is_small_qualifying_sample
"""
_SCOPE = (
    "($drivers is null or list_contains($drivers, driver_id)) "
    "and ($from_season is null or season >= $from_season) and ($to_season is null or season <= $to_season)"
)


def _aggregate(
    reader: Reader,
    keys: str,
    *,
    drivers: Sequence[str] | None = None,
    from_season: int | None = None,
    to_season: int | None = None,
) -> pl.DataFrame:
    """Metrics of drivers, grouped. Qualifying and points count where the start was missed too, the rest counts starts."""
    return reader.query(
        f"""
        with scope as materialized (
            select * from driver_race_metrics where {_SCOPE}
        ),
        raced as (
            select
                {keys}, {_MEASURES},
                arg_max(constructor_id, known_at) as constructor_id,
                string_agg(distinct constructor_id, ',' order by constructor_id) as constructor_ids
            from scope where is_starter group by {keys}
        ),
        qualified as (
            select {keys}, {_WEEKENDS} from scope group by {keys}
        )
        select
            raced.*, qualified.* exclude ({keys}),
            drivers.driver_name, drivers.last_name, drivers.driver_code, constructors.constructor_name
        from raced
        inner join qualified using ({keys})
        inner join drivers using (driver_id)
        inner join constructors on constructors.constructor_id = raced.constructor_id
        order by {keys}
        """,
        {
            "drivers": None if drivers is None else list(drivers),
            "from_season": from_season,
            "to_season": to_season,
        },
    )


def raced_seasons(reader: Reader) -> list[int]:
    """Seasons with at least one race held, newest first."""
    return reader.query("select distinct season from driver_race_metrics where is_starter order by 1 desc")[
        "season"
    ].to_list()


def season_drivers(reader: Reader, season: int) -> pl.DataFrame:
    """Who started in a season, by place in the championship.

    Returns:
        ``driver_id, driver_name, last_name, driver_code, constructor_id`` (of the last start), ``constructor_name,
        count_races, standing`` (place in the championship; null where excluded), ``points, car_order`` (0, 1 … within the
        team: its dash, see :mod:`f1core.team_colours`).
    """
    return reader.query(
        """
        with raced as (
            select driver_id, arg_max(constructor_id, known_at) as constructor_id, count(*)::integer as count_races
            from driver_race_metrics where season = $season and is_starter
            group by driver_id
        ),
        standings as (
            select driver_id, position as standing, points
            from driver_standings
            where season = $season
            qualify known_at = max(known_at) over ()
        )
        select
            driver_id, drivers.driver_name, drivers.last_name, drivers.driver_code,
            constructor_id, constructors.constructor_name,
            count_races, standing, coalesce(standings.points, 0.0) as points,
            (row_number() over (partition by constructor_id order by count_races desc, driver_id) - 1)::integer as car_order
        from raced
        inner join drivers using (driver_id)
        inner join constructors using (constructor_id)
        left join standings using (driver_id)
        order by standing nulls last, points desc, driver_id
        """,
        {"season": season},
    )


def driver_season_metrics(reader: Reader, season: int) -> pl.DataFrame:
    """Every starter's figures of a season; one row per driver, by driver.

    Returns:
        ``driver_id, driver_name, last_name, driver_code, constructor_id`` (of the last start), ``constructor_ids`` (all,
        joined by commas), ``constructor_name``; ``count_races`` (starts) and what they brought; each further figure with
        the count it is of. What a figure is stands in :mod:`f1core.definitions`. ``is_small_sample`` (of races),
        ``is_small_qualifying_sample``, ``is_small_wet_sample``. Figures made from laps are null before 2018.
    """
    return _aggregate(reader, "driver_id", from_season=season, to_season=season)


def driver_career(reader: Reader, driver_id: str) -> pl.DataFrame:
    """A driver's seasons, oldest first: as :func:`driver_season_metrics` with ``season``."""
    return _aggregate(reader, "season, driver_id", drivers=[driver_id])


def compare_drivers(
    reader: Reader,
    driver_ids: Sequence[str],
    *,
    from_season: int | None = None,
    to_season: int | None = None,
) -> pl.DataFrame:
    """Some drivers' figures over the same span of seasons, one row per driver that started in it, by driver.

    Args:
        reader: The warehouse.
        driver_ids: Two to four drivers; fewer or more are answered too.
        from_season: First season; None for the whole career.
        to_season: Last season; None for all.

    Returns:
        As :func:`driver_season_metrics`.
    """
    return _aggregate(reader, "driver_id", drivers=driver_ids, from_season=from_season, to_season=to_season)


def driver_races(
    reader: Reader, driver_id: str, season: int | None = None, *, last: int | None = None
) -> pl.DataFrame:
    """A driver's races, oldest first: rows of ``driver_race_metrics`` with names of event, circuit, team and team mate.

    Args:
        reader: The warehouse.
        driver_id: The driver.
        season: Only this season; None for all.
        last: Only the last so many; None for all.

    Returns:
        The table's columns plus ``round, grand_prix_name, circuit_id, circuit_name, race_date, constructor_name,
        teammate_name``.
    """
    rows = reader.query(
        """
        select
            metrics.*, events.round, events.grand_prix_name, events.circuit_id, circuits.circuit_name, events.race_date,
            constructors.constructor_name, mates.driver_name as teammate_name
        from driver_race_metrics as metrics
        inner join events using (event_id)
        inner join circuits on circuits.circuit_id = events.circuit_id
        inner join constructors on constructors.constructor_id = metrics.constructor_id
        left join drivers as mates on mates.driver_id = metrics.teammate_driver_id
        where metrics.driver_id = $driver and ($season is null or metrics.season = $season)
        order by metrics.known_at, metrics.event_id
        """,
        {"driver": driver_id, "season": season},
    )
    return rows if last is None else rows.tail(last)


def driver_circuits(reader: Reader, driver_id: str) -> pl.DataFrame:
    """A driver's record at every circuit he started at, most starts first.

    Returns:
        ``circuit_id, circuit_name, count_races, count_wins, count_podiums, count_poles, count_dnfs, count_classified,
        best_position, mean_position, mean_grid_position, points_per_race, elo_change`` (mean a race), ``last_season,
        is_small_sample``.
    """
    return reader.query(
        f"""
        select
            events.circuit_id,
            any_value(circuits.circuit_name) as circuit_name,
            count(*)::integer as count_races,
            count(*) filter (where position = 1)::integer as count_wins,
            count(*) filter (where position <= 3)::integer as count_podiums,
            count(*) filter (where grid_position = 1)::integer as count_poles,
            count(*) filter (where is_dnf)::integer as count_dnfs,
            count(position)::integer as count_classified,
            min(position) as best_position,
            avg(position) as mean_position,
            avg(grid_position) as mean_grid_position,
            avg(points) as points_per_race,
            avg(elo_change) as elo_change,
            max(metrics.season) as last_season,
            {is_small("count(*)")} as is_small_sample
        from driver_race_metrics as metrics
        inner join events using (event_id)
        inner join circuits on circuits.circuit_id = events.circuit_id
        where metrics.driver_id = $driver and metrics.is_starter
        group by events.circuit_id
        order by count_races desc, mean_position, events.circuit_id
        """,
        {"driver": driver_id},
    )


def driver_duels(
    reader: Reader, one: str, other: str, *, from_season: int | None = None, to_season: int | None = None
) -> pl.DataFrame:
    """Two drivers in the events both took part in: one row, whether or not they shared a team.

    Returns:
        ``count_events``; ``count_qualifying, count_qualifying_won`` (by classification); ``count_races`` (both classified),
        ``count_races_won``; ``count_pace, race_pace_gap_pct`` (median of one less other, negative is faster);
        ``points_one, points_other`` (sprints included); ``is_small_sample``. Won counts are those of ``one``.
    """
    return reader.query(
        f"""
        select
            count(*)::integer as count_events,
            count(one.qualifying_position + other.qualifying_position)::integer as count_qualifying,
            count(*) filter (where one.qualifying_position < other.qualifying_position)::integer as count_qualifying_won,
            count(one.position + other.position)::integer as count_races,
            count(*) filter (where one.position < other.position)::integer as count_races_won,
            count(one.race_pace_pct - other.race_pace_pct)::integer as count_pace,
            median(one.race_pace_pct - other.race_pace_pct) as race_pace_gap_pct,
            coalesce(sum(one.points + one.sprint_points), 0.0) as points_one,
            coalesce(sum(other.points + other.sprint_points), 0.0) as points_other,
            {is_small("count(*)")} as is_small_sample
        from driver_race_metrics as one
        inner join driver_race_metrics as other using (event_id)
        where one.driver_id = $one and other.driver_id = $other
            and ($from_season is null or one.season >= $from_season) and ($to_season is null or one.season <= $to_season)
        """,
        {"one": one, "other": other, "from_season": from_season, "to_season": to_season},
    )
