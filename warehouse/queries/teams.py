"""Reads of teams as analysts know them: car pace and how it develops, pit stops, strategy, reliability."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from warehouse.queries.samples import is_small, wilson
from warehouse.reader import Reader

_DNFS = "sum(count_mechanical_dnfs + count_accident_dnfs + count_other_dnfs)"
_LOW, _HIGH = wilson("sum(count_mechanical_dnfs)", "sum(count_starters)")
_MEASURES = f"""
    count(*)::integer as count_races,
    sum(count_starters)::integer as count_starters,
    count(*) filter (where best_position = 1)::integer as count_wins,
    sum(points) + sum(sprint_points) as points,
    avg(points) as points_per_race,
    min(best_position) as best_position,
    count(qualifying_gap_pct)::integer as count_qualifyings,
    median(qualifying_gap_pct) as qualifying_gap_pct,
    avg(qualifying_rank) as mean_qualifying_rank,
    count(race_pace_gap_pct)::integer as count_pace_races,
    median(race_pace_gap_pct) as race_pace_gap_pct,
    avg(race_pace_rank) as mean_race_pace_rank,
    sum(count_stops)::integer as count_stops,
    sum(pit_time_vs_field_s * count_stops) / nullif(sum(count_stops) filter (where pit_time_vs_field_s is not null), 0)
        as pit_time_vs_field_s,
    sum(count_slow_stops)::integer as count_slow_stops,
    sum(count_slow_stops) / nullif(sum(count_stops), 0)::double as slow_stop_rate,
    sum(count_strategy_cars)::integer as count_strategy_cars,
    sum(pit_places_gained) / nullif(sum(count_strategy_cars), 0)::double as pit_places_gained,
    {_DNFS}::integer as count_dnfs,
    sum(count_mechanical_dnfs)::integer as count_mechanical_dnfs,
    sum(count_accident_dnfs)::integer as count_accident_dnfs,
    {_DNFS} / sum(count_starters)::double as dnf_rate,
    1 - sum(count_mechanical_dnfs) / sum(count_starters)::double as reliability,
    1 - {_HIGH} as reliability_low,
    1 - {_LOW} as reliability_high,
    sum(elo_change) as elo_change,
    count(*) filter (where is_wet)::integer as count_wet_races,
    {is_small("count(*)")} as is_small_sample
"""


def _aggregate(
    reader: Reader,
    keys: str,
    *,
    constructors: Sequence[str] | None = None,
    from_season: int | None = None,
    to_season: int | None = None,
) -> pl.DataFrame:
    return reader.query(
        f"""
        with grouped as (
            select {keys}, {_MEASURES}
            from team_race_metrics
            where ($constructors is null or list_contains($constructors, constructor_id))
                and ($from_season is null or season >= $from_season) and ($to_season is null or season <= $to_season)
            group by {keys}
        )
        select grouped.*, constructors.constructor_name
        from grouped
        inner join constructors using (constructor_id)
        order by {keys}
        """,
        {
            "constructors": None if constructors is None else list(constructors),
            "from_season": from_season,
            "to_season": to_season,
        },
    )


def season_teams(reader: Reader, season: int) -> pl.DataFrame:
    """Who entered starters in a season, by place in the championship.

    Returns:
        ``constructor_id, constructor_name, count_races, standing`` (best of its engines; null without a championship or
        where excluded), ``points`` (of the championship; null without one).
    """
    return reader.query(
        """
        with raced as (
            select constructor_id, count(*)::integer as count_races
            from team_race_metrics where season = $season
            group by constructor_id
        ),
        last_table as (
            select * from constructor_standings where season = $season qualify known_at = max(known_at) over ()
        ),
        standings as (
            select constructor_id, min(position) as standing, max(points) as points
            from last_table
            group by constructor_id
        )
        select constructor_id, constructors.constructor_name, count_races, standing, standings.points
        from raced
        inner join constructors using (constructor_id)
        left join standings using (constructor_id)
        order by standing nulls last, standings.points desc nulls last, constructor_id
        """,
        {"season": season},
    )


def team_season_metrics(reader: Reader, season: int) -> pl.DataFrame:
    """Every team's figures of a season, one row per constructor, by constructor.

    Returns:
        ``constructor_id, constructor_name``; ``count_races`` and what they brought; each further figure with the count it
        is of; ``is_small_sample``. What a figure is stands in :mod:`f1core.definitions`. ``reliability`` is the share of
        starts that did not end by the car's failure, with its 95 % Wilson interval. Figures from laps are null before 2018.
    """
    return _aggregate(reader, "constructor_id", from_season=season, to_season=season)


def team_history(reader: Reader, constructor_id: str) -> pl.DataFrame:
    """A team's seasons under this name, oldest first: as :func:`team_season_metrics` with ``season``."""
    return _aggregate(reader, "season, constructor_id", constructors=[constructor_id])


