"""Challenges as people read them: a line per target, stage and decision."""

from __future__ import annotations

import polars as pl

from f1core.challenge import METRIC_NAMES, METRICS
from f1core.wording import DECISION_NAMES
from warehouse.vocab import Stage, Target

LINE_COLUMNS = ("challenged_at", "stage", "verdict", "races", *METRICS, "reason")


def challenge_lines(challenges: pl.DataFrame) -> pl.DataFrame:
    """Turns rows per score into a line per challenge, newest first, the race before other targets, stages in their order.

    Args:
        challenges: As in :func:`warehouse.queries.monitoring.challenges`.

    Returns:
        ``challenged_at, stage`` (in words; with the target where it is not the race), ``verdict`` (in words), ``races``
        (how many were compared, and how many of them sealed), for each score the difference with its 90 % interval as
        text (null when nothing was compared), and ``reason``.
    """
    lines = []
    for _, rows in challenges.group_by(["challenged_at", "target", "stage"], maintain_order=True):
        by_metric = {row["metric"]: row for row in rows.to_dicts()}
        first = next(iter(by_metric.values()))
        count, sealed = first["count_races"], first["count_sealed"]
        lines.append(
            {
                "challenged_at": first["challenged_at"],
                "order": _order(first["target"], first["stage"]),
                "stage": _place(first["target"], first["stage"]),
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
    newest = challenges.sort("challenged_at").unique(["target", "stage"], keep="last")
    refused = newest.filter(~pl.col("is_promoted")).select("target", "stage").rows()
    return [_place(*place) for place in sorted(refused, key=lambda place: _order(*place))]


def _place(target: str | None, stage: str) -> str:
    label = Stage(stage).label
    # Rows of an older table have no target: races alone were forecast.
    return label if target in (None, Target.RACE.value) else f"{target.capitalize()}, {label.lower()}"


def _order(target: str | None, stage: str) -> int:
    known = list(Target).index(Target(target or Target.RACE.value))
    return known * len(Stage) + list(Stage).index(Stage(stage))


def _interval(row: dict[str, float] | None) -> str | None:
    if row is None or row["difference"] is None:
        return None
    return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
