"""Reading other people's conversations, on record: no row in the record, no look.

A sitting is one stretch of a person's reading, for one reason that they gave at its beginning. Every function here
that hands out somebody's words commits the record first; when that fails, its exception is all that comes out.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from conversations import access
from conversations.models import Company, Conversation, Reading

REASON_CHARS = 300
AMONG_ACCOUNTS = "Among the accounts of the administration, where no reason is asked."

What = Reading.What


@dataclass(frozen=True, slots=True)
class Sitting:
    """Who reads what of which company, and why. `unmasked` holds the people whose names they asked for."""

    id: uuid.UUID
    reader: User
    company: Company
    reason: str
    unmasked: frozenset[int] = frozenset()

    def name_of(self, person: User | None) -> str:
        """What the reader is told of who `person` is."""
        if person is None:
            return gettext("Deleted account")
        if person.pk in self.unmasked or person.pk == self.reader.pk:
            return person.get_full_name() or person.get_username()
        return masked_name(self.company, person.pk)


def masked_name(company: Company, person_id: int) -> str:
    """A name that stays the same for a person within a company and tells nothing of who it is."""
    key = f"masked names of {company.pk}: {settings.SECRET_KEY}".encode()
    digest = hmac.new(key, str(person_id).encode(), hashlib.sha256).hexdigest()
    return f"Person {digest[:8].upper()}"


def conversation(sitting: Sitting, conversation_id: uuid.UUID) -> Conversation:
    """A conversation of the sitting's company, to be read as a page. Raises NotVisible."""
    found = access.reviewed_conversation(sitting.company, conversation_id)
    look(sitting, [found], What.PAGE)
    return found


def unmask(sitting: Sitting, conversation_id: uuid.UUID) -> User:
    """Whose conversation it is. Raises NotVisible."""
    found = access.reviewed_conversation(sitting.company, conversation_id)
    look(sitting, [found], What.UNMASK)
    return found.owner


def password_set(operator: User, person: User) -> None:
    """Record that `operator` is about to set the password of `person`, with which one can sign in and read as them.

    At each company that they belong to or have conversations of. Raises what `look` raises.
    """
    _at_each(companies_of(person), _named(operator), person, What.PASSWORD, AMONG_ACCOUNTS)


def password_link_made(operator: User, person: User) -> None:
    """Record that `operator` is about to make a link by which the password of `person` can be set. As `password_set`
    does."""
    _at_each(companies_of(person), _named(operator), person, What.LINK, AMONG_ACCOUNTS)


def factors_removed(operator: User | None, person: User) -> None:
    """Record that the second factors of `person` are about to be taken away, so that a password alone lets in.

    By `operator`, or by somebody at the machine itself, who is not named. As `password_set` does.
    """
    by = _named(operator) if operator else (0, "manage.py")
    reason = AMONG_ACCOUNTS if operator else "At the machine that the site runs on."
    _at_each(companies_of(person), by, person, What.FACTORS, reason)


def person_exported(reader: User, person: User, companies: Iterable[Company], reason: str) -> None:
    """Record that all of `person` at the companies is about to be handed to `reader`. Raises what `look` raises."""
    _at_each(companies, _named(reader), person, What.PERSON, reason)


def companies_of(person: User) -> QuerySet[Company]:
    """Where somebody belongs, or has conversations."""
    spoken = Conversation.objects.filter(owner=person).values("persona__company")
    return Company.objects.filter(Q(memberships__user=person) | Q(pk__in=spoken)).distinct()


def _named(reader: User) -> tuple[int, str]:
    return reader.pk, reader.get_username()


def _at_each(
    companies: Iterable[Company], by: tuple[int, str], person: User, what: Reading.What, reason: str
) -> None:
    """A line at each of the companies, of no conversation in particular."""
    sitting = uuid.uuid4()
    rows = [
        Reading(
            company=company,
            reader_id=by[0],
            reader_name=by[1],
            owner_id=person.pk,
            owner_name=person.get_username(),
            what=what,
            reason=reason,
            sitting=sitting,
        )
        for company in companies
    ]
    with transaction.atomic(durable=True):
        Reading.objects.bulk_create(rows)


def look(sitting: Sitting, conversations: Iterable[Conversation], what: Reading.What) -> None:
    """Record that `conversations`, loaded with their owners, are about to be shown. One's own need no record.

    Raises whatever the database raises, and RuntimeError inside a transaction that could still be undone.
    """
    rows = {
        each.pk: Reading(
            company=sitting.company,
            reader_id=sitting.reader.pk,
            reader_name=sitting.reader.get_username(),
            owner_id=each.owner_id,
            owner_name=each.owner.get_username(),
            conversation_id=each.pk,
            what=what,
            reason=sitting.reason,
            sitting=sitting.id,
        )
        for each in conversations
        if each.owner_id != sitting.reader.pk
    }
    if rows:
        with transaction.atomic(durable=True):
            Reading.objects.bulk_create(rows.values())
