"""Values in, SVG out: what happened day by day or week by week. Knows nothing of ours, and no colours.

Every axis begins at zero. A chart names its highest and its last value itself and says them in its title; all others
are for the table that the page puts beneath. No style attributes: the classes are in static/css/workplace-usage.css.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, isfinite, log10

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH, HEIGHT = (
    340,
    168,
)  # about as many pixels as a phone is wide, so that the letters are as large as they say
LEFT, RIGHT, TOP, BOTTOM = 44, 78, 20, 22
LINE_HEIGHT = 13
NEAR = 64  # labels closer than this would touch

DENSE = 120  # days, from which bars touch and lines are thin

Value = float | None
Say = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One value a day; None where there is nothing to say. Where there are several, each is named at its line."""

    values: Sequence[Value]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. `described_by` is the id of an element of the page that says where the numbers stand.

    The `days` are those of the values, or with `weekly` the first ones of their weeks.
    """

    name: str
    title: str
    days: Sequence[date]
    series: Sequence[Series]
    say: Say
    described_by: str
    top: float | None = None  # the end of the axis, where it is known beforehand
    most: float | None = None  # beyond which the axis does not go: nothing can be more
    bars: bool = False
    weekly: bool = False


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where a day and a value are on the canvas."""

    count: int
    top: float
    right: int

    @property
    def slot(self) -> float:
        return (self.right - LEFT) / self.count

    def x(self, index: int) -> float:
        return LEFT + self.slot * (index + 0.5)

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - BOTTOM - TOP) * (1 - min(value / self.top, 1.0))


def daily(chart: Chart) -> SafeString:
    """The chart as SVG, one place on the axis for each day."""
    series = [Series([usable(value) for value in each.values], each.name) for each in chart.series]
    highest = max((value for each in series for value in each.values if value is not None), default=0.0)
    right = WIDTH - 4 if chart.bars else WIDTH - RIGHT
    top = chart.top or _round_up(highest, chart.say)
    plot = _Plot(max(len(chart.days), 1), min(top, chart.most or top), right)
    parts = [*_grid(plot, chart.say), *_dates(plot, chart.days)]
    for number, each in reversed(list(enumerate(series, start=1))):  # the first on top
        parts.append(_bars(plot, each.values) if chart.bars else _line(plot, each.values, number))
    parts += _labels(plot, series, chart)
    title = _("%(title)s. %(said)s") % {"title": chart.title, "said": _summary(chart, series)}
    return format_html(
        '<svg class="chart{}" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title" aria-describedby="{}">'
        '<title id="{}-title">{}</title>{}</svg>',
        *(
            " chart-dense" if len(chart.days) > DENSE else "",
            WIDTH,
            HEIGHT,
            chart.name,
            chart.described_by,
            chart.name,
            title,
        ),
        joined(parts),
    )


def usable(value: Value) -> Value:
    """Nothing below zero is drawn, and nothing that is not a number."""
    return max(float(value), 0.0) if value is not None and isfinite(value) else None


def _round_up(highest: float, say: Say) -> float:
    """An end of the axis whose half is round too; and whose half says something else than its end, as 1 of 1 would."""
    if highest <= 0:
        return next(top for top in (0.02, 2.0, 20.0, 2_000.0) if len({say(0), say(top / 2), say(top)}) == 3)
    power = 10.0 ** floor(log10(highest))
    while True:
        for step in (2, 4, 6, 8, 10):
            top = step * power
            if top >= highest and say(top / 2) not in (say(0), say(top)):
                return top
        power *= 10


def _grid(plot: _Plot, say: Say) -> list[SafeString]:
    parts = []
    for value in (0.0, plot.top / 2, plot.top):
        y = digits(plot.y(value))
        kind = "chart-line-grid" if value else "chart-axis"
        parts.append(
            format_html('<path class="{}" d="M{} {}H{}"/>', kind, LEFT, y, digits(plot.right)),
        )
        parts.append(text(LEFT - 6, plot.y(value) + 4, say(value), "chart-tick", "end"))
    return parts


def _dates(plot: _Plot, days: Sequence[date]) -> list[SafeString]:
    """The first and the last day, and where there is room one between them."""
    if not days:
        return []
    y = HEIGHT - 5
    said = _sayer(days)
    if len(days) == 1:
        return [text(plot.x(0), y, said(days[0]), "chart-tick", "middle")]
    marks = [
        text(LEFT, y, said(days[0]), "chart-tick", "start"),
        text(plot.right, y, said(days[-1]), "chart-tick", "end"),
    ]
    if len(days) >= 7 and plot.right - LEFT > 22 * len(said(days[0])):
        middle = len(days) // 2
        marks.append(text(plot.x(middle), y, said(days[middle]), "chart-tick", "middle"))
    return marks


