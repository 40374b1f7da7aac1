"""Numbers out of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` percent of `values` do not exceed; not a number where there are none."""
    if not values:
        return math.nan
    ranked = sorted(values)
    return ranked[max(math.ceil(len(ranked) * share / 100) - 1, 0)]


def over_runs(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of every figure its median over the runs; of what must not happen, the worst run's."""
    taken: dict[str, Callable[[Iterator[float]], float]] = {"lost": max, "faults": max, "whole": min}
    return {name: taken.get(name, median)(run[name] for run in runs) for name in runs[0]}
