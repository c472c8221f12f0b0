"""When a figure is of too few races to lean on, and how far a share may be from the truth."""

from __future__ import annotations

SMALL_SAMPLE_RACES = 5
"""Fewer races than this make a small sample: queries of aggregates mark it in ``is_small_sample``."""
WILSON_Z = 1.959964
"""Of a 95 % interval."""


def is_small(count: str) -> str:
    """SQL: whether a count of races is a small sample."""
    return f"coalesce({count}, 0) < {SMALL_SAMPLE_RACES}"


def wilson(successes: str, count: str) -> tuple[str, str]:
    """SQL of the two ends of the 95 % Wilson interval of a share; missing without a case.

    Args:
        successes: SQL of the number of successes.
        count: SQL of the number of cases.
    """
    share = f"(({successes})::double / nullif({count}, 0))"
    z2 = WILSON_Z**2
    middle = f"({share} + {z2 / 2} / ({count}))"
    half = f"({WILSON_Z} * sqrt({share} * (1 - {share}) / ({count}) + {z2 / 4} / (({count}) * ({count}))))"
    scale = f"(1 + {z2} / ({count}))"
    return (
        f"greatest(0.0, ({middle} - {half}) / {scale})",
        f"least(1.0, ({middle} + {half}) / {scale})",
    )
