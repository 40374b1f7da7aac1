"""Whether a question that has come through the door may still be kept, at the moment that it is: under locks.

Since the door its person may have been shut out, and its conversation removed. Whoever does that takes the same rows,
so that a question comes in whole before it or not at all. On SQLite all transactions that write take turns anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_noop

from conversations import statements
from conversations.models import Conversation, Persona
from conversations.models.conversation import present

_ACTIVE = "SELECT is_superuser FROM auth_user WHERE id = %s AND is_active"
_PLACE = "SELECT id FROM conversations_membership WHERE user_id = %s AND company_id = %s"
_THERE = (
    "SELECT deleted_at, temporary_until FROM conversations_conversation WHERE id = %s AND closed_at IS NULL"
)


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
    for deleted_at, temporary_until in _locked(conversation):
        if deleted_at:
            return DELETED
        # Only a temporary one is asked after twice: by the clock of the database, which decides.
        gone = temporary_until and not Conversation.objects.filter(present(), pk=conversation.pk).exists()
        return OVER if gone else None
    return REMOVED


def may_write(person: User, persona: Persona) -> bool:
    """Whether `person` still may, until the end of the transaction, in which they do nothing else at the same time."""
    for (operator,) in statements.fetch(statements.locking(_ACTIVE), person.pk):
        # Asked once the lock is there: before, their place may have been taken away meanwhile.
        return bool(operator or statements.fetch(_PLACE, person.pk, persona.company_id))
    return False


def is_there(conversation: Conversation) -> bool:
    """Whether it is still there, and stays until the end of the transaction."""
    return bool(_locked(conversation))


def _locked(conversation: Conversation) -> list[tuple[Any, ...]]:
    return statements.fetch(statements.locking(_THERE), conversation.pk)
