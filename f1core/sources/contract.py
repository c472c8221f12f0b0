"""What every source of facts gives: typed raw tables in its own dialect, with a fingerprint."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa

from warehouse.errors import SourceSchemaError

EXAMPLES = 3
_POLARS_TYPES: dict[str, pl.DataType] = {
    "int": pl.Int32(),
    "float": pl.Float64(),
    "date": pl.Date(),
}
# A lap or race time as results write it, `1:30:17.345`, `1:15.096`, `+2.256`, `58.2`; or a distance behind, `+1 lap`.
_TIME_PATTERN = r"^\+?((\d+:)?\d{1,3}:)?\d+(\.\d+)?s?$|^\+\d+ laps?$"
_CLOCK_PATTERN = r"^\d{2}:\d{2}$"


@dataclass(frozen=True)
class RawFacts:
    """Raw tables of one or several sources.

    Attributes:
        tables: Typed rows by name, e.g. ``f1db__races``; columns are named as in the source.
        fingerprints: Content hash of every file they were read from.
        remarks: What a reader should know (a part that is missing, a file that was passed over).
    """

    tables: Mapping[str, pa.Table]
    fingerprints: Mapping[str, str]
    remarks: tuple[str, ...] = field(default=())


def fingerprint(path: Path) -> str:
    """Content hash of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def parse_columns(declaration: str) -> dict[str, str]:
    """Reads ``"id:int name date:date"`` into column kinds; a bare name is text."""
    found = {}
    for part in declaration.split():
        name, _, kind = part.partition(":")
        found[name] = kind or "text"
    return found


def require_columns(file: str, present: list[str], wanted: Mapping[str, str]) -> None:
    """Refuses a file that lacks a column.

    Raises:
        SourceSchemaError: Naming the file, the column, and the most similar column that is there.
    """
    missing = [name for name in wanted if name not in present]
    if not missing:
        return
    spare = [name for name in present if name not in wanted]
    words = []
    for name in missing:
        similar = difflib.get_close_matches(name, spare, n=1, cutoff=0.5)
        words.append(f"'{name}'" + (f" (is it '{similar[0]}' now?)" if similar else ""))
    raise SourceSchemaError(
        f"{file}: column {', '.join(words)} is missing.",
        hint="The source changed its format or the file is damaged; get the archive again. Nothing was written.",
    )


def typed(file: str, frame: pl.DataFrame, kinds: Mapping[str, str], *, first_line: int = 2) -> pl.DataFrame:
    """Casts text columns to their declared kinds, refusing values that do not fit.

    Args:
        file: Name of the file, for the message.
        frame: All columns as text.
        kinds: Column kinds: text, int, float, bool, date, clock (``HH:MM``), laptime (checked, kept as text).
        first_line: Line of the file in which the first row stands.

    Raises:
        SourceSchemaError: Naming file, line, column and value.
    """
    require_columns(file, frame.columns, kinds)
    out: list[pl.Series] = []
    for name, kind in kinds.items():
        raw = frame[name]
        if kind == "text":
            out.append(raw)
            continue
        if kind in _POLARS_TYPES:
            cast = (
                raw.cast(_POLARS_TYPES[kind], strict=False)
                if kind != "date"
                else raw.str.to_date(strict=False)
            )
            bad = raw.is_not_null() & cast.is_null()
        elif kind == "bool":
            cast = raw == "true"
            bad = raw.is_not_null() & ~raw.is_in(["true", "false"])
        elif kind in ("laptime", "clock"):
            cast = raw
            bad = ~raw.str.contains(_TIME_PATTERN if kind == "laptime" else _CLOCK_PATTERN).fill_null(True)
        else:
            raise ValueError(f"unknown kind {kind}")
        if bad.any():
            rows = bad.arg_true().to_list()
            shown = ", ".join(f"line {row + first_line}: {raw[row]!r}" for row in rows[:EXAMPLES])
            raise SourceSchemaError(
                f"{file}: column '{name}' should hold {_words(kind)}, but {len(rows)} row(s) do not ({shown}).",
                hint="Correct the line or get the archive again. Nothing was written.",
            )
        out.append(cast.alias(name))
    return pl.DataFrame(out)


def _words(kind: str) -> str:
    return {
        "int": "whole numbers",
        "float": "numbers",
        "bool": "true or false",
        "date": "dates (YYYY-MM-DD)",
        "clock": "times of day (HH:MM)",
        "laptime": "lap or race times (1:30:17.345)",
    }[kind]
