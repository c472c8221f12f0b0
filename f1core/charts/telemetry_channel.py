"""One channel of car telemetry over the distance of a lap, several laps laid over each other, corners marked."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, top_legend

DASHES = ([1, 0], [7, 3], [2, 2], [10, 3, 2, 3])
CHANNELS: dict[str, tuple[str, str, int, Literal["linear", "step-after"]]] = {
    "speed_kph": ("Speed [km/h]", ".0f", 300, "linear"),
    "delta_s": ("Behind [s]", "+.3f", 210, "linear"),
    "throttle_pct": ("Throttle [%]", ".0f", 170, "linear"),
    "brake_pct": ("Brake [%]", ".0f", 140, "step-after"),
    "gear": ("Gear", ".0f", 180, "step-after"),
}
"""Title of the axis, format, height [px] and how points are joined, by channel."""
TICKS = {"throttle_pct": [0, 50, 100], "brake_pct": [0, 100], "gear": [1, 2, 3, 4, 5, 6, 7, 8]}
TITLED = ("speed_kph", "gear")
"""They stand above each other: the first and the last name the distance."""
AXIS_PX = 46
"""Room for the numbers of the vertical axis, the same in all, so that places on the track stand above each other [px]."""


def telemetry_channel(rows: pl.DataFrame, corners: pl.DataFrame, channel: str) -> Any:
    """Draws a channel; the first lap is the reference that delta counts from.

    Args:
        rows: As in :attr:`f1core.telemetry_view.Comparison.rows`; four laps can be told apart.
        corners: As in :attr:`f1core.telemetry_view.Comparison.corners`.
        channel: One of :data:`CHANNELS`.
    """
    title, number, height, interpolate = CHANNELS[channel]
    labels = rows["label"].unique(maintain_order=True).to_list()[: len(DASHES)]
    decimals = {"delta_s": 3, "speed_kph": 1, "throttle_pct": 1}.get(channel, 0)
    data = rows.filter(pl.col("label").is_in(labels) & pl.col(channel).is_not_null()).select(
        "label",
        distance_m=pl.col("distance_m").round(0),
        value=pl.col(channel).round(decimals),
    )
    # Between equal points nothing is drawn that the line does not draw anyway.
    same = (pl.col("value") == pl.col("value").shift(1)) & (pl.col("value") == pl.col("value").shift(-1))
    data = data.filter(~same.over("label").fill_null(False))
    length = float(rows["distance_m"].max() or 1.0)  # type: ignore[arg-type]
    x = alt.X(
        "distance_m:Q",
        title="Distance [m]" if channel in TITLED else None,
        scale=alt.Scale(domain=[0, length], nice=False),
        axis=alt.Axis(format="d", tickCount=6, grid=False, labelFlush=True),
    )
    y = alt.Y(
        "value:Q",
        title=title,
        scale=alt.Scale(zero=channel != "speed_kph"),
        axis=alt.Axis(
            **({"values": TICKS[channel]} if channel in TICKS else {"tickCount": 4}),
            minExtent=AXIS_PX,
            maxExtent=AXIS_PX,
        ),
    )
    legend = top_legend(2) if channel == "speed_kph" else None
    dashes = alt.Scale(domain=labels, range=list(DASHES[: len(labels)]))
    lines = (
        alt.Chart(data)
        .mark_line(strokeWidth=1.8, interpolate=interpolate)
        .encode(
            x=x,
            y=y,
            color=alt.Color("label:N", scale=alt.Scale(domain=labels), legend=legend),
            strokeDash=alt.StrokeDash("label:N", scale=dashes, legend=legend),
            tooltip=[
                alt.Tooltip("label:N", title="Lap"),
                alt.Tooltip("distance_m:Q", title="Distance [m]", format=".0f"),
                alt.Tooltip("value:Q", title=title, format=number),
            ],
        )
    )
    marks = alt.Chart(corners.select("corner", pl.col("distance_m").round(0), "speed_kph")).encode(x=x)
    rules = marks.mark_rule(color=NEUTRAL, strokeDash=[2, 4], opacity=0.7)
    layers = [rules, lines]
    if channel == "speed_kph":
        numbers = marks.mark_text(color=NEUTRAL, fontSize=10, dy=8, baseline="top").encode(
            text="corner:N", y=alt.value(-6)
        )
        layers.append(numbers)
    return finish(alt.layer(*layers), height=height, description=_words(rows, labels, channel, title))


def _words(rows: pl.DataFrame, labels: list[str], channel: str, title: str) -> str:
    if channel == "delta_s":
        last = rows.group_by("label", maintain_order=True).agg(pl.col("delta_s").last())
        ends = [
            f"{name} {gap:+.3f} s at the line"
            for name, gap in last.rows()
            if gap is not None and name != labels[0]
        ]
        return f"Time behind {labels[0]} over the lap: {', '.join(ends) or 'nothing to compare with'}."
    best = rows.group_by("label", maintain_order=True).agg(pl.col(channel).max())
    tops = [f"{name} up to {top:.0f}" for name, top in best.rows() if top is not None]
    return f"{title} over the lap: {', '.join(tops) or 'not measured'}."
