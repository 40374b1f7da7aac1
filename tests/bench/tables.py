"""Results as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_COLUMNS = (  # the head of a column, and how a row's figures fill it
    ("delivered", "{delivered:,.0f}"),
    ("first token p50 / p95", "{first_p50_ms:.1f} / {first_p95_ms:.1f} ms"),
    ("delay p50 / p95", "{delay_p50_ms:.1f} / {delay_p95_ms:.1f} ms"),
    ("CPU s, all", "{cpu:.3f}"),
    ("CPU s, streaming", "{cpu_stream:.3f}"),
    ("lost", "{lost:.0f}"),
    ("faults", "{faults:.0f}"),
    ("whole", "{whole:.0f} of {answers:.0f}"),
    ("peak (above idle)", "{peak_mb:.0f} ({above_idle_mb:.0f}) MB"),
    ("question to first p95", "{sent_to_first_p95_ms:.0f} ms"),
    ("bytes, frames a token", "{bytes_per_token:.0f}, {frames_per_token:.2f}"),
    ("driver CPU", "{driver_cpu:.1f} of {seconds:.1f} s"),
    ("upstream late p95", "{upstream_late_p95_ms:.1f} ms"),
)
_RATIOS = ("delivered", "cpu", "cpu_stream")


def answers(rows: Mapping[str, Mapping[str, float]]) -> str:
    """What was measured of answers, a row for each way they were read, and the product by the bare relay."""
    table = [("", *(head for head, _ in _COLUMNS))]
    table += [(name, *(form.format(**row) for _, form in _COLUMNS)) for name, row in rows.items()]
    lines = [aligned(table)]
    if "relay" in rows and "product" in rows:
        said = (f"{name} {ratio(rows['product'][name], rows['relay'][name])}" for name in _RATIOS)
        lines.append("product by relay: " + ", ".join(said))
    return "\n\n".join(lines)


def ratio(above: float, below: float) -> str:
    """One figure by another, to be read."""
    return f"{above / below:.2f}" if below and not math.isnan(above) else "-"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, the first row its head, that can be read as it is too."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(
        1,
        "|" + "|".join("-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)) + "|",
    )
    return "\n".join(lines)
