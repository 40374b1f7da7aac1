"""The only door from a person to a tenant's row.

Every page, fragment, form and socket command asks here first. What is foreign and what does not exist raise the
same `NotVisible`, which is a 404: nobody learns which of the two it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.http import Http404

from conversations.models import Conversation, Generation, Message, Persona

if TYPE_CHECKING:
    from conversations.models.conversation import ConversationQuerySet
    from conversations.models.persona import PersonaQuerySet


class NotVisible(Http404):
    """There is no such row for this person."""


def person_of_cookies(cookies: Mapping[str, str]) -> User | None:
    """Who is signed in by the session cookie among `cookies`: an active person, or None.

    For sockets, which have no middleware; `auth.get_user` also checks that the password is still the session's.
    """
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    person = auth.get_user(SimpleNamespace(session=SessionStore(key)))  # type: ignore[arg-type]
    return person if isinstance(person, User) and person.is_active else None


def personas(person: User) -> PersonaQuerySet:
    """The personas that `person` may start a chat with, by company and name."""
    return (
        Persona.objects.published_for(person)
        .select_related("company", "current__endpoint")
        .order_by("company__name", "name")
    )


def persona(person: User, persona_id: uuid.UUID) -> Persona:
    """One of `personas`. Raises NotVisible."""
    found = personas(person).filter(pk=persona_id).first()
    if found is None:
        raise NotVisible
    return found


def conversations(person: User) -> ConversationQuerySet:
    """The person's own conversations, in the companies that they still belong to."""
    return Conversation.objects.owned_by(person)


def conversation(person: User, conversation_id: uuid.UUID) -> Conversation:
    """One of `conversations`, with its persona. Raises NotVisible."""
    found = (
        conversations(person)
        .select_related("persona__company", "persona__current__endpoint")
        .filter(pk=conversation_id)
        .first()
    )
    if found is None:
        raise NotVisible
    return found


def message(conversation: Conversation, message_id: uuid.UUID) -> Message:
    """A message of a conversation that was let through by `conversation`. Raises NotVisible."""
    found = (
        Message.objects.select_related("parent", "generation__version")
        .filter(conversation=conversation, pk=message_id)
        .first()
    )
    if found is None:
        raise NotVisible
    found.conversation = conversation
    return found


def generation(conversation_id: uuid.UUID, generation_id: uuid.UUID) -> Generation:
    """A generation of a conversation that was let through by `conversation`. Raises NotVisible."""
    found = (
        Generation.objects.select_related("conversation__persona__company")
        .filter(conversation_id=conversation_id, pk=generation_id)
        .first()
    )
    if found is None:
        raise NotVisible
    return found
