"""Reads of circuits: what a place is like, who won there, and from where."""

from __future__ import annotations

import polars as pl

from warehouse.queries.samples import is_small, wilson
from warehouse.reader import Reader


def circuit_list(reader: Reader) -> pl.DataFrame:
    """Every circuit that held a race or is on the calendar, those on the newest calendar first.

    Returns:
        ``circuit_id, circuit_name, full_name, place_name, country_name, circuit_type, count_races, first_season,
        last_season`` (of races held; null without one), ``next_event_id`` (its first event of the newest season that is
        still to be raced), ``is_current`` (on the newest season's calendar).
    """
    return reader.query(
        """
        with current as (
            select
                circuit_id,
                arg_min(event_id, race_date) filter (where status = 'scheduled') as next_event_id
            from events where season = (select max(season) from events)
            group by circuit_id
        )
        select
            circuits.circuit_id, circuits.circuit_name, circuits.full_name, circuits.place_name, circuits.country_name,
            circuits.circuit_type, coalesce(profiles.count_races, 0) as count_races, profiles.first_season,
            profiles.last_season, current.next_event_id, current.circuit_id is not null as is_current
        from circuits
        left join circuit_profiles as profiles using (circuit_id)
        left join current using (circuit_id)
        where profiles.circuit_id is not null or current.circuit_id is not null
        order by is_current desc, circuits.circuit_name, circuits.circuit_id
        """
    )


def circuit_profile(reader: Reader, circuit_id: str) -> pl.DataFrame:
    """A circuit and its profile: one row; none for an unknown circuit.

    Returns:
        ``circuits`` and ``circuit_profiles`` together; figures are null where the circuit has not held a (timed) race;
        ``is_small_sample`` (under five timed races), ``is_small_history`` (under five races at all).
    """
    return _profiles(reader, circuit_id)


def circuit_profiles(reader: Reader) -> pl.DataFrame:
    """Every circuit with its profile, as :func:`circuit_profile`, by name: for comparing one with the others."""
    return _profiles(reader, None)


def _profiles(reader: Reader, circuit_id: str | None) -> pl.DataFrame:
    return reader.query(
        f"""
        select
            circuits.*,
            profiles.* exclude (circuit_id),
            {is_small("profiles.count_timed_races")} as is_small_sample,
            {is_small("profiles.count_races")} as is_small_history
        from circuits
        left join circuit_profiles as profiles using (circuit_id)
        where $circuit is null or circuits.circuit_id = $circuit
        order by circuits.circuit_name, circuits.circuit_id
        """,
        {"circuit": circuit_id},
    )


def grid_wins(reader: Reader, circuit_id: str, from_season: int | None = None) -> pl.DataFrame:
    """Results by slot of the starting grid at a circuit, first slot first.

    Args:
        reader: The warehouse.
        circuit_id: The circuit.
        from_season: Leave out earlier seasons; None counts all (the table ``circuit_grid_wins``).

    Returns:
        ``grid_position, count_starts, count_wins, count_podiums, count_dnfs, mean_position, win_rate, win_low, win_high``
        (95 % Wilson interval), ``is_small_sample``.
    """
    low, high = wilson("count_wins", "count_starts")
    columns = (
        "grid_position, count_starts, count_wins, count_podiums, count_dnfs, mean_position, "
        f"count_wins / count_starts::double as win_rate, {low} as win_low, {high} as win_high, "
        f"{is_small('count_starts')} as is_small_sample"
    )
    if from_season is None:
        return reader.query(
            f"select {columns} from circuit_grid_wins where circuit_id = $circuit order by grid_position",
            {"circuit": circuit_id},
        )
    return reader.query(
        f"""
        with counted as (
            select
                grid_position,
                count(*)::integer as count_starts,
                count(*) filter (where position = 1)::integer as count_wins,
                count(*) filter (where position <= 3)::integer as count_podiums,
                count(*) filter (where is_dnf)::integer as count_dnfs,
                avg(position) as mean_position
            from driver_race_metrics
            inner join events using (event_id)
            where events.circuit_id = $circuit and events.season >= $season and is_starter and grid_position is not null
            group by grid_position
        )
        select {columns} from counted order by grid_position
        """,
        {"circuit": circuit_id, "season": from_season},
    )


