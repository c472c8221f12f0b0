"""Intervals of observed shares."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson_interval(count: int, total: int, level: float = 0.90) -> tuple[float, float]:
    """Wilson score interval of a share: sensible for few cases, and for none or all of them.

    Args:
        count: How often it happened.
        total: Of how many.
        level: How often such an interval holds the true share.

    Returns:
        Its ends, within 0 and 1; ``(0, 1)`` of no cases.
    """
    if total <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = count / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
