"""Whether a question that has come through the door may still be kept, at the moment that it is: under locks.

Since the door its person may have been shut out, and its conversation removed. Whoever does that takes the same rows,
so that a question comes in whole before it or not at all. On SQLite all transactions that write take turns anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.translation import gettext_noop

from conversations.models import Conversation, Membership, Persona
from conversations.models.conversation import ConversationQuerySet, present


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it may not be kept, for the person, and the HTTP status to say it with."""

    sentence: str
    status: int


CLOSED = Problem(
    gettext_noop(
        "You cannot write here any more: your account, or your place at this company, was closed. Nothing was sent."
    ),
    403,
)
REMOVED = Problem(
    gettext_noop(
        "This chat was removed because its time was over. Your text is kept; start a new chat to send it."
    ),
    410,
)
DELETED = Problem(gettext_noop("This chat was deleted. Your text is kept; start a new chat to send it."), 410)
OVER = Problem(
    gettext_noop(
        "This chat was temporary, and its time is over. Your text is kept; start a new chat to send it."
    ),
    410,
)


def problem(person: User, persona: Persona, conversation: Conversation | None) -> Problem | None:
    """What stands against a question of `person` in `conversation`, which is None for a new one."""
    if not may_write(person, persona):
        return CLOSED
    if conversation is None:
        return None
    for deleted_at, temporary_until in _locked(conversation).values_list("deleted_at", "temporary_until"):
        if deleted_at:
            return DELETED
        # Only a temporary one is asked after twice: by the clock of the database, which decides.
        gone = temporary_until and not Conversation.objects.filter(present(), pk=conversation.pk).exists()
        return OVER if gone else None
    return REMOVED


def may_write(person: User, persona: Persona) -> bool:
    """Whether `person` still may, until the end of the transaction, in which they do nothing else at the same time."""
    place = Membership.objects.filter(user=person.pk, company=persona.company_id)
    active = User.objects.select_for_update(no_key=True).filter(pk=person.pk, is_active=True)
    return any(operator or place.exists() for operator in active.values_list("is_superuser", flat=True))


def is_there(conversation: Conversation) -> bool:
    """Whether it is still there, and stays until the end of the transaction."""
    return bool(_locked(conversation).values_list("pk"))


def _locked(conversation: Conversation) -> ConversationQuerySet:
    return Conversation.objects.there().select_for_update(no_key=True).filter(pk=conversation.pk)
