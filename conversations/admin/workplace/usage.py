"""Usage: figures of the ledger as charts and tables, of one company for its reviewers and of all for operators.

What is counted is `conversations/usage.py`, how it is drawn `conversations/charts.py`; here it is put into words.
Nobody's words are read for it, so there is no sitting and no record of readings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from conversations import access, charts, usage
from conversations.admin.workplace import doors
from conversations.models import AnswerRecord, Company
from conversations.usage import Figures, Line, Span, Usage

CHOICES = (7, 30, 90, 365)
USUAL = 30
ROWS = 100  # of a table; more are for nobody to read
NUMBERS = "usage-numbers"  # the id of the sentence that every chart points to

COLUMNS = (
    "Answers",
    "Trials",
    "People",
    "Tokens in",
    "Tokens out",
    "First token p50, ms",
    "First token p95, ms",
    "Failed",
    "Failed, %",
    "Cut at the limit",
    "Rated good",
    "Rated bad",
    "Good, % of rated",
)


@require_safe
@doors.of_reviewers
def of_company(request: HttpRequest, company: Company) -> HttpResponse:
    """What one company used."""
    span, context = _asked(request)
    found = usage.of_company(company, span)
    if not found.total.answers:
        context["new"] = not AnswerRecord.objects.filter(company=company).exists()
    context |= _shown(found) | {"title": "Usage", "here": "usage"}
    return doors.page(request, "usage.html", company, context, status=400 if context["problem"] else 200)


@require_safe
def of_all(request: HttpRequest) -> HttpResponse:
    """What all companies used, for operators."""
    if not access.is_operator(request.user):
        raise PermissionDenied
    span, context = _asked(request)
    found = usage.of_all(span)
    if not found.total.answers:
        context["new"] = not AnswerRecord.objects.exists()
    context |= _shown(found, companies=True) | {"title": "Usage of all companies"}
    context = {**admin.site.each_context(request), **context}
    status = 400 if context["problem"] else 200
    return TemplateResponse(request, "admin/review/usage.html", context, status=status)


def _asked(request: HttpRequest) -> tuple[Span, dict[str, Any]]:
    """The span that the address names, and what the page says of it."""
    first, last = request.GET.get("from", ""), request.GET.get("to", "")
    days = request.GET.get("days", "")
    chosen = int(days) if days in map(str, CHOICES) else USUAL
    span, problem = Span.until_today(chosen), ""
    if first or last:
        try:
            span, chosen = _between(date.fromisoformat(first), date.fromisoformat(last)), 0
        except ValueError:
            problem = (
                f"Give two dates, the earlier one first, with at most {usage.MAX_DAYS} days from the one to the other."
                f" Shown are the last {chosen} days."
            )
    return span, {
        "span": span,
        "choices": CHOICES,
        "chosen": chosen,
        "first": first if problem else span.first.isoformat(),
        "last": last if problem else span.last.isoformat(),
        "today": Span.until_today(1).last.isoformat(),
        "problem": problem,
        "zone": timezone.get_default_timezone_name(),
        "new": False,
    }


def _between(first: date, last: date) -> Span:
    """A span of both days and what lies between. Raises ValueError."""
    if not usage.EARLIEST <= first <= last or last.year > 9_000 or (last - first).days >= usage.MAX_DAYS:
        raise ValueError
    return Span(first, last)


def _shown(found: Usage, *, companies: bool = False) -> dict[str, Any]:
    """The charts and tables of the page."""
    if not found.total.answers:
        return {"total": None}
    drafts = "drafts"
    tables = [
        _table("By persona", "Persona", found.personas, str),
        _table(
            "By version",
            "Version",
            found.versions,
            lambda of: f"{of[0]}, {f'version {of[1]}' if of[1] else drafts}",
        ),
        _table("By model", "Model", found.models, str),
    ]
    if companies:
        by_company = _table("By company", "Company", found.companies, str)
        for row, line in zip(by_company["rows"], found.companies, strict=False):
            row["address"] = reverse("admin:review_usage", args=[line.what.pk])
        tables.insert(0, by_company)
    by_day = _table(
        "By day", "Day", found.days[::-1], lambda day: f"{day.day} {day:%b %Y}", rows=len(found.days)
    )
    total = {"name": "All days", "bar": "", "cells": _cells(found.total)}
    return {
        "total": found.total,
        "facts": _facts(found.total),
        "charts": _charts(found.days),
        "numbers": NUMBERS,
        "columns": COLUMNS,
        "by_day": {**by_day, "total": total},
        "tables": tables,
    }


def _facts(total: Figures) -> list[tuple[str, str]]:
    """The span in a few numbers."""
    return [
        ("Answers", f"{total.answers:,}"),
        ("People", f"{total.people:,}"),
        ("Tokens in", _short(total.tokens_in)),
        ("Tokens out", _short(total.tokens_out)),
        ("First token p50", _said(total.first_token_p50, _seconds)),
        ("First token p95", _said(total.first_token_p95, _seconds)),
        ("Failed", _said(total.failure_rate, _percent)),
        ("Good of rated", _said(total.rating, _percent)),
    ]


def _charts(days: Sequence[Line]) -> list[dict[str, Any]]:
    """The six charts, each with its heading."""

    def series(of: Callable[[Figures], float | None], name: str = "") -> charts.Series:
        return charts.Series([of(line.figures) for line in days], name)

    def drawn(name: str, title: str, *lines: charts.Series, say: charts.Say, **more: Any) -> dict[str, Any]:
        chart = charts.Chart(name, title, [line.what for line in days], lines, say, NUMBERS, **more)
        return {"title": title, "svg": charts.daily(chart)}

    return [
        drawn("answers", "Answers", series(lambda f: f.answers), say=_short, bars=True),
        drawn("people", "People", series(lambda f: f.people), say=_short, bars=True),
        drawn(
            "tokens",
            "Tokens",
            series(lambda f: f.tokens_in, "in"),
            series(lambda f: f.tokens_out, "out"),
            say=_short,
        ),
        drawn(
            "first-token",
            "Time to first token",
            series(lambda f: f.first_token_p50, "p50"),
            series(lambda f: f.first_token_p95, "p95"),
            say=_seconds,
        ),
        drawn("failed", "Failed answers", series(lambda f: f.failure_rate), say=_percent),
        drawn("rating", "Good answers of rated", series(lambda f: f.rating), say=_percent, top=1.0),
    ]


def _table(
    caption: str, head: str, lines: Sequence[Line], name: Callable[[Any], str], *, rows: int = ROWS
) -> dict[str, Any]:
    most = max((line.figures.answers for line in lines), default=0)
    return {
        "caption": caption,
        "head": head,
        "count": len(lines),
        "rows": [
            {
                "name": name(line.what),
                "bar": charts.share(line.figures.answers, most),
                "cells": _cells(line.figures),
            }
            for line in lines[:rows]
        ],
    }


def _cells(of: Figures) -> list[str]:
    """A row of a table, in the order of COLUMNS."""
    counts = (of.answers, of.trials, of.people, of.tokens_in, of.tokens_out)
    waits = (of.first_token_p50, of.first_token_p95)
    return [
        *(f"{count:,}" for count in counts),
        *(_said(wait, "{:,}".format) for wait in waits),
        f"{of.failed:,}",
        _said(of.failure_rate, _hundredths),
        *(f"{count:,}" for count in (of.cut, of.rated_good, of.rated_bad)),
        _said(of.rating, _hundredths),
    ]


def _said(value: float | None, say: charts.Say) -> str:
    return "–" if value is None else say(value)


def _hundredths(rate: float) -> str:
    return f"{100 * rate:.1f}"


def _percent(rate: float) -> str:
    """For a label: whole where it is, else with one digit."""
    return f"{100 * rate:.1f}".removesuffix(".0") + " %"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if 0 < milliseconds < 1_000 else f"{milliseconds / 1_000:.3g} s"


def _short(number: float) -> str:
    """For a label: at most four digits."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            scale = 1e3 if unit == "k" else size
            return f"{number / scale:.3g}".replace("e+03", "000") + unit
    return f"{number:,.0f}"
