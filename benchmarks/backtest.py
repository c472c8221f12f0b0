"""Prints the walk-forward backtest as tables: ``python benchmarks/backtest.py [DATA_FOLDER]``.

Run ``python -m jobs backtest --from 2022`` first. Definitions are those of ``docs/models.md``; the grid row is checked
against the figures that two independent studies agree on.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import polars as pl

from f1core.settings import load_settings
from models.metrics import calibration_error, reliability
from warehouse.queries.accuracy import backtest_scores, pooled_scores, predictions_with_outcome
from warehouse.reader import Reader

WINDOWS = ((2022, "2022–2026"), (2023, "2023–2026"), (2024, "2024–2026"))
MODELS = ("rf_xgb", "grid", "points", "elo")
COLUMNS = {
    "winner_right": "winner",
    "winner_in_top_three": "in top 3",
    "win_log_loss": "log loss",
    "win_brier": "Brier",
    "podium_overlap": "podium",
    "mae_ranked": "MAE ranked",
    "mae_raw": "MAE raw",
    "mae_ranked_finishers": "fin. ranked",
    "mae_raw_finishers": "fin. raw",
    "spearman": "Spearman",
    "top_ten_accuracy": "top 10",
    "top_ten_brier": "top-10 Brier",
    "interval_coverage": "80 % covers",
    "gap_mae_s": "gap MAE s",
    "time_mae_s": "time MAE s",
}
REFERENCE = {"winner_right": (0.603, 0.002), "mae_ranked": (3.270, 0.005), "win_log_loss": (1.351, 0.05)}


def table(
    rows: list[tuple[str, str, dict[str, float | None]]], calibration: dict[tuple[str, str], str]
) -> str:
    """Markdown table: period, model, races, scores."""
    head = ["period", "model", "races", *COLUMNS.values(), "ECE win / top 10"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for period, model, row in rows:
        numbers = [
            "–" if row[name] is None else f"{row[name]:.{1 if name.endswith('_s') else 3}f}"
            for name in COLUMNS
        ]
        lines.append(
            "| "
            + " | ".join(
                [period, model, str(row["count_events"]), *numbers, calibration.get((period, model), "")]
            )
            + " |"
        )
    return "\n".join(lines)


def stage_table(reader: Reader, stage: str) -> str:
    """Per season and pooled over the windows, model beside its baselines."""
    rows = []
    calibration: dict[tuple[str, str], str] = {}
    labels = backtest_labels(reader)
    seasons = pooled_scores(reader, stage=stage, from_season=2022, by_season=True)
    for row in seasons.sort("season").to_dicts():
        rows.append((str(row["season"]), row["model"], row))
    for first, name in WINDOWS:
        for row in pooled_scores(reader, stage=stage, from_season=first).to_dicts():
            rows.append((name, row["model"], row))
            made = predictions_with_outcome(reader, stage=stage, model=row["model"], from_season=first)
            errors = [
                calibration_error(reliability(made.with_columns(model=pl.lit(row["model"])), labels, what))
                for what in ("win", "top_ten")
            ]
            calibration[name, row["model"]] = " / ".join("–" if e is None else f"{e:.3f}" for e in errors)
    order = {model: place for place, model in enumerate(MODELS)}
    rows.sort(key=lambda one: (len(one[0]), one[0], order.get(one[1], 9)))
    return table(rows, calibration)


def backtest_labels(reader: Reader) -> pl.DataFrame:
    """Labels of all races models learn from."""
    from f1core.labels import load_labels

    return load_labels(reader)


def main() -> None:
    data = sys.argv[1] if len(sys.argv) > 1 else None
    reader = Reader(load_settings(**({"data": data} if data else {})).warehouse_root)
    scores = backtest_scores(reader)
    for stage in ("pre_race", "pre_qualifying"):
        print(
            f"\n### Stage {stage}, {scores.filter(pl.col('stage') == stage)['event_id'].n_unique()} races in the tables\n"
        )
        print(stage_table(reader, stage))
    grid = (
        pooled_scores(reader, stage="pre_race", from_season=2023)
        .filter(pl.col("model") == "grid")
        .row(0, named=True)
    )
    print(f"\nGrid order, {grid['count_events']} races 2023–2026, against the reference:")
    for name, (wanted, tolerance) in REFERENCE.items():
        verdict = "ok" if abs(grid[name] - wanted) <= tolerance else "DIFFERS"
        print(f"  {name:14s} {grid[name]:.4f}  wanted {wanted} ± {tolerance}: {verdict}")


if __name__ == "__main__":
    main()
