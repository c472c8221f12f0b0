"""What charts over the laps of a race share: every car a thin grey line, the chosen ones in colour with their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, top_legend

SIMULATED, UNCHANGED = "Simulated", "Unchanged"
SERIES = (SIMULATED, UNCHANGED)
CHOSEN = 6
"""Cars whose lines can be told apart."""


def lap_axis(last_lap: int, room: int = 0, title: str = "Lap") -> alt.X:
    """A horizontal axis of laps.

    Args:
        last_lap: Of the race.
        room: Laps of empty room on the right, for names.
        title: Of the axis.
    """
    step = next(step for step in (1, 2, 5, 10, 20) if last_lap / step <= 8 or step == 20)
    return alt.X(
        "lap:Q",
        title=title,
        scale=alt.Scale(domain=[1, max(last_lap, 2) + room], nice=False, zero=False),
        axis=alt.Axis(values=[1, *range(step, last_lap + 1, step)], format="d", grid=False, labelFlush=False),
    )


def name_room(laps: pl.DataFrame) -> int:
    """Laps that the longest name needs at the end of a line, also on a phone.

    Args:
        laps: ``label`` and ``lap``.
    """
    letters = max([3, *(len(name) for name in laps["label"].unique())])
    return max(2, round(int(laps["lap"].max() or 2) * min(0.045 * letters, 0.4)))  # type: ignore[arg-type]


def with_series(laps: pl.DataFrame) -> pl.DataFrame:
    """Adds ``series``: whether a row belongs to the race as it is shown, or to the one it is held against."""
    flag = pl.col("is_baseline") if "is_baseline" in laps.columns else pl.lit(False)
    return laps.with_columns(series=pl.when(flag).then(pl.lit(UNCHANGED)).otherwise(pl.lit(SIMULATED)))


def spread(ends: pl.DataFrame, apart: float) -> pl.DataFrame:
    """Adds ``text_at``: where a name stands so that names of lines that end together do not cover each other.

    Args:
        ends: A row per name with ``value``, where its line ends.
        apart: Least distance between two names, in units of ``value``.
    """
    rows = ends.sort("value", "label")
    places: list[float] = []
    for value in rows["value"]:
        places.append(float(value) if not places else max(float(value), places[-1] + apart))
    return rows.with_columns(text_at=pl.Series(places, dtype=pl.Float64))


def lap_lines(
    laps: pl.DataFrame, chosen: Sequence[str], y: alt.Y, tooltip: list[alt.Tooltip], apart: float = 0.0
) -> list[Any]:
    """A line per car.

    Args:
        laps: ``driver_id``, ``label``, ``lap``, ``value``, ``series`` and what the tooltip shows.
        chosen: Cars in colour.
        y: The axis of ``value``.
        tooltip: What a point tells.
        apart: Least distance between the names at the ends, in units of ``value``.

    Returns:
        The layers; layers within layers would be copied several times over.
    """
    told = list(dict.fromkeys(chosen))[:CHOSEN]
    is_chosen = pl.col("driver_id").is_in(told)
    others = laps.filter(~is_chosen & (pl.col("series") == SIMULATED))
    mine = laps.filter(is_chosen)
    names = dict(mine.select("driver_id", "label").iter_rows())
    labels = [names[name] for name in told if name in names]
    last_lap = int(laps["lap"].max() or 2)  # type: ignore[arg-type]
    x = lap_axis(last_lap, name_room(laps))
    faint = (
        alt.Chart(others.select("driver_id", "label", "lap", "value", *_extra(tooltip, others)))
        .mark_line(color=NEUTRAL, strokeWidth=1, opacity=0.55, clip=True)
        .encode(x=x, y=y, detail=alt.Detail("driver_id:N"), tooltip=tooltip)
    )
    data = mine.select("driver_id", "label", "lap", "value", "series", *_extra(tooltip, mine))
    colour = alt.Color("label:N", scale=alt.Scale(domain=labels), legend=None)
    shown = [name for name in SERIES if name in set(mine["series"])]
    dashes = alt.StrokeDash(
        "series:N",
        scale=alt.Scale(domain=list(SERIES), range=[[1, 0], [5, 4]]),
        legend=top_legend() if len(shown) > 1 else None,
    )
    lines = (
        alt.Chart(data)
        .mark_line(strokeWidth=2.5, clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dashes, detail=alt.Detail("driver_id:N"), tooltip=tooltip)
    )
    ends = data.filter(pl.col("series") == SIMULATED).sort("lap").unique("driver_id", keep="last")
    beside = y.copy()
    beside.shorthand = "text_at:Q"
    words = (
        alt.Chart(spread(ends, apart).select("driver_id", "label", "lap", "text_at"))
        .mark_text(align="left", dx=5, fontWeight="bold", clip=False)
        .encode(x=x, y=beside, text=alt.Text("label:N"), color=colour, size=alt.SizeValue(11))
    )
    return [faint, lines, words]


def _extra(tooltip: list[alt.Tooltip], rows: pl.DataFrame) -> list[str]:
    fields = [str(one.shorthand).split(":")[0] for one in tooltip]
    known = {"driver_id", "label", "lap", "value", "series"}
    return [name for name in dict.fromkeys(fields) if name not in known and name in rows.columns]
