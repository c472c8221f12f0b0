"""Answers of the command line as text tables and as plain data."""

from __future__ import annotations

from io import StringIO
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from f1core.backtest import STAGES
from f1core.predict import Forecast
from f1core.training import PRODUCTION_MODEL
from warehouse.queries.accuracy import pooled_scores
from warehouse.queries.events import event_head
from warehouse.queries.people import driver_names
from warehouse.reader import Reader

SCORE_HEADINGS = {
    "winner_right": ("winner", 3),
    "winner_in_top_three": ("winner in top 3", 3),
    "win_log_loss": ("win log loss", 3),
    "win_brier": ("win Brier", 3),
    "podium_overlap": ("podium", 3),
    "mae_ranked": ("MAE ranked", 3),
    "mae_raw": ("MAE raw", 3),
    "mae_ranked_finishers": ("MAE ranked fin.", 3),
    "mae_raw_finishers": ("MAE raw fin.", 3),
    "spearman": ("Spearman", 3),
    "top_ten_accuracy": ("top 10", 3),
    "top_ten_brier": ("top-10 Brier", 3),
    "interval_coverage": ("80 % covers", 3),
    "gap_mae_s": ("gap MAE s", 1),
    "time_mae_s": ("time MAE s", 1),
}


def render(table: Table) -> str:
    """A rich table as text, wide enough never to wrap."""
    out = StringIO()
    Console(file=out, width=220, no_color=True).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def forecast_data(reader: Reader, made: Forecast) -> dict[str, Any]:
    """A forecast as plain data: head, drivers in predicted order, baselines."""
    names = driver_names(reader)
    entries = made.entries.join(names, on="driver_id", how="left").sort("model", "predicted_position")
    head = made.heads.filter(pl.col("model") == PRODUCTION_MODEL).row(0, named=True)
    return {
        "kind": "provisional" if made.is_provisional else "as-of",
        **head,
        "entries": entries.filter(pl.col("model") == PRODUCTION_MODEL)
        .drop("model", "event_id", "season", "target", "stage")
        .to_dicts(),
        "baselines": {
            name: rows.select(
                "driver_id",
                "predicted_position",
                "expected_position",
                "win_probability",
                "podium_probability",
                "points_probability",
            ).to_dicts()
            for (name,), rows in entries.filter(pl.col("model") != PRODUCTION_MODEL).group_by(
                ["model"], maintain_order=True
            )
        },
    }


def forecast_text(reader: Reader, made: Forecast) -> str:
    """A forecast as a table for the terminal."""
    head = made.heads.filter(pl.col("model") == PRODUCTION_MODEL).row(0, named=True)
    event = event_head(reader, head["event_id"])
    rows = (
        made.entries.filter(pl.col("model") == PRODUCTION_MODEL)
        .join(driver_names(reader), on="driver_id")
        .sort("predicted_position")
    )
    table = Table(title=f"{event['full_name']} {event['season']}: {head['stage']}", title_justify="left")
    for heading in (
        "",
        "driver",
        "car",
        "grid",
        "expected",
        "80 %",
        "win",
        "podium",
        "points",
        "gap s",
        "time",
    ):
        table.add_column(heading, justify="left" if heading in ("driver", "car") else "right")
    for row in rows.iter_rows(named=True):
        table.add_row(
            str(row["predicted_position"]),
            row["driver_name"],
            row["constructor_id"],
            "–" if row["grid_position"] is None else str(row["grid_position"]),
            f"{row['expected_position']:.1f}",
            f"{row['position_low']}–{row['position_high']}",
            f"{row['win_probability']:.1%}",
            f"{row['podium_probability']:.1%}",
            f"{row['points_probability']:.1%}",
            f"+{row['gap_s']:.1f}",
            f"{int(row['race_time_s'] // 3600)}:{int(row['race_time_s'] % 3600 // 60):02d}:{row['race_time_s'] % 60:04.1f}",
        )
    lines = [
        render(table),
        f"Model {head['model_version']}; facts before {head['as_of']:%Y-%m-%d %H:%M} UTC, newest of "
        f"{head['data_through']:%Y-%m-%d}, last result {head['last_event_id']}; field from {head['lineup_source']}.",
    ]
    lines += [f"Warning: {words}" for words in head["warnings"].split(" | ") if words]
    if not made.is_provisional:
        lines.append("Fitted on what was known at the cut-off; not stored.")
    return "\n".join(lines)


def scores_data(reader: Reader, from_season: int | None) -> dict[str, Any]:
    """Pooled and per-season backtest scores by stage, as plain data."""
    return {
        stage.value: {
            "pooled": pooled_scores(reader, stage=stage.value, from_season=from_season).to_dicts(),
            "by_season": pooled_scores(
                reader, stage=stage.value, from_season=from_season, by_season=True
            ).to_dicts(),
        }
        for stage in STAGES
    }


def score_text(reader: Reader, from_season: int | None) -> str:
    """Backtest scores as tables, per season and pooled, model beside its baselines."""
    parts = []
    for stage in STAGES:
        pooled = pooled_scores(reader, stage=stage.value, from_season=from_season)
        if pooled.is_empty():
            parts.append(f"{stage.value}: no race is backtested yet.")
            continue
        seasons = pooled_scores(reader, stage=stage.value, from_season=from_season, by_season=True)
        table = Table(
            title=f"Backtest, stage {stage.value} (walk-forward; never sealed)", title_justify="left"
        )
        for heading in ("season", "model", "races", *(words for words, _ in SCORE_HEADINGS.values())):
            table.add_column(heading, justify="left" if heading == "model" else "right")
        for row in [*seasons.to_dicts(), *({"season": "all", **row} for row in pooled.to_dicts())]:
            numbers = [
                "–" if row[name] is None else f"{row[name]:.{digits}f}"
                for name, (_, digits) in SCORE_HEADINGS.items()
            ]
            table.add_row(str(row["season"]), row["model"], str(row["count_events"]), *numbers)
        parts.append(render(table))
    return "\n\n".join(parts)


def status_text(found: dict[str, Any]) -> str:
    """The status as text."""
    house, last, coming = found["warehouse"], found["last_result"], found["next_event"]
    table = Table(title="Tables", title_justify="left")
    for heading in ("table", "rows", "newest fact (UTC)"):
        table.add_column(heading, justify="right" if heading == "rows" else "left")
    for row in found["tables"]:
        newest = row["known_through"]
        table.add_row(row["table"], f"{row['rows']:,}", "" if newest is None else f"{newest:%Y-%m-%d %H:%M}")
    missing = found["missing_results"]
    lines = [
        f"Warehouse {house['path']}, snapshot {house['snapshot']} of {house['published_at'][:16]} UTC, "
        f"facts from {house['source']}.",
        f"Last result: {last['event_id']}." if last else "No result yet.",
        f"Raced since, but not in the data: {', '.join(row['event_id'] for row in missing)}."
        if missing
        else "No result is missing.",
        f"Next: {coming['event_id']}, race {coming['race_starts_at']:%Y-%m-%d %H:%M} UTC."
        if coming
        else "Season over: no race to come.",
        "Models: "
        + (
            ", ".join(f"{place} = {version}" for place, version in found["models"].items())
            or "none yet; run `python -m jobs train`"
        ),
        "Backtest: "
        + (
            ", ".join(f"{stage} {races} races" for stage, races in found["backtest"]["races"].items())
            or "none yet"
        ),
        *(f"Note: {remark}" for remark in house["remarks"]),
    ]
    return render(table) + "\n" + "\n".join(lines)
