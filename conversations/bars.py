"""Values in, SVG out: a few things side by side, as bars with their names and values. The rest is as in `charts.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from conversations.charts import LEFT, RIGHT, WIDTH, Say, Series, Value, digits, joined, text, usable

TOP = 4
NAME_HEIGHT, BAR_HEIGHT, GAP = 16, 14, 8
NAME_CHARS = 48  # of a name that are shown
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Ranking:
    """What is drawn: of each of `names` one bar for each series, from zero to the highest of all or to `top`."""

    name: str
    title: str
    names: Sequence[str]
    series: Sequence[Series]
    say: Say
    described_by: str
    top: float | None = None


def ranked(of: Ranking) -> SafeString:
    """The bars as SVG, in the order that they were given."""
    series = [Series([usable(value) for value in each.values], each.name) for each in of.series]
    highest = max((value for each in series for value in each.values if value is not None), default=0.0)
    named = any(each.name for each in series)
    step = NAME_HEIGHT + BAR_HEIGHT * len(series) + GAP
    parts = []
    for index, name in enumerate(of.names):
        y = TOP + index * step
        short = name if len(name) <= NAME_CHARS else f"{name[: NAME_CHARS - 1]}…"
        parts.append(text(0, y + 11, short, "chart-name", "start"))
        for number, each in enumerate(series, start=1):
            place = y + NAME_HEIGHT + BAR_HEIGHT * (number - 1)
            left = LEFT if named else 0
            parts.append(text(0, place + 10, each.name, "chart-tick", "start") if named else SafeString())
            parts.append(_bar(each.values[index], of.top or highest, of, left, place, number))
    height = TOP + step * len(of.names)
    title = _("%(title)s. %(said)s") % {"title": of.title, "said": _summary(of, series)}
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title" aria-describedby="{}">'
        '<title id="{}-title">{}</title>{}</svg>',
        *(WIDTH, height, of.name, of.described_by, of.name, title),
        joined(parts),
    )


def share(part: float, whole: float) -> SafeString:
    """A bar that is as long as the part of the whole. Hidden from who cannot see it: the number stands beside it."""
    part, whole = usable(part) or 0.0, usable(whole) or 0.0
    width = 100 * min(part / whole, 1.0) if whole else 0.0
    return format_html(
        '<svg class="chart-share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="chart-bar" width="{}" height="6"/></svg>',
        digits(max(width, 1.0) if part else 0.0),
    )


def _bar(value: Value, highest: float, of: Ranking, left: int, y: int, number: int) -> SafeString:
    """A bar with its value behind it. What is not nothing is seen, however high the highest is."""
    room = WIDTH - RIGHT - left
    wide = max(room * min(value / highest, 1.0), 1.0) if value and highest else 0.0
    words = NOTHING if value is None else of.say(value)
    return format_html(
        '<rect class="chart-bar chart-bar-{}" x="{}" y="{}" width="{}" height="{}"/>{}',
        *(number, left, y, digits(wide), BAR_HEIGHT - 4),
        text(left + wide + 6, y + 9, words, "chart-label", "start"),
    )


def _summary(of: Ranking, series: Sequence[Series]) -> str:
    """All of it in words: there is not much."""
    said = []
    for name, values in zip_longest(of.names, zip(*(each.values for each in series), strict=True)):
        parts = [
            f"{each.name} {NOTHING if value is None else of.say(value)}".strip()
            for each, value in zip(series, values, strict=True)
        ]
        said.append(_("%(name)s: %(values)s.") % {"name": name, "values": ", ".join(parts)})
    return " ".join(said) or _("no values.")
