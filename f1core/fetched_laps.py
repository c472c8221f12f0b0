"""Race and sprint laps of fetched timing sessions, in the columns of the lap archive."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl
import pyarrow as pa

from f1core.sources.bundle import Bundle, BundleMeta
from f1core.sources.laps import SCHEMA as LAP_SCHEMA
from warehouse.vocab import SessionKind


def added_laps(
    raw_laps: pa.Table,
    bundles: Sequence[Bundle],
    rounds: Mapping[str, int],
    cars: Collection[tuple[str, str, str]],
) -> tuple[pa.Table, list[str]]:
    """Race and sprint laps of fetched sessions that the lap archive does not have, in the archive's own columns.

    Args:
        raw_laps: The archive's laps.
        bundles: Fetched sessions.
        rounds: Round of each event: for the reader of an exported archive; nothing joins by it.
        cars: Event, session and car number of every line of a result: laps of other cars are left out.

    Returns:
        The laps, and what was left out.
    """
    there = set(
        pl.DataFrame(pl.from_arrow(raw_laps.select(["Season", "EventName", "Session"]))).unique().iter_rows()
    )
    parts, remarks = [], []
    for bundle in bundles:
        meta = bundle.meta
        mark = {SessionKind.RACE: "R", SessionKind.SPRINT: "S"}.get(meta.session)
        season = int(meta.event_id[:4])
        if mark is None or not bundle.has("laps") or (season, meta.event_name, mark) in there:
            continue
        laps = bundle.part("laps")
        known = [
            number
            for event, session, number in cars
            if (event, session) == (meta.event_id, meta.session.value)
        ]
        strangers = sorted(set(laps["car_number"]) - set(known))
        if strangers:
            remarks.append(
                f"{meta.event_id} {meta.session.value}: laps of cars without a result were left out: "
                f"{', '.join(strangers)}."
            )
        parts.append(
            _archive_laps(
                laps.filter(pl.col("car_number").is_in(known)),
                meta,
                season,
                mark,
                rounds.get(meta.event_id, 0),
            )
        )
    return (pa.concat_tables(parts) if parts else LAP_SCHEMA.empty_table()), remarks


_LAP_COLUMNS = {
    "Time": "lap_end_session_s",
    "Driver": "driver_code",
    "DriverNumber": "car_number",
    "Team": "team_name",
    "LapTime": "lap_time_s",
    "LapNumber": "lap_number",
    "Stint": "stint",
    "PitOutTime": "pit_out_session_s",
    "PitInTime": "pit_in_session_s",
    "Sector1Time": "sector_1_s",
    "Sector2Time": "sector_2_s",
    "Sector3Time": "sector_3_s",
    "Sector1SessionTime": "sector_1_session_s",
    "Sector2SessionTime": "sector_2_session_s",
    "Sector3SessionTime": "sector_3_session_s",
    "SpeedI1": "speed_i1_kph",
    "SpeedI2": "speed_i2_kph",
    "SpeedFL": "speed_finish_kph",
    "SpeedST": "speed_trap_kph",
    "TyreLife": "tyre_life_laps",
    "LapStartTime": "lap_start_session_s",
    "Position": "position",
    "Compound": "compound",
    "CompoundName": "compound",
    "TrackStatus": "track_status_codes",
    "DeletedReason": "deleted_reason",
    "IsPersonalBest": "is_personal_best",
    "FreshTyre": "is_fresh_tyre",
    "Deleted": "is_deleted",
    "FastF1Generated": "is_generated",
    "IsAccurate": "is_accurate",
}


def _archive_laps(
    laps: pl.DataFrame, meta: BundleMeta, season: int, mark: str, round_number: int
) -> pa.Table:
    unknown = pl.col("compound").fill_null("UNKNOWN").str.to_uppercase()
    rows = laps.filter(
        pl.col("lap_end_session_s").is_not_null() & pl.col("lap_number").is_not_null()
    ).with_columns(compound=unknown, is_fresh_tyre=pl.col("is_fresh_tyre").fill_null(False))
    named = rows.select(
        pl.lit(season).alias("Season"),
        pl.lit(round_number).alias("RoundNumber"),
        pl.lit(meta.event_name).alias("EventName"),
        pl.lit(mark).alias("Session"),
        *(pl.col(ours).alias(theirs) for theirs, ours in _LAP_COLUMNS.items()),
    )
    return named.select(LAP_SCHEMA.names).to_arrow().cast(LAP_SCHEMA)
