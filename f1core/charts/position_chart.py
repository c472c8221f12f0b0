"""The lap chart: the position of every car on every lap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from f1core.charts.lap_lines import SIMULATED, lap_axis, lap_lines, name_room, with_series
from f1core.charts.style import NEUTRAL, finish, layered

ROW_HEIGHT = 17


def position_chart(laps: pl.DataFrame, chosen: Sequence[str] = ()) -> Any:
    """Draws positions, the leader on top; every car that is still running is named at the end of its line.

    Args:
        laps: A row per car and lap: ``driver_id``, ``label``, ``lap``, ``position``, and ``is_baseline`` where two races are
            held against each other.
        chosen: Cars that are drawn in colour.
    """
    rows = with_series(laps.drop_nulls("position")).with_columns(value="position")
    count = max([2, *rows["value"].to_list()])
    last_lap = int(rows["lap"].max() or 2)  # type: ignore[arg-type]
    axis = alt.Y(
        "value:Q",
        title="Position",
        scale=alt.Scale(domain=[0.5, count + 0.5], reverse=True, nice=False, zero=False),
        axis=alt.Axis(values=[1, *range(5, count + 1, 5)], format="d", grid=False),
    )
    tooltip = [
        alt.Tooltip("label:N", title="Driver"),
        alt.Tooltip("lap:Q", title="Lap"),
        alt.Tooltip("value:Q", title="Position"),
    ]
    ends = rows.filter(
        (pl.col("series") == SIMULATED)
        & (pl.col("lap") == last_lap)
        & ~pl.col("driver_id").is_in(list(chosen))
    )
    names = (
        alt.Chart(ends.select("label", "lap", "value"))
        .mark_text(align="left", dx=5, color=NEUTRAL)
        .encode(
            x=lap_axis(last_lap, name_room(rows)), y=axis, text=alt.Text("label:N"), size=alt.SizeValue(10)
        )
    )
    first = rows.filter((pl.col("series") == SIMULATED) & (pl.col("lap") == last_lap)).sort("value")["label"]
    return finish(
        layered(*lap_lines(rows, chosen, axis, tooltip), names),
        height=max(count, 6) * ROW_HEIGHT + 40,
        description=f"Position of {rows['driver_id'].n_unique()} cars on every lap; at the end "
        f"{', '.join(first.head(3)) or 'nobody'} in front.",
    )
