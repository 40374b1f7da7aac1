"""Numbers out of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` percent of `values` do not exceed; not a number where there are none."""
    if not values:
        return math.nan
    ranked = sorted(values)
    return ranked[max(math.ceil(len(ranked) * share / 100) - 1, 0)]


def medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of every figure its median over the runs."""
    return {name: median(run[name] for run in runs) for name in runs[0]}
