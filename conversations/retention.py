"""How long a company keeps chats: what holds now, what a shorter period would remove, and the change itself.

A company's period is the longest for its personas; one of a persona's own can only be shorter. Whoever shortens one is
shown first what would go, and says that this is meant; then it waits for a day, in which it can be taken back. Callers
have been through `access`, and put the change on record.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    Func,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.models import Company, Conversation, Period, Persona
from conversations.models.keeping import held
from conversations.posting import Refused

GRACE = timedelta(hours=24)
MOST_DAYS = 36_500
COUNTED = 10_000  # conversations of a persona; more are "10,000 or more"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # before any conversation
GROWN = 10  # conversations, or a tenth of what was confirmed: so many more may have come since


@dataclass(frozen=True, slots=True)
class Loss:
    """What of one persona would go: conversations that nobody has written in since, and those that are held."""

    persona: str
    number: int
    held: int
    oldest: datetime
    newest: datetime

    @property
    def capped(self) -> bool:
        return self.number >= COUNTED


@dataclass(frozen=True, slots=True)
class Preview:
    """What a shorter period would remove once it is in force, by persona."""

    losses: list[Loss]

    @property
    def number(self) -> int:
        """Conversations; of each persona at most `COUNTED` are counted."""
        return sum(loss.number for loss in self.losses)

    @property
    def held(self) -> int:
        """Of these, how many are held or under review; counted up to `COUNTED` as well."""
        return sum(loss.held for loss in self.losses)

    @property
    def goes(self) -> bool:
        """Whether anything of it goes that nobody holds at the moment."""
        return self.capped or self.held < self.number

    @property
    def capped(self) -> bool:
        return any(loss.capped for loss in self.losses)

    @property
    def many(self) -> str:
        """The number in words, where it is not known exactly too."""
        number = number_format(self.number, force_grouping=True)
        return _("%(number)s or more") % {"number": number} if self.capped else number


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one period, in force from `at` on. `withdrawn` says in words what else was to come into force."""

    persona: Persona | None
    before: int | None
    after: int | None
    at: datetime
    waits: bool
    withdrawn: str

    @property
    def happened(self) -> bool:
        """Whether there is anything to put on record."""
        return self.before != self.after or self.waits or bool(self.withdrawn)

    @property
    def sentence(self) -> str:
        """What was done, for the record."""
        of_persona = self.persona is not None
        what = _("Chats with %(persona)s") % {"persona": self.persona} if of_persona else _("Chats")
        facts = {
            "what": what,
            "after": in_words(self.after, of_persona=of_persona),
            "before": in_words(self.before, of_persona=of_persona),
            "withdrawn": self.withdrawn,
            "at": date_format(timezone.localtime(self.at), "DATETIME_FORMAT"),
        }
        if self.before != self.after:
            said = (
                _(
                    "%(what)s are kept %(after)s (before: %(before)s), from %(at)s on. "
                    "Until then it can be taken back."
                )
                if self.waits
                else _("%(what)s are kept %(after)s (before: %(before)s).")
            )
        elif self.withdrawn:
            said = _("%(what)s are kept %(after)s, and not only %(withdrawn)s.")
        else:
            said = _("%(what)s are kept %(after)s, as before.")
        return said % facts


class Grown(Exception):
    """More would go than was confirmed."""


def in_words(days: int | None, *, of_persona: bool = False) -> str:
    """A period as people say it."""
    if days is None:
        return _("as long as the company’s") if of_persona else _("for ever")
    number = number_format(days, force_grouping=True)
    return ngettext("%(number)s day", "%(number)s days", days) % {"number": number}


def period(company: Company, persona: Persona | None = None) -> Period:
    """The row of a company or of one of its personas; one that is not stored where nothing was settled."""
    found = Period.objects.filter(company=company, persona=persona).first()
    return found or Period(company=company, persona=persona)


def seen(row: Period) -> str:
    """What a page shows of a row, to be compared when it is changed."""
    return f"{row.days or 0}:{row.earlier_days or 0}:{row.waits_until.isoformat() if row.waits_until else ''}"


def shortens(row: Period, days: int | None, now: datetime) -> bool:
    """Whether with `days` something could go that neither goes now nor will by what was settled already."""
    return _shorter(days, row.in_force(now)) and _shorter(days, row.days)


def in_force(company_ids: Iterable[uuid.UUID] | None = None, *, now: datetime) -> dict[uuid.UUID, int]:
    """By persona, for how many days its chats are kept. What is kept for ever is left out."""
    rows = Period.objects.all()
    if company_ids is not None:
        rows = rows.filter(company__in=company_ids)
    days = {(row.company_id, row.persona_id): row.in_force(now) for row in rows}
    companies = {company for company, _ in days}
    personas = Persona.objects.filter(company__in=companies).values_list("pk", "company_id")
    return {
        pk: min(known)
        for pk, company in personas
        if (known := [d for d in (days.get((company, None)), days.get((company, pk))) if d is not None])
    }


