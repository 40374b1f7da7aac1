"""Results as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Columns = Sequence[tuple[str, str]]  # the head of a column, and how a row's figures fill it

HOT: Columns = (
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
    ("sockets", "{connects:.2f}"),
    ("driver CPU", "{driver_cpu:.1f} of {seconds:.1f} s"),
    ("upstream late p95", "{upstream_late_p95_ms:.1f} ms"),
    ("others", "{others:.2f} CPUs"),
)
UNKNOWN = "–"  # what is not measured in this row
_RATIOS = ("delivered", "cpu", "cpu_stream")


def table(columns: Columns, rows: Mapping[str, Mapping[str, float]]) -> str:
    """A row of cells for each row of figures; where there is a bare relay, the product by it."""
    cells = [("", *(head for head, _ in columns))]
    cells += [
        (name, *(form.format_map(row).replace("nan", UNKNOWN) for _, form in columns))
        for name, row in rows.items()
    ]
    text = _aligned(cells)
    if "relay" in rows and "product" in rows:
        said = (f"{name} {_ratio(rows['product'][name], rows['relay'][name])}" for name in _RATIOS)
        text += "\n\nProduct by relay: " + ", ".join(said) + "."
    return text


def _ratio(above: float, below: float) -> str:
    return f"{above / below:.2f}" if below and not math.isnan(above / below) else UNKNOWN


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in rows
    ]
    rules = ["-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)]
    lines.insert(1, "|" + "|".join(rules) + "|")
    return "\n".join(lines)
