"""Answers of the command line as text tables and as plain data."""

from __future__ import annotations

from io import StringIO
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from f1core.predict import Forecast
from f1core.targets import PRODUCTION_MODEL, placed, rules_of
from f1core.wording import OUTCOME_WORDS
from models.metrics import pool
from warehouse.queries.accuracy import pooled_scores, sealed_accuracy
from warehouse.queries.events import event_head
from warehouse.queries.people import driver_names
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

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
    target = Target(head["target"])
    title = f"{event['full_name']} {event['season']}: {placed(target, Stage(head['stage']))}"
    table = Table(title=title, title_justify="left")
    outcomes = [words.lower() for words in OUTCOME_WORDS[target]]
    times = ("gap s", "time") if rules_of(target).has_times else ()
    for heading in ("", "driver", "car", "grid", "expected", "80 %", *outcomes, *times):
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
            *([f"+{row['gap_s']:.1f}", _clock(row["race_time_s"])] if times else []),
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


def _clock(seconds: float) -> str:
    return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{seconds % 60:04.1f}"


def scores_data(
    reader: Reader, from_season: int | None, target: Target = Target.RACE
) -> dict[str, dict[str, Any]]:
    """Pooled and per-season backtest scores of a target by stage, as plain data."""
    found = {}
    for stage in rules_of(target).backtested:
        pooled, seasons = (
            pooled_scores(
                reader,
                stage=stage.value,
                from_season=from_season,
                by_season=by_season,
                target=target.value,
            )
            for by_season in (False, True)
        )
        found[stage.value] = {"pooled": pooled.to_dicts(), "by_season": seasons.to_dicts()}
    return found


def score_text(reader: Reader, from_season: int | None, target: Target = Target.RACE) -> str:
    """Backtest scores of a target as tables, per season and pooled, model beside its baselines."""
    parts = []
    for stage, scores in scores_data(reader, from_season, target).items():
        place = placed(target, Stage(stage))
        if not scores["pooled"]:
            parts.append(f"{place}: nothing is backtested yet.")
            continue
        rows = [*scores["by_season"], *({"season": "all", **row} for row in scores["pooled"])]
        parts.append(_score_table(f"Backtest, stage {place} (walk-forward; never sealed)", rows))
    return "\n\n".join(parts)


def sealed_data(reader: Reader, from_season: int | None, target: Target) -> dict[str, list[dict[str, Any]]]:
    """Means of the scores of sealed and settled forecasts of a target by stage, as plain data."""
    scores = sealed_accuracy(reader, target=target.value).filter(pl.col("season") >= (from_season or 0))
    return {
        stage.value: pool(scores.filter(pl.col("stage") == stage.value)).sort("model").to_dicts()
        for stage in rules_of(target).stages
    }


def sealed_text(reader: Reader, from_season: int | None, target: Target) -> str:
    """The same as tables."""
    parts = [
        _score_table(
            f"Sealed before the session, stage {placed(target, Stage(stage))}",
            [{"season": "all", **row} for row in rows],
        )
        for stage, rows in sealed_data(reader, from_season, target).items()
        if rows
    ]
    return "\n\n".join(parts) or f"No {target.value} forecast was sealed and settled yet."


def _score_table(title: str, rows: list[dict[str, Any]]) -> str:
    """Scores, one line per season and model; a score that none of them has is left out."""
    table = Table(title=title, title_justify="left")
    shown = {
        name: heading
        for name, heading in SCORE_HEADINGS.items()
        if any(row.get(name) is not None for row in rows)
    }
    for heading in ("season", "model", "events", *(words for words, _ in shown.values())):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for row in rows:
        numbers = [
            "–" if row[name] is None else f"{row[name]:.{digits}f}" for name, (_, digits) in shown.items()
        ]
        table.add_row(str(row["season"]), row["model"], str(row["count_events"]), *numbers)
    return render(table)


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
            ", ".join(f"{place} {events} events" for place, events in found["backtest"]["races"].items())
            or "none yet"
        ),
        *(f"Note: {remark}" for remark in house["remarks"]),
    ]
    return render(table) + "\n" + "\n".join(lines)
