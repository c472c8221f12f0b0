"""Reads of everything that has a page: drivers, teams, circuits, races, with every name they go by."""

from __future__ import annotations

import polars as pl

from warehouse.reader import Reader


def findable(reader: Reader) -> pl.DataFrame:
    """Every driver and team that raced, every circuit and every race of the calendar.

    Returns:
        ``kind`` (driver, team, circuit or race), ``id, label, names`` (other names, with blanks between),
        ``newest_season`` (the last one it was seen in).
    """
    return reader.query(
        """
        with seen as (
            select driver_id, constructor_id, season from race_results where session = 'race'
        )

        select 'driver' as kind, driver_id as id, any_value(driver_name) as label,
            concat_ws(' ', any_value(first_name), any_value(last_name), any_value(driver_code)) as names,
            max(season)::integer as newest_season
        from seen inner join drivers using (driver_id)
        group by driver_id
        union all
        select 'team', constructor_id, any_value(constructor_name), any_value(constructors.full_name),
            max(season)::integer
        from seen inner join constructors using (constructor_id)
        group by constructor_id
        union all
        select 'circuit', circuit_id, any_value(circuit_name),
            concat_ws(' ', any_value(circuits.full_name), any_value(place_name), any_value(country_name),
                any_value(replace(previous_names, ';', ' '))),
            max(season)::integer
        from events inner join circuits using (circuit_id)
        group by circuit_id
        union all
        select 'race', event_id, grands_prix.full_name || ' ' || season,
            concat_ws(' ', events.grand_prix_name, circuits.circuit_name, circuits.place_name, circuits.country_name),
            season::integer
        from events
        inner join grands_prix using (grand_prix_id)
        inner join circuits using (circuit_id)
        """
    )


def current_people(reader: Reader) -> dict[str, str]:
    """Names of the drivers and teams of the newest season with a result, by id: drivers first, each by name."""
    rows = reader.query(
        """
        with newest as (
            select distinct driver_id, constructor_id
            from race_results
            where session = 'race' and season = (select max(season) from race_results where session = 'race')
        )

        select 1 as kind, driver_id as id, driver_name as name from newest inner join drivers using (driver_id)
        union
        select 2, constructor_id, constructor_name from newest inner join constructors using (constructor_id)
        order by 1, 3
        """
    )
    return dict(rows.select("id", "name").iter_rows())