def compare_teams(
    reader: Reader,
    constructor_ids: Sequence[str],
    *,
    from_season: int | None = None,
    to_season: int | None = None,
) -> pl.DataFrame:
    """Some teams' figures over the same span of seasons, one row per team: as :func:`team_season_metrics`."""
    return _aggregate(
        reader, "constructor_id", constructors=constructor_ids, from_season=from_season, to_season=to_season
    )


def team_races(reader: Reader, constructor_ids: Sequence[str], season: int | None = None) -> pl.DataFrame:
    """Races of some teams, oldest first: the development line of their cars.

    Returns:
        ``team_race_metrics`` plus ``round, grand_prix_name, circuit_id, race_date, constructor_name`` and the running
        means ``qualifying_gap_rolling_pct`` and ``race_pace_gap_rolling_pct`` of the last five races of the team in the
        season (fewer at its start), with ``count_rolling`` races that the latter is of.
    """
    return reader.query(
        """
        select
            metrics.*, events.round, events.grand_prix_name, events.circuit_id, events.race_date,
            constructors.constructor_name,
            avg(qualifying_gap_pct) over lately as qualifying_gap_rolling_pct,
            avg(race_pace_gap_pct) over lately as race_pace_gap_rolling_pct,
            (count(race_pace_gap_pct) over lately)::integer as count_rolling
        from team_race_metrics as metrics
        inner join events using (event_id)
        inner join constructors on constructors.constructor_id = metrics.constructor_id
        where list_contains($constructors, metrics.constructor_id) and ($season is null or metrics.season = $season)
        window lately as (
            partition by metrics.constructor_id, metrics.season order by metrics.known_at, metrics.event_id
            rows between 4 preceding and current row
        )
        order by metrics.known_at, metrics.event_id, metrics.constructor_id
        """,
        {"constructors": list(constructor_ids), "season": season},
    )


def season_team_races(reader: Reader, season: int) -> pl.DataFrame:
    """Races of all teams of a season: as :func:`team_races`."""
    return team_races(reader, season_teams(reader, season)["constructor_id"].to_list(), season)


def team_drivers(reader: Reader, constructor_id: str) -> pl.DataFrame:
    """Who started for a team, by season and number of starts.

    Returns:
        ``season, driver_id, driver_name, last_name, driver_code, count_races, points`` (sprints included),
        ``best_position``, newest season first.
    """
    return reader.query(
        """
        select
            season, driver_id, drivers.driver_name, drivers.last_name, drivers.driver_code,
            count(*)::integer as count_races, sum(points + sprint_points) as points, min(position) as best_position
        from driver_race_metrics
        inner join drivers using (driver_id)
        where constructor_id = $constructor and is_starter
        group by all
        order by season desc, count_races desc, driver_id
        """,
        {"constructor": constructor_id},
    )


def team_lineage(reader: Reader, constructor_id: str) -> pl.DataFrame:
    """Names the same team raced under, in order of time.

    Returns:
        ``constructor_id, constructor_name, season_from, season_to`` (null when current); empty without a predecessor or
        successor.
    """
    return reader.query(
        """
        select lineage.member_constructor_id as constructor_id, constructor_name, season_from, season_to
        from constructor_lineage as lineage
        inner join constructors on constructors.constructor_id = lineage.member_constructor_id
        where lineage.constructor_id = $constructor
        order by member_order
        """,
        {"constructor": constructor_id},
    )
