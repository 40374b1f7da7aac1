"""The queue of a company: what waits, for what, since when and why. It shows nobody's words, so it needs no sitting."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.views.decorators.http import require_safe

from conversations import access, reviewing, rules
from conversations.admin.workplace import doors, moments
from conversations.admin.workplace.results import Result, results
from conversations.models import AnswerRecord, Company, EntryReason, QueueEntry, Rule
from conversations.reading import masked_name
from conversations.reviewing.agreement import DAYS

Status = QueueEntry.Status

PAGE_SIZE = 50
MOST = 999  # what a tab counts to
REASONS = 3

TABS = {
    "waiting": (pgettext_lazy("list of the queue", "Waiting"), Status.OPEN),
    "second": (pgettext_lazy("list of the queue", "Second"), Status.SECOND),
    "ruling": (pgettext_lazy("list of the queue", "Ruling"), Status.RULING),
    "mine": (pgettext_lazy("list of the queue", "Mine"), None),
    "done": (pgettext_lazy("list of the queue", "Done"), Status.DONE),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is listed."""

    entry: QueueEntry
    person: str
    reasons: list[str]
    further: int
    since: str
    waits_for: str
    holder: str
    answers: int
    closed: str
    result: Result | None


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the lists. `count` is empty where nobody has to know."""

    name: str
    label: str
    count: str


@require_safe
@doors.of_reviewers
def listed(request: HttpRequest, company: Company) -> HttpResponse:
    """The entries of a `tab`, of some `kind`, in pages that begin `after` an entry."""
    tab, kind = request.GET.get("tab", ""), request.GET.get("kind", "")
    tab = tab if tab in TABS else "waiting"
    kind = kind if kind in Rule.Kind.values else ""
    after = _parse(request.GET.get("after", ""))
    reader = cast(User, request.user)
    rows = _rows(company, reader, tab)
    if kind:
        rows = rows.filter(Exists(EntryReason.objects.filter(entry=OuterRef("pk"), kind=kind)))
    found = list(_paged(rows, tab, after)[: PAGE_SIZE + 1])
    entries = found[:PAGE_SIZE]
    ended = results(reader, entries) if tab == "done" else {}
    chosen = {"tab": tab} | ({"kind": kind} if kind else {})
    context = {
        "title": gettext("Review queue"),
        "here": "queue",
        "tabs": [Tab(name, str(label), _count(company, reader, name)) for name, (label, _) in TABS.items()],
        "tab": tab,
        "kinds": Rule.Kind.choices,
        "kind": kind,
        "lines": [_line(company, entry, ended.get(entry.pk)) for entry in entries],
        "later": bool(after),
        "more": urlencode(chosen | {"after": _cursor(entries[-1])}) if len(found) > PAGE_SIZE else "",
        "ruled": Rule.objects.filter(company=company, active=True).exists(),
        "agreement": reviewing.of_company(company),
        "days": DAYS,
    }
    return doors.page(request, "queue.html", company, context)


def _paged(
    rows: QuerySet[QueueEntry], tab: str, after: tuple[datetime, uuid.UUID] | None
) -> QuerySet[QueueEntry]:
    """Oldest first, for that is whose turn it is; of what is done the newest first."""
    way = "lt" if tab == "done" else "gt"
    if after:
        moment, pk = after
        beyond = Q(**{f"opened_at__{way}": moment}) | Q(**{"opened_at": moment, f"pk__{way}": pk})
        rows = rows.filter(beyond)
    return rows.order_by("-opened_at", "-pk") if tab == "done" else rows.order_by("opened_at", "pk")


def _of(company: Company, reader: User, tab: str) -> QuerySet[QueueEntry]:
    status = TABS[tab][1]
    entries = access.queue(company)
    if status is None:
        return entries.filter(claimed_by=reader).exclude(status=Status.DONE)
    if status == Status.SECOND:
        return reviewing.second_for(reader, company)
    return entries.filter(status=status)


def _rows(company: Company, reader: User, tab: str) -> QuerySet[QueueEntry]:
    """The entries of a tab with all that their lines say, in four queries."""
    answers = (
        AnswerRecord.objects.filter(conversation=OuterRef("conversation"))
        .order_by()
        .values("conversation")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return (
        _of(company, reader, tab)
        .select_related("claimed_by", "conversation__persona")
        .defer("conversation__title")
        .prefetch_related(Prefetch("reasons", EntryReason.objects.order_by("pk")))
        .annotate(answers=Coalesce(Subquery(answers), 0))
    )


def _count(company: Company, reader: User, tab: str) -> str:
    if tab == "done":
        return ""
    number = _of(company, reader, tab)[: MOST + 1].count()
    return f"{MOST}+" if number > MOST else str(number)


def _line(company: Company, entry: QueueEntry, result: Result | None) -> Line:
    said: dict[str, set[int]] = {}
    for reason in entry.reasons.all():
        said.setdefault(_in_words(reason), set()).add(reason.record_id)
    words = [_of_several(text, len(of)) if len(of) > 1 else text for text, of in said.items()]
    holder = reviewing.holder(entry)
    seat = reviewing.SEATS.get(Status(entry.status))
    return Line(
        entry=entry,
        person=masked_name(company, entry.conversation.owner_id),
        reasons=words[:REASONS],
        further=len(words[REASONS:]),
        since=moments.short(entry.opened_at),
        waits_for=str(seat.label) if seat else "",
        holder=reviewing.name_of(holder) if holder else "",
        answers=getattr(entry, "answers", 0),
        closed=moments.short(entry.closed_at) if entry.closed_at else "",
        result=result,
    )


def _in_words(reason: EntryReason) -> str:
    """Why, without what a rule found in a text: that is somebody's words."""
    unsaid = {
        Rule.Kind.PATTERN: gettext("Matches a pattern."),
        Rule.Kind.WORDS: gettext("Says one of your words."),
    }
    return unsaid.get(Rule.Kind(reason.kind)) or rules.worded(reason.said)


def _of_several(reason: str, number: int) -> str:
    said = ngettext("%(reason)s (%(number)s answer)", "%(reason)s (%(number)s answers)", number)
    return said % {"reason": reason, "number": number}


def _cursor(entry: QueueEntry) -> str:
    return f"{entry.opened_at.isoformat()}~{entry.pk}"


def _parse(cursor: str) -> tuple[datetime, uuid.UUID] | None:
    """The last entry of the page before; None for the first page, and for a cursor that nobody made here."""
    moment, _, pk = cursor.partition("~")
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), uuid.UUID(pk)
    except (ValueError, OverflowError):
        return None
