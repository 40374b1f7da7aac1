"""The charts of the usage page: the same six figures over time, or side by side for personas, versions or models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from conversations import bars, charts
from conversations.charts import Say, Series
from conversations.usage import Figures, Line

NUMBERS = "usage-numbers"  # the id of the sentence that every chart points to
COMPARED = 8  # bars side by side; more are in the table

Value = Callable[[Figures], float | None]


def percent(rate: float) -> str:
    """For a label: whole where it is, else with one digit."""
    return _("%(number)s %%") % {"number": number_format(f"{100 * rate:.1f}".removesuffix(".0"))}


def seconds(milliseconds: float) -> str:
    """For a label."""
    if 0 < milliseconds < 1_000:
        return f"{milliseconds:.0f} ms"
    return f"{number_format(f'{milliseconds / 1_000:.3g}')} s"


def short(number: float) -> str:
    """For a label: at most four digits."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            scale = 1e3 if unit == "k" else size
            return number_format(f"{number / scale:.3g}".replace("e+03", "000")) + unit
    return number_format(f"{number:.0f}", force_grouping=True)


def _called(name: str) -> str:
    """What one of several lines or bars of a chart is called."""
    called = {
        "in": pgettext("tokens", "in"),
        "out": pgettext("tokens", "out"),
        "median": _("median"),
        # xgettext:no-python-format
        "95 % in": _("95 % in"),
    }
    return called.get(name, name)


@dataclass(frozen=True, slots=True)
class _Figure:
    """One of the six. A `whole` figure is a part of all, and ends at one."""

    name: str
    title: str
    values: tuple[tuple[str, Value], ...]
    say: Say
    counted: bool = False
    whole: bool = False

    def series(self, lines: Sequence[Line]) -> list[Series]:
        return [Series([of(line.figures) for line in lines], _called(name)) for name, of in self.values]


_FIGURES = (
    _Figure("answers", gettext_noop("Answers"), (("", lambda f: f.answers),), short, counted=True),
    _Figure("people", gettext_noop("People"), (("", lambda f: f.people),), short, counted=True),
    _Figure(
        "tokens",
        gettext_noop("Tokens"),
        (("in", lambda f: f.tokens_in), ("out", lambda f: f.tokens_out)),
        short,
    ),
    _Figure(
        "first-token",
        gettext_noop("Time to first token"),
        (("median", lambda f: f.first_token_p50), ("95 % in", lambda f: f.first_token_p95)),
        seconds,
    ),
    _Figure("failed", gettext_noop("Failed answers"), (("", lambda f: f.failure_rate),), percent, whole=True),
    _Figure(
        "rating", gettext_noop("Good answers of rated"), (("", lambda f: f.rating),), percent, whole=True
    ),
)


def over_time(lines: Sequence[Line], *, weekly: bool) -> list[dict[str, Any]]:
    """The six charts, each with its heading."""
    return [
        _drawn(
            each,
            charts.daily(
                charts.Chart(
                    each.name,
                    _(each.title),
                    [line.what for line in lines],
                    each.series(lines),
                    each.say,
                    NUMBERS,
                    top=1.0 if each.name == "rating" else None,
                    most=1.0 if each.whole else None,
                    bars=each.counted,
                    weekly=weekly,
                )
            ),
        )
        for each in _FIGURES
    ]


def compared(lines: Sequence[Line], name: Callable[[Any], str]) -> list[dict[str, Any]]:
    """The six charts of those with the most answers."""
    lines = lines[:COMPARED]
    names = [name(line.what) for line in lines]
    return [
        _drawn(
            each,
            bars.ranked(
                bars.Ranking(
                    each.name,
                    _(each.title),
                    names,
                    each.series(lines),
                    each.say,
                    NUMBERS,
                    top=1.0 if each.whole else None,
                )
            ),
        )
        for each in _FIGURES
    ]


def _drawn(figure: _Figure, svg: str) -> dict[str, Any]:
    return {"title": _(figure.title), "svg": svg}
