"""Usage: figures of the ledger as charts and tables, of one company for its reviewers and of all for operators.

What is counted is `conversations/usage.py`, what is drawn `usage_charts.py`; here it is put into words.
Nobody's words are read for it, so there is no sitting and no record of readings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext
from django.views.decorators.http import require_safe

from conversations import access, bars, spending, usage
from conversations.admin.workplace import budgets, doors, usage_charts
from conversations.admin.workplace.usage_charts import percent, seconds, short
from conversations.budgets import money
from conversations.charts import Say
from conversations.models import AnswerRecord, Company
from conversations.rendering import plaintext
from conversations.usage import Figures, Line, Span, Usage

CHOICES = (7, 30, 90, 365)
USUAL = 30
ROWS = 100  # of a table; more are for nobody to read

COLUMNS = (
    gettext_noop("Answers"),
    gettext_noop("Trials"),
    gettext_noop("People"),
    gettext_noop("Tokens in"),
    gettext_noop("Tokens out"),
    gettext_noop("Money"),
    gettext_noop("First token, median, ms"),
    gettext_noop("First token, 95 % within, ms"),
    gettext_noop("Failed"),
    gettext_noop("Failed, %"),
    gettext_noop("Cut at the limit"),
    gettext_noop("Rated good"),
    gettext_noop("Rated bad"),
    # xgettext:no-python-format
    gettext_noop("Good, % of rated"),
)


@require_safe
@doors.of_reviewers
def of_company(request: HttpRequest, company: Company) -> HttpResponse:
    """What one company used."""
    span, context = _asked(request)
    found = usage.of_company(company, span)
    if not found.total.answers:
        context["new"] = not AnswerRecord.objects.filter(company=company).exists()
    context |= _shown(found, request.GET.get("by", "")) | {"title": _("Usage"), "here": "usage"}
    context["titles"] = _titles(Company.objects.filter(pk=company.pk), span)
    context["budgets"] = budgets.told(request, company)
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
    context |= _shown(found, request.GET.get("by", ""), companies=True) | {
        "title": _("Usage of all companies")
    }
    context["titles"] = _titles(Company.objects.all(), span)
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
            problem = _(
                "Give two dates, the earlier one first, with at most %(most)s days from the one to the other. "
                "Shown are the last %(days)s days."
            ) % {"most": usage.MAX_DAYS, "days": chosen}
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


def _shown(found: Usage, by: str, *, companies: bool = False) -> dict[str, Any]:
    """The charts and tables of the page; the charts over time, or `by` what the tables are by."""
    if not found.total.answers:
        return {"total": None}
    parts = _parts(found, companies=companies)
    tables = [_table(*_by(name), lines, said) for name, (lines, said) in parts.items()]
    if companies:
        for row, line in zip(tables[0]["rows"], found.companies, strict=False):
            row["address"] = reverse("admin:review_usage", args=[line.what.pk])
    weekly = bool(found.weeks)
    by_day = _table(*_by("day"), found.days[::-1], _day, rows=len(found.days))
    by_week = _table(*_by("week"), found.weeks[::-1], _day, rows=len(found.weeks))
    over_time = "week" if weekly else "day"
    by = by if by in parts else over_time
    lines, said = parts.get(by, ([], str))
    return {
        "total": found.total,
        "unpriced": _count(found.total.unpriced) if found.total.unpriced else "",
        "estimated": _count(found.total.estimated) if found.total.estimated else "",
        "facts": _facts(found.total),
        "bys": [over_time, *parts],
        "ways": [(each, _called(each)) for each in (over_time, *parts)],
        "by": by,
        "caption": _by(by)[0],
        "charts": (
            usage_charts.compared(lines, said)
            if by in parts
            else usage_charts.over_time(found.weeks or found.days, weekly=weekly)
        ),
        "more": len(lines) if len(lines) > usage_charts.COMPARED else 0,
        "compared": usage_charts.COMPARED,
        "over_time": by == over_time,
        "weekly": weekly,
        "numbers": usage_charts.NUMBERS,
        "columns": [_(column) for column in COLUMNS],
        "by_day": {**by_day, "total": {"name": _("All days"), "bar": "", "cells": _cells(found.total)}},
        "by_week": by_week if weekly else None,
        "tables": tables,
    }


def _parts(found: Usage, *, companies: bool) -> dict[str, tuple[list[Line], Callable[[Any], str]]]:
    """What the figures are by beside time, each with how it is called."""
    parts: dict[str, tuple[list[Line], Callable[[Any], str]]] = {
        "persona": (found.personas, str),
        "version": (
            found.versions,
            _version,
        ),
        "model": (found.models, str),
    }
    return {"company": (found.companies, str), **parts} if companies else parts


def _by(name: str) -> tuple[str, str]:
    """What a table by that is called, and the column of its names."""
    return {
        "company": (_("By company"), _("Company")),
        "persona": (_("By persona"), _("Persona")),
        "version": (_("By version"), _("Version")),
        "model": (_("By model"), _("Model")),
        "day": (_("By day"), _("Day")),
        "week": (_("By week"), _("Week from")),
    }[name]


def _called(name: str) -> str:
    """What charts may be by, as the link to them says it."""
    return {
        "company": pgettext("charts by", "company"),
        "persona": pgettext("charts by", "persona"),
        "version": pgettext("charts by", "version"),
        "model": pgettext("charts by", "model"),
        "day": pgettext("charts by", "day"),
        "week": pgettext("charts by", "week"),
    }[name]


def _version(of: tuple[Any, int | None]) -> str:
    said = _("%(persona)s, version %(number)s") if of[1] else _("%(persona)s, drafts")
    return said % {"persona": plaintext.clean(str(of[0])), "number": of[1]}


def _day(day: date) -> str:
    return date_format(day, _("j M Y"))


def _facts(total: Figures) -> list[tuple[str, str]]:
    """The span in a few numbers."""
    return [
        (_("Answers"), _count(total.answers)),
        (_("People"), _count(total.people)),
        (_("Tokens in"), short(total.tokens_in)),
        (_("Tokens out"), short(total.tokens_out)),
        (_("Money"), _money(total)),
        (_("First token, median"), _said(total.first_token_p50, seconds)),
        (_("First token, 95 % within"), _said(total.first_token_p95, seconds)),
        (_("Failed"), _said(total.failure_rate, percent)),
        (_("Good of rated"), _said(total.rating, percent)),
    ]


def _titles(companies: QuerySet[Company], span: Span) -> str:
    """What was asked for beside answers; empty where nothing was."""
    of = spending.titles(companies, span.first, span.last)
    if not of.number:
        return ""
    price = "–" if of.money is None else money(of.money)
    return ngettext(
        "Beside the answers %(number)s title was asked for: %(in)s tokens in, %(out)s out, %(price)s.",
        "Beside the answers %(number)s titles were asked for: %(in)s tokens in, %(out)s out, %(price)s.",
        of.number,
    ) % {
        "number": _count(of.number),
        "in": _count(of.tokens_in),
        "out": _count(of.tokens_out),
        "price": price,
    }


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
                "bar": bars.share(line.figures.answers, most),
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
        *(_count(count) for count in counts),
        _money(of),
        *(_said(wait, _count) for wait in waits),
        _count(of.failed),
        _said(of.failure_rate, _hundredths),
        *(_count(count) for count in (of.cut, of.rated_good, of.rated_bad)),
        _said(of.rating, _hundredths),
    ]


def _said(value: float | None, say: Say) -> str:
    return "–" if value is None else say(value)


def _money(of: Figures) -> str:
    """What it cost, as far as prices were known."""
    return "–" if of.unpriced and not of.money else money(of.money)


def _hundredths(rate: float) -> str:
    return number_format(f"{100 * rate:.1f}")


def _count(number: float) -> str:
    """A whole number, as the language writes it."""
    return number_format(number, force_grouping=True)
