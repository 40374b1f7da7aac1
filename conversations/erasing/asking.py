"""What an erasure would do, and the order to do it. From the order on the person is out; the rest is `steps.py`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from conversations import metrics
from conversations.erasing import passes
from conversations.models import Company, Conversation, Erasure, Generation, Hold, Membership, Message
from conversations.models.keeping import held
from conversations.posting import Refused

COUNTED = 10_000

HELD = gettext_noop(
    "{who} cannot be erased while something of theirs is held: {holds}. Nothing was changed. "
    "Lift the holds first, or wait until they are."
)
OWN = gettext_noop(
    "Nobody erases themselves: ask another manager, or whoever runs the site. Nothing was changed."
)
LAST = gettext_noop("This is the only operator’s account. Make another operator first. Nothing was changed.")
NOT_TYPED = gettext_noop("What was typed is not the username. Nothing was changed.")
ALREADY = gettext_noop("This account was erased already.")


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go and what has to stay, by kind and with how many; `postponed` conversations wait for a review."""

    gone: dict[str, int]
    stays: dict[str, int]
    postponed: int
    holds: list[Hold]


def find(username: str) -> User:
    """The account of that name. Raises Refused."""
    found = User.objects.filter(username=username).first()
    if found is None:
        raise Refused(_("There is no account of that name."), status=404)
    return found


def preview(person: User, company: Company | None) -> Preview:
    """What erasing `person` would do, at `company` alone or everywhere. Counts stop at `COUNTED`."""
    draft = Erasure(person=person, company=company)
    found = passes.count(draft, COUNTED)
    mine = conversations(draft)
    number = mine[:COUNTED].count()
    messages = Message.objects.filter(conversation__in=mine)[:COUNTED].count()
    chats = {"conversations": number, "messages": messages} if number else {}
    return Preview(
        gone=chats | found["gone"],
        stays=found["stays"],
        postponed=mine.filter(held())[:COUNTED].count(),
        holds=list(_holds(draft)),
    )


def ask(person: User, company: Company | None, *, by: User | None, typed: str) -> Erasure:
    """Erase `person` at `company`, or everywhere, from now on: they are out at once, and what runs for them is stopped.

    Asked again, it is the one that is under way. Raises Refused.
    """
    if by is not None and by.pk == person.pk:
        raise Refused(_(OWN), status=403)
    with transaction.atomic():
        # The row that each question of the person's is asked under: what comes later finds the door closed.
        person = User.objects.select_for_update().get(pk=person.pk)
        known = Erasure.objects.filter(person=person, company=company)
        if found := known.filter(finished_at=None).first():
            return found
        if typed.strip() != person.username:
            raise Refused(_(NOT_TYPED), status=400)
        _check(person, company)
        erasure = Erasure.objects.create(
            person=person, company=company, asked_by=by, fingerprint=fingerprint(person)
        )
        close(erasure)
    metrics.erasures.labels("asked").inc()
    return erasure


def conversations(erasure: Erasure) -> QuerySet[Conversation]:
    """The conversations that an erasure is to remove, trials among them."""
    mine = Conversation.objects.filter(owner=erasure.person_id)
    return mine.filter(persona__company=erasure.company_id) if erasure.company_id else mine


def stop_answers(erasure: Erasure) -> None:
    """Have the person's answers end, in whichever process they run: it looks for that each second."""
    live = Generation.objects.live().filter(conversation__in=conversations(erasure).values("pk"))
    live.update(stop_requested=True)


def fingerprint(person: User) -> str:
    """Tells whether an account is the one that it was, without saying who that is."""
    return hashlib.sha256(f"{person.pk} {person.date_joined.isoformat()}".encode()).hexdigest()


def _holds(erasure: Erasure) -> QuerySet[Hold]:
    active = Hold.objects.filter(lifted_at=None).select_related("company", "placed_by")
    on_chats = active.filter(conversation__owner=erasure.person_id)
    on_person = active.filter(person=erasure.person_id)
    if erasure.company_id:
        on_chats = on_chats.filter(company=erasure.company_id)
        on_person = on_person.filter(company=erasure.company_id)
    return (on_chats | on_person).order_by("pk")


def _check(person: User, company: Company | None) -> None:
    if company is None:
        if Erasure.objects.filter(person=person, company=None).exists():
            raise Refused(_(ALREADY), status=409)
        others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
        if person.is_superuser and not others.exists():
            raise Refused(_(LAST), status=409)
    if held := list(_holds(Erasure(person=person, company=company))[:COUNTED]):
        said = ngettext(
            "%(number)s hold, the first since %(day)s", "%(number)s holds, the first since %(day)s", len(held)
        ) % {
            "number": number_format(len(held), force_grouping=True),
            "day": date_format(held[0].placed_at, "DATE_FORMAT"),
        }
        raise Refused(_(HELD).format(who=person.username, holds=said), status=409)


def close(erasure: Erasure) -> None:
    """Shut the person out, and settle on whom hangs what stays."""
    person = erasure.person
    erasure.companies = passes.companies(erasure)
    if erasure.company_id is None:
        User.objects.filter(pk=person.pk).update(is_active=False)
        erasure.stand_in = person
    else:
        places, _ = Membership.objects.filter(user=person, company=erasure.company_id).delete()
        stand_in = User(username=erasure.pseudonym, is_active=False)
        stand_in.set_unusable_password()
        stand_in.save(force_insert=True)
        erasure.stand_in = stand_in
        erasure.gone = {"memberships": places} if places else {}
    erasure.save(update_fields=["stand_in", "gone", "companies"])
    stop_answers(erasure)
