"""The lap archive: one parquet file per season with FastF1's ``Laps`` columns, and the compound nominations."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from f1core.sources.contract import RawFacts, fingerprint, parse_columns, require_columns, typed
from warehouse.errors import SourceError, SourceSchemaError

_FLOATS = (
    "Time LapTime LapNumber Stint PitOutTime PitInTime Sector1Time Sector2Time Sector3Time Sector1SessionTime "
    "Sector2SessionTime Sector3SessionTime SpeedI1 SpeedI2 SpeedFL SpeedST TyreLife LapStartTime Position"
)
SCHEMA = pa.schema(
    [("Season", pa.int32()), ("RoundNumber", pa.int32())]
    + [(name, pa.string()) for name in ("EventName", "Session", "Driver", "DriverNumber", "Team")]
    + [(name, pa.float64()) for name in _FLOATS.split()]
    + [(name, pa.string()) for name in ("Compound", "CompoundName", "TrackStatus", "DeletedReason")]
    + [
        (name, pa.bool_())
        for name in ("IsPersonalBest", "FreshTyre", "Deleted", "FastF1Generated", "IsAccurate")
    ]
)
NOMINATIONS = parse_columns("Season:int RoundNumber:int Hard Medium Soft")
GET_AGAIN = "Get the lap archive again; the previous warehouse stays in use."


def read(folder: Path) -> RawFacts:
    """Reads the seasons' lap files into ``laps__laps`` and the nominations into ``laps__nominations``.

    Raises:
        SourceError: A file is damaged.
        SourceSchemaError: A column is missing or of another type.
    """
    files = sorted(folder.glob("laps_*.parquet")) if folder.is_dir() else []
    remarks = () if files else (f"No lap files in {folder}: laps, stints and safety cars stay empty.",)
    tables = [_season(path) for path in files]
    fingerprints = {path.stem: fingerprint(path) for path in files}
    nominations = folder / "compound_nominations.csv"
    if nominations.is_file():
        try:
            frame = pl.read_csv(nominations, infer_schema=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise SourceError(
                f"{nominations} cannot be read as CSV: {str(error).splitlines()[0]}", hint=GET_AGAIN
            ) from error
        nominated = typed(nominations.name, frame, NOMINATIONS)
        fingerprints["nominations"] = fingerprint(nominations)
    else:
        nominated = typed(
            nominations.name, pl.DataFrame(schema=dict.fromkeys(NOMINATIONS, pl.String)), NOMINATIONS
        )
    laps = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
    return RawFacts({"laps__laps": laps, "laps__nominations": nominated.to_arrow()}, fingerprints, remarks)


def _season(path: Path) -> pa.Table:
    try:
        present = pq.read_schema(path)
        require_columns(path.name, present.names, dict.fromkeys(SCHEMA.names, ""))
        table = pq.read_table(path, columns=SCHEMA.names).select(SCHEMA.names)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(
            f"{path} is damaged or truncated ({str(error).splitlines()[0]}).", hint=GET_AGAIN
        ) from error
    try:
        return table.cast(SCHEMA)
    except pa.ArrowException as error:
        raise SourceSchemaError(f"{path.name}: a column has another type: {error}", hint=GET_AGAIN) from error
