"""The result of a fetched timing session in the warehouse's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa

from f1core.identity import match_cars
from f1core.sources.bundle import Bundle
from warehouse.vocab import PRACTICES, ResultStatus, SessionKind

QUALIFYINGS = (SessionKind.QUALIFYING, SessionKind.SPRINT_QUALIFYING)
RACES = (SessionKind.RACE, SessionKind.SPRINT)
LINES = {
    "event_id": pl.String(),
    "session": pl.String(),
    "display_order": pl.Int32(),
    "position": pl.Int32(),
    "position_text": pl.String(),
    "status": pl.String(),
    "car_number": pl.String(),
    "driver_id": pl.String(),
    "constructor_id": pl.String(),
    "laps": pl.Int32(),
    "time_s": pl.Float64(),
    "gap_s": pl.Float64(),
    "points": pl.Float64(),
    "grid_position": pl.Int32(),
    "is_pit_lane_start": pl.Boolean(),
    "q1_s": pl.Float64(),
    "q2_s": pl.Float64(),
    "q3_s": pl.Float64(),
}
"""One row per line of a session's result as the timing feed gives it, in the warehouse's words."""

# The feed's marks for cars without a position.
_STATUS = {
    "R": ("DNF", ResultStatus.RETIRED),
    "D": ("DSQ", ResultStatus.DISQUALIFIED),
    "E": ("EX", ResultStatus.EXCLUDED),
    "W": ("DNS", ResultStatus.DID_NOT_START),
    "F": ("DNQ", ResultStatus.DID_NOT_QUALIFY),
    "N": ("NC", ResultStatus.NOT_CLASSIFIED),
}
TABLE = {
    **dict.fromkeys(RACES, "race_results"),
    **dict.fromkeys(QUALIFYINGS, "qualifying_results"),
    **dict.fromkeys(PRACTICES, "practice_results"),
}


def table_of(session: SessionKind) -> str:
    """The results table that a session's lines belong to."""
    return TABLE[session]


def timing_lines(facts: Mapping[str, pa.Table], bundles: Sequence[Bundle]) -> tuple[pl.DataFrame, list[str]]:
    """The results of fetched sessions in the warehouse's words.

    Args:
        facts: Fact tables of the results source: who drives in the season.
        bundles: Fetched sessions.

    Returns:
        Rows of :data:`LINES`, and what a reader should know: cars nobody answers to, sessions without a result.
    """
    parts, remarks = [], []
    for bundle in bundles:
        where = f"{bundle.meta.event_id} {bundle.meta.session.value}"
        results = _classified(bundle)
        if results.is_empty():
            remarks.append(f"{where}: the timing session has no official result.")
            continue
        cars = match_cars(facts, bundle.meta.event_id, results)
        remarks += [f"{where}: {problem}." for problem in cars["problem"].drop_nulls()]
        known = results.join(cars.drop("problem"), on="car_number", how="left").drop_nulls(
            ["driver_id", "constructor_id"]
        )
        parts.append(
            known.with_columns(
                event_id=pl.lit(bundle.meta.event_id),
                session=pl.lit(bundle.meta.session.value),
                display_order=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
            ).select(pl.col(name).cast(kind) for name, kind in LINES.items())
        )
    return (pl.concat(parts) if parts else pl.DataFrame(schema=LINES)), remarks


def _classified(bundle: Bundle) -> pl.DataFrame:
    """A session's cars in the order of its result, with status, times and laps."""
    results = bundle.part("results")
    session = bundle.meta.session
    if results.is_empty():
        return results
    if session in PRACTICES:
        return _practice(bundle, results)
    results = results.filter(
        pl.col("position").is_not_null() | pl.col("classified_position").is_in(list(_STATUS))
    )
    mark = pl.col("classified_position")
    numeric = mark.str.contains(r"^\d+$").fill_null(False)
    if session in RACES and not results.select(numeric.any()).item():
        # Without the official classification the order is that of the last lap: penalties and retirements are not in it.
        return results.clear()
    # A mark only means something in a race: whoever set no time in qualifying is last, not retired.
    placed = numeric if session in RACES else pl.col("position").is_not_null()
    on_lead_lap = pl.col("laps") == pl.col("laps").max()
    gap = pl.when(placed & on_lead_lap & (pl.col("position") > 1)).then(pl.col("time_s"))
    ordered = results.with_columns(
        position=pl.when(placed).then(pl.col("position")),
        order=pl.col("position").fill_null(999),
        position_text=pl.when(placed)
        .then(pl.col("position").cast(pl.String))
        .otherwise(mark.replace_strict({key: text for key, (text, _) in _STATUS.items()}, default="NC")),
        status=pl.when(placed)
        .then(pl.lit(ResultStatus.CLASSIFIED.value))
        .otherwise(
            mark.replace_strict(
                {key: status.value for key, (_, status) in _STATUS.items()},
                default=ResultStatus.NOT_CLASSIFIED.value,
            )
        ),
        gap_s=gap if session in RACES else pl.lit(None, pl.Float64),
        time_s=pl.when(pl.col("position") == 1).then(pl.col("time_s"))
        if session in RACES
        else pl.lit(None, pl.Float64),
        is_pit_lane_start=pl.col("grid_position") == 0,
        grid_position=pl.when(pl.col("grid_position") > 0).then(pl.col("grid_position")),
    ).sort("order", "car_number")
    # Some gaps of the feed's results are to the car ahead: where they fall, they are not believed.
    return ordered.with_columns(
        gap_s=pl.when(
            pl.col("gap_s") >= pl.col("gap_s").cum_max().shift(1).over(pl.lit(1)).fill_null(0.0)
        ).then(pl.col("gap_s"))
    )


def _practice(bundle: Bundle, results: pl.DataFrame) -> pl.DataFrame:
    """Practice has no result in the feed: its order is that of the best laps that were not deleted."""
    laps = bundle.part("laps")
    if laps.is_empty():
        return results.clear()
    # The feed marks each personal best at the time; a fastest lap without the mark was cut short by a red flag or deleted.
    valid = pl.col("is_personal_best").fill_null(True) & pl.col("is_deleted").fill_null(False).not_()
    best = laps.group_by("car_number").agg(
        best_s=pl.col("lap_time_s").filter(valid).min(), driven=pl.len().cast(pl.Int32)
    )
    ordered = results.join(best, on="car_number", how="inner").sort("best_s", "car_number", nulls_last=True)
    return ordered.with_columns(
        position=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
        time_s=pl.col("best_s"),
        gap_s=pl.col("best_s") - pl.col("best_s").min(),
        laps=pl.col("driven"),
        position_text=pl.lit(""),
        status=pl.lit(ResultStatus.CLASSIFIED.value),
        is_pit_lane_start=pl.lit(False),
        grid_position=pl.lit(None, pl.Int32),
    )
