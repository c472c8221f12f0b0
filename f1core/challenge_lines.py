"""Challenges as people read them: a line per stage and decision."""

from __future__ import annotations

import polars as pl

from f1core.challenge import METRIC_NAMES, METRICS
from f1core.wording import DECISION_NAMES
from warehouse.vocab import Stage

LINE_COLUMNS = ("challenged_at", "stage", "verdict", "races", *METRICS, "reason")


def challenge_lines(challenges: pl.DataFrame) -> pl.DataFrame:
    """Turns rows per score into a line per challenge, newest first, stages in their order.

    Args:
        challenges: As in :func:`warehouse.queries.monitoring.challenges`.

    Returns:
        ``challenged_at, stage`` (in words), ``verdict`` (in words), ``races`` (how many were compared, and how many of
        them sealed), for each score the difference with its 90 % interval as text (null when nothing was compared), and
        ``reason``.
    """
    lines = []
    for _, rows in challenges.group_by(["challenged_at", "stage"], maintain_order=True):
        by_metric = {row["metric"]: row for row in rows.to_dicts()}
        first = next(iter(by_metric.values()))
        count, sealed = first["count_races"], first["count_sealed"]
        lines.append(
            {
                "challenged_at": first["challenged_at"],
                "order": list(Stage).index(Stage(first["stage"])),
                "stage": Stage(first["stage"]).label,
                "verdict": DECISION_NAMES.get(first["decision"], first["decision"]),
                "races": None if not count else f"{count} ({sealed} sealed)" if sealed else str(count),
                **{metric: _interval(by_metric.get(metric)) for metric in METRICS},
                "reason": first["reason"],
            }
        )
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "challenged_at": pl.Datetime("us", "UTC"),
        "order": pl.Int64,
        **dict.fromkeys(LINE_COLUMNS[1:], pl.String),
    }
    frame = pl.DataFrame(lines, schema=schema)
    return frame.sort("challenged_at", "order", descending=[True, False]).select(LINE_COLUMNS)


def score_titles() -> dict[str, str]:
    """Headings of the scores, by column of :func:`challenge_lines`."""
    return {metric: METRIC_NAMES[metric][:1].upper() + METRIC_NAMES[metric][1:] for metric in METRICS}


def refused_now(challenges: pl.DataFrame) -> list[str]:
    """Stages whose last challenger was refused: an older recipe is in production there than the code makes now."""
    newest = challenges.sort("challenged_at").unique("stage", keep="last")
    refused = set(newest.filter(~pl.col("is_promoted"))["stage"])
    return [stage.label for stage in Stage if stage.value in refused]


def _interval(row: dict[str, float] | None) -> str | None:
    if row is None or row["difference"] is None:
        return None
    return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