def _bars(plot: _Plot, values: Sequence[Value]) -> SafeString:
    """All bars as one path. What is not nothing is seen, however high the highest is."""
    base = plot.y(0)
    wide = plot.slot if plot.count > DENSE else min(plot.slot * 0.75, 40)
    path = "".join(
        f"M{digits(plot.x(index) - wide / 2)} {digits(base)}"
        f"V{digits(min(plot.y(value), base - 1))}h{digits(wide)}V{digits(base)}z"
        for index, value in enumerate(values)
        if value
    )
    return format_html('<path class="chart-bar" d="{}"/>', path)


def _line(plot: _Plot, values: Sequence[Value], number: int) -> SafeString:
    """A line with a gap where there is no value, and a dot for a value between two gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is not None:
            runs[-1].append((plot.x(index), plot.y(value)))
        elif runs[-1]:
            runs.append([])
    path = "".join("M" + "L".join(f"{digits(x)} {digits(y)}" for x, y in run) for run in runs if len(run) > 1)
    dots = [
        format_html(
            '<circle class="chart-dot chart-dot-{}" cx="{}" cy="{}" r="2"/>', number, *map(digits, run[0])
        )
        for run in runs
        if len(run) == 1
    ]
    return format_html('<path class="chart-line chart-line-{}" d="{}"/>{}', number, path, joined(dots))


def _labels(plot: _Plot, series: Sequence[Series], chart: Chart) -> list[SafeString]:
    """The highest value where it is, and the last: over its bar, or at the end of its line with the line's name."""
    found = [high for each in series if (high := _highest(each.values))]
    high = max(found, key=lambda each: each[1], default=None)
    lasts = [last for each in series if (last := _last(each.values))]
    if chart.bars:
        clear = [last for last in lasts if high and abs(plot.x(last[0]) - plot.x(high[0])) > NEAR]
        return [_over(plot, each, chart.say) for each in ([high, *clear] if high else [])]
    ends = _ends(plot, series, chart.say)
    if high is None or high in lasts or high[1] == chart.top or plot.x(high[0]) > plot.right - NEAR / 2:
        return ends  # the axis says it already, or the label at the end nearly
    return [_over(plot, high, chart.say), *ends]


def _ends(plot: _Plot, series: Sequence[Series], say: Say) -> list[SafeString]:
    """The names and last values of lines, beside them; from below, each clear of the one under it."""
    places = [
        (plot.y(last[1]) + 4, f"{each.name} {say(last[1])}".strip(), number)
        for number, each in enumerate(series, start=1)
        if (last := _last(each.values))
    ]
    parts, free = [], float(HEIGHT)
    for y, words, number in sorted(places, reverse=True):
        free = min(y, free - LINE_HEIGHT)
        parts.append(text(plot.right + 5, free, words, f"chart-label chart-label-{number}", "start"))
    return parts


def _over(plot: _Plot, found: tuple[int, float], say: Say) -> SafeString:
    """A label over a value, within the canvas."""
    words = say(found[1])
    half = len(words) * 3.5
    x = min(max(plot.x(found[0]), LEFT + half), plot.right - half)
    return text(x, max(min(plot.y(found[1]), plot.y(0) - 1) - 5, 11), words, "chart-label", "middle")


def _highest(values: Sequence[Value]) -> tuple[int, float] | None:
    found = [(index, value) for index, value in enumerate(values) if value]
    return max(found, key=lambda each: each[1]) if found else None


def _last(values: Sequence[Value]) -> tuple[int, float] | None:
    found = [(index, value) for index, value in enumerate(values) if value is not None]
    return found[-1] if found else None


def _summary(chart: Chart, series: Sequence[Series]) -> str:
    """What the drawing says at a glance, in words."""
    said, when = [], _sayer(chart.days)
    weekly = _("highest %(high)s in the week from %(then)s, last %(last)s in the week from %(now)s.")
    daily = _("highest %(high)s on %(then)s, last %(last)s on %(now)s.")
    for each in series:
        high, last = _highest(each.values), _last(each.values)
        if last is None:
            words = _("no values.")
        elif high is None:
            words = _("%(value)s throughout.") % {"value": chart.say(0)}
        else:
            words = (weekly if chart.weekly else daily) % {
                "high": chart.say(high[1]),
                "then": when(chart.days[high[0]]),
                "last": chart.say(last[1]),
                "now": when(chart.days[last[0]]),
            }
        said.append(_("%(name)s: %(said)s") % {"name": each.name, "said": words} if each.name else words)
    return " ".join(said)


def _sayer(days: Sequence[date]) -> Callable[[date], str]:
    """How days are said: with the year where they are of more than one."""
    written = _("j M Y") if days and days[0].year != days[-1].year else _("j M")
    return lambda day: date_format(day, written)


def text(x: float, y: float, words: str, kind: str, anchor: str) -> SafeString:
    return format_html(
        '<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>',
        *(kind, digits(x), digits(y), anchor, words),
    )


def digits(value: float) -> str:
    """Short, and the same in every language."""
    return f"{value:.1f}".removesuffix(".0")


def joined(parts: Sequence[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))
