"""Reads from which it is foretold where a car comes out of the pits."""

from __future__ import annotations

import polars as pl

from warehouse.reader import Reader


def circuit_race_laps(reader: Reader, circuit_id: str, first: int, last: int) -> pl.DataFrame:
    """Laps of the races on a circuit in some seasons, by event, car and lap.

    Args:
        reader: The warehouse.
        circuit_id: The circuit.
        first: First season.
        last: Last season.

    Returns:
        The columns of :data:`models.strategy.race_clock.COLUMNS`, and ``lap_number_note`` and ``is_after_result``.
    """
    return reader.query(
        """
        select laps.event_id, laps.season, events.circuit_id, laps.driver_id, laps.car_number, laps.lap_number,
            laps.lap_number_note, laps.lap_time_s, laps.lap_end_session_s, laps.compound, laps.tyre_life_laps,
            laps.is_in_lap, laps.is_out_lap, laps.is_green, laps.is_after_result, laps.known_at
        from laps
        inner join events using (event_id)
        where laps.session = 'race' and laps.season between $first and $last and events.circuit_id = $circuit_id
        order by laps.event_id, laps.car_number, laps.lap_number
        """,
        {"circuit_id": circuit_id, "first": first, "last": last},
    )