def previous_winners(reader: Reader, circuit_id: str, limit: int | None = None) -> pl.DataFrame:
    """Who won at a circuit, newest first.

    Returns:
        ``event_id, season, grand_prix_name, race_date, driver_id, driver_name, constructor_id, constructor_name,
        grid_position, layout_id, winner_time_s, pole_driver_id, pole_driver_name`` (who started first), ``is_wet,
        count_safety_cars, count_red_flags, overtakes`` (the last four null without lap timing). Of shared cars the first
        line counts.
    """
    rows = reader.query(
        """
        with overtaking as (
            select event_id, sum(overtakes_made)::integer as overtakes from driver_race_metrics group by event_id
        ),
        poles as (
            select event_id, min(driver_id) as pole_driver_id
            from driver_race_metrics where grid_position = 1 and is_starter
            group by event_id
        )
        select
            events.event_id, events.season, events.grand_prix_name, events.race_date,
            results.driver_id, drivers.driver_name, results.constructor_id, constructors.constructor_name,
            results.grid_position, events.layout_id, summaries.winner_time_s,
            poles.pole_driver_id, starters.driver_name as pole_driver_name,
            summaries.is_wet, summaries.count_safety_cars, summaries.count_red_flags, overtaking.overtakes
        from events
        inner join session_summaries as summaries
            on summaries.event_id = events.event_id and summaries.session = 'race'
        inner join driver_race_metrics as results
            on results.event_id = events.event_id and results.driver_id = summaries.winner_driver_id
        inner join drivers on drivers.driver_id = results.driver_id
        inner join constructors on constructors.constructor_id = results.constructor_id
        left join overtaking on overtaking.event_id = events.event_id
        left join poles on poles.event_id = events.event_id
        left join drivers as starters on starters.driver_id = poles.pole_driver_id
        where events.circuit_id = $circuit
        order by events.race_date desc, events.event_id
        """,
        {"circuit": circuit_id},
    )
    return rows if limit is None else rows.head(limit)


def most_wins(reader: Reader, circuit_id: str, who: str = "driver") -> pl.DataFrame:
    """Who won most often at a circuit.

    Args:
        reader: The warehouse.
        circuit_id: The circuit.
        who: ``driver`` or ``constructor``.

    Returns:
        ``entity_id, name, count_wins, count_podiums, count_races, last_win``, most wins first; winners only.

    Raises:
        ValueError: ``who`` is neither.
    """
    if who not in ("driver", "constructor"):
        raise ValueError(f"cannot count wins of {who!r}")
    return reader.query(
        f"""
        select
            metrics.{who}_id as entity_id,
            any_value(named.{who}_name) as name,
            count(*) filter (where position = 1)::integer as count_wins,
            count(*) filter (where position <= 3)::integer as count_podiums,
            count(distinct metrics.event_id)::integer as count_races,
            max(metrics.season) filter (where position = 1) as last_win
        from driver_race_metrics as metrics
        inner join events using (event_id)
        inner join {who}s as named on named.{who}_id = metrics.{who}_id
        where events.circuit_id = $circuit and metrics.is_starter
        group by metrics.{who}_id
        having count_wins > 0
        order by count_wins desc, last_win desc, entity_id
        """,
        {"circuit": circuit_id},
    )


def circuit_layouts(reader: Reader, circuit_id: str) -> pl.DataFrame:
    """Layouts of a circuit with the seasons each was raced, newest first.

    Returns:
        ``layout_id, length_km, turns, is_in_effect, count_races`` (held), ``first_season, last_season`` (null where the
        source does not say which races it held).
    """
    return reader.query(
        """
        select
            layouts.layout_id, layouts.length_km, layouts.turns, layouts.is_in_effect,
            count(events.event_id)::integer as count_races,
            min(events.season) as first_season, max(events.season) as last_season
        from circuit_layouts as layouts
        left join events on events.layout_id = layouts.layout_id and events.status = 'held'
        where layouts.circuit_id = $circuit
        group by all
        order by last_season desc nulls last, first_season desc nulls last, layouts.layout_id desc
        """,
        {"circuit": circuit_id},
    )