def preview(row: Period, days: int | None, *, now: datetime) -> Preview:
    """What would go beyond what goes anyway, once `row` with `days` is in force and nobody writes until then."""
    new, old = _lasting(row, days), _lasting(row, row.in_force(now))
    shorter = {pk: new[pk] for pk in new if _shorter(new[pk], old.get(pk))}
    return Preview(list(_losses(shorter, old, now + GRACE)) if shorter else [])


def change(row: Period, days: int | None, *, confirmed: int | None, now: datetime) -> Change:
    """Settle `days` for what `row` speaks of, which the caller holds the company of. `confirmed` is the number of
    conversations that were shown to go; None where nothing was shown.

    Raises Grown where more would go than was confirmed, and Refused for a period that cannot be.
    """
    _check(row, days)
    before = row.in_force(now)
    withdrawn = in_words(row.days) if row.waits(now) and days != row.days else ""
    if shortens(row, days, now):
        found = preview(row, days, now=now)
        if confirmed is None or (
            confirmed < COUNTED and found.number > confirmed + max(GROWN, confirmed // 10)
        ):
            raise Grown
        row.earlier_days, row.waits_until = before, now + GRACE
    elif not _shorter(days, before):
        row.earlier_days, row.waits_until = None, None
    row.days = days
    row.save()
    waits = row.waits(now)
    at = row.waits_until if waits and row.waits_until else now
    return Change(row.persona, before, days, at, waits, withdrawn)


def take_back(row: Period, *, now: datetime) -> Change:
    """Settle again what holds as long as the change of `row` waits. Raises Refused."""
    if not row.waits(now):
        raise Refused(_("The shorter period is in force already. Give a longer one instead."), status=409)
    return change(row, row.earlier_days, confirmed=None, now=now)


def _shorter(days: int | None, than: int | None) -> bool:
    return days is not None and (than is None or days < than)


def _check(row: Period, days: int | None) -> None:
    if days is not None and not 1 <= days <= MOST_DAYS:
        most = number_format(MOST_DAYS, force_grouping=True)
        raise Refused(_("A period has 1 to %(most)s days. Nothing was changed.") % {"most": most}, status=400)
    longest = period(row.company).days if row.persona_id else None
    if _shorter(longest, days):
        raise Refused(
            _(
                "The company keeps chats for %(period)s, and a persona’s own period can only be shorter. "
                "Nothing was changed."
            )
            % {"period": in_words(longest)},
            status=409,
        )


def _lasting(row: Period, days: int | None) -> dict[uuid.UUID, int]:
    """By persona of the company, its period if `row` said `days`, and all others what they are to be."""
    rows = {each.persona_id: each.days for each in Period.objects.filter(company=row.company)}
    rows[row.persona_id] = days
    personas = Persona.objects.filter(company=row.company).values_list("pk", flat=True)
    return {
        pk: min(known)
        for pk in personas
        if (known := [d for d in (rows.get(None), rows.get(pk)) if d is not None])
    }


def _losses(new: dict[uuid.UUID, int], old: dict[uuid.UUID, int], at: datetime) -> Iterator[Loss]:
    """By persona what is older than the new period and not than the old one. One query, a range of an index each."""

    def cutoff(days: dict[uuid.UUID, int]) -> Case:
        ends = [When(pk=pk, then=Value(at - timedelta(days=days[pk]))) for pk in new if pk in days]
        return Case(*ends, default=Value(BEGINNING), output_field=DateTimeField())

    ageing = Conversation.objects.filter(
        persona=OuterRef("pk"), active_at__lt=OuterRef("until"), active_at__gte=OuterRef("since")
    )
    by_age = ageing.order_by("active_at").values("active_at")
    found = (
        Persona.objects.filter(pk__in=new)
        .annotate(until=cutoff(new), since=cutoff(old))
        .annotate(
            number=_Counted(ageing.values("pk")[:COUNTED]),
            held=_Counted(ageing.filter(held()).values("pk")[:COUNTED]),
            oldest=Subquery(by_age[:1]),
            newest=Subquery(by_age.reverse()[:1]),
        )
    )
    for name, number, stay, oldest, newest in found.order_by("name").values_list(
        "name", "number", "held", "oldest", "newest"
    ):
        if number:
            yield Loss(name, number, stay, oldest, newest)


class _Counted(Func):
    """How many rows a query with a limit has."""

    template = "(SELECT COUNT(*) FROM %(expressions)s AS counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        super().__init__(Subquery(rows))
