"""How long a company's chats are kept, for its managers: the periods, what a shorter one would remove, the receipts."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST, require_safe

from conversations import access, holds, retention
from conversations.admin.workplace import doors, settings
from conversations.models import Company, Erasure, Hold, Period, Persona, RetentionRun
from conversations.posting import Refused

RECEIPTS = 30  # of the last runs are shown
SHOWN_FOR = 3_600  # seconds for which a preview can be confirmed
SALT = "a preview of a period"
MEANWHILE = gettext_noop("Somebody has changed this period meanwhile. Look at it again; nothing was changed.")
UNCLEAR = gettext_noop("Give a whole number of days, or leave it empty. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Row:
    """The period of the company, or of one of its personas, as its form shows it."""

    persona: Persona | None
    period: Period
    now: datetime

    @property
    def waits(self) -> bool:
        return self.period.waits(self.now)

    @property
    def seen(self) -> str:
        return retention.seen(self.period)

    @property
    def in_force(self) -> str:
        return retention.in_words(self.period.in_force(self.now), of_persona=self.persona is not None)

    @property
    def days(self) -> str:
        """What its field holds: digits alone, in every language."""
        return "" if self.period.days is None else str(self.period.days)

    @property
    def to_come(self) -> str:
        return retention.in_words(self.period.days)


@require_safe
@doors.of_managers
def page(request: HttpRequest, company: Company) -> HttpResponse:
    """The periods, what is held, what was removed."""
    now = timezone.now()
    known = {row.persona_id: row for row in Period.objects.filter(company=company)}
    personas = [None, *Persona.objects.filter(company=company).order_by("name")]
    rows = [
        Row(each, known.get(each.pk if each else None) or Period(company=company, persona=each), now)
        for each in personas
    ]
    context = {
        "title": _("Keeping"),
        "here": "keeping",
        "rows": rows,
        "most": retention.MOST_DAYS,
        "holds": access.held(company)
        .filter(lifted_at=None)
        .select_related("placed_by", "person")
        .order_by("-pk"),
        "lifted": _lifted(company),
        "runs": RetentionRun.objects.filter(company=company)
        .select_related("persona")
        .order_by("-pk")[:RECEIPTS],
        "erasures": Erasure.objects.filter(company=company)
        .select_related("asked_by")
        .order_by("-pk")[:RECEIPTS],
    }
    return doors.page(request, "keeping.html", company, context)


@require_POST
@doors.of_managers
def period(request: HttpRequest, company: Company) -> HttpResponse:
    """Settle a period. One that is shorter is shown first with what would go, and takes the second press."""
    persona = _persona(request, company)
    days = _days(request.POST.get("days", "").strip())
    signed = request.POST.get("confirmed", "")
    confirmed = _confirmed(signed, _settled(request, company, persona, days))
    now = timezone.now()
    try:
        with transaction.atomic():
            row = _taken(request, company, persona)
            change = retention.change(row, days, confirmed=confirmed, now=now)
            if change.happened:
                settings.log(request, company, change.sentence)
    except retention.Grown:
        return _preview(request, company, persona, days, now=now, again=bool(signed))
    return _done(request, company, change.sentence)


@require_POST
@doors.of_managers
@transaction.atomic
def take_back(request: HttpRequest, company: Company) -> HttpResponse:
    """Take back a shorter period that is not in force yet."""
    row = _taken(request, company, _persona(request, company))
    change = retention.take_back(row, now=timezone.now())
    settings.log(request, company, _("Taken back. %(change)s") % {"change": change.sentence})
    return _done(request, company, _("Taken back. The shorter period does not come into force."))


@require_POST
@doors.of_managers
def lift(request: HttpRequest, company: Company, hold_id: int) -> HttpResponse:
    """Lift a hold, with a reason."""
    hold = access.hold(company, hold_id)
    with transaction.atomic():
        holds.lift(hold, request.POST.get("reason", ""), cast(User, request.user))
        settings.log(request, company, _("Lifted the hold %(hold)s.") % {"hold": hold.pk})
    said = _("The hold is lifted. What is too old goes at the next time.")
    return _done(request, company, said, "holds")


def _preview(
    request: HttpRequest,
    company: Company,
    persona: Persona | None,
    days: int | None,
    *,
    now: datetime,
    again: bool,
) -> HttpResponse:
    row = retention.period(company, persona)
    found = retention.preview(row, days, now=now)
    title = _("Chats with %(persona)s: keep them %(period)s") if persona else _("Chats: keep them %(period)s")
    context = {
        "title": title % {"persona": persona, "period": retention.in_words(days)},
        "here": "keeping",
        "persona": persona,
        "days": "" if days is None else str(days),
        "seen": retention.seen(row),
        "before": retention.in_words(row.in_force(now)),
        "preview": found,
        "confirmed": signing.dumps([*_settled(request, company, persona, days), found.number], salt=SALT),
        "at": now + retention.GRACE,
        "again": again,
    }
    return doors.page(request, "period.html", company, context, status=409 if again else 200)


def _settled(request: HttpRequest, company: Company, persona: Persona | None, days: int | None) -> list[Any]:
    """What a preview was shown of, and to whom."""
    return [request.user.pk, str(company.pk), str(persona.pk) if persona else None, days]


def _confirmed(signed: str, settled: list[Any]) -> int | None:
    """How many conversations a preview of just this showed to go. None where none was, or too long ago."""
    try:
        *shown, number = signing.loads(signed, salt=SALT, max_age=SHOWN_FOR)
    except signing.BadSignature:
        return None
    return int(number) if shown == settled else None


def _taken(request: HttpRequest, company: Company, persona: Persona | None) -> Period:
    """The row, which nobody else changes until the end of the transaction, as the page showed it. Raises Refused."""
    settings.take(company)
    row = retention.period(company, persona)
    if request.POST.get("seen", "") != retention.seen(row):
        raise Refused(_(MEANWHILE), status=409)
    return row


def _persona(request: HttpRequest, company: Company) -> Persona | None:
    given = request.POST.get("persona", "")
    if not given:
        return None
    try:
        found = access.managed_persona(request.user, uuid.UUID(given))
    except ValueError as error:
        raise access.NotVisible from error
    if found.company_id != company.pk:
        raise access.NotVisible
    return found


def _days(given: str) -> int | None:
    """The days that were typed, also as the language groups digits; None where it was left empty. Raises Refused."""
    if not given:
        return None
    if re.fullmatch(
        rf"[0-9]{{1,3}}(?:(?:{re.escape(get_format('THOUSAND_SEPARATOR'))}|\s)[0-9]{{3}})+", given
    ):
        given = "".join(filter(str.isdigit, given))
    if not (given.isascii() and given.isdigit() and len(given) < 9):
        raise Refused(_(UNCLEAR), status=400)
    return int(given)


def _lifted(company: Company) -> list[Hold]:
    found = (
        access.held(company)
        .filter(lifted_at__isnull=False)
        .select_related("placed_by", "lifted_by", "person")
    )
    return list(found.order_by("-lifted_at")[:RECEIPTS])


def _done(request: HttpRequest, company: Company, sentence: str, section: str = "periods") -> HttpResponse:
    messages.success(request, sentence, extra_tags=section)
    return redirect(f"{reverse('admin:review_keeping', args=[company.pk])}#{section}")
