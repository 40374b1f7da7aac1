"""What people see of their own: personas to ask, chats, trials and what is in them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import QuerySet

from conversations import factors, proofs
from conversations.access.administration import managed_personas
from conversations.access.nobody import NotVisible, one
from conversations.models import Attachment, Conversation, Folder, Generation, Import, Message, Persona
from conversations.models.conversation import just_deleted, present

if TYPE_CHECKING:
    from conversations.models.conversation import ConversationQuerySet
    from conversations.models.persona import PersonaQuerySet


def person_of_cookies(cookies: Mapping[str, str]) -> User | None:
    """Who is signed in by the session cookie among `cookies`: an active person, or None.

    For sockets, which have no middleware; `auth.get_user` also checks that the password is still the session's. Who
    has to set up a second factor first, or to prove who they are, is nobody yet.
    """
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    session = SessionStore(key)
    person = auth.get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
    if not isinstance(person, User) or not person.is_active:
        return None
    return None if factors.lacks(person) or proofs.lacks(person, session) else person


def active(person: User) -> None:
    """See that the account is still open, which it was when its request came. Raises NotVisible."""
    if not User.objects.filter(pk=person.pk, is_active=True).exists():
        raise NotVisible


def personas(person: User) -> PersonaQuerySet:
    """The personas that `person` may start a chat with, by company and name."""
    return (
        Persona.objects.published_for(person)
        .select_related("company", "current__endpoint")
        .order_by("company__name", "name")
    )


def persona(person: User, persona_id: uuid.UUID) -> Persona:
    """One of `personas`. Raises NotVisible."""
    return one(personas(person).filter(pk=persona_id))


def conversations(person: User) -> ConversationQuerySet:
    """The person's own conversations, in the companies that they still belong to. Trials are none of them, nor is what
    they deleted, or what was temporary and is over."""
    return Conversation.objects.owned_by(person)


def deleted(person: User) -> ConversationQuerySet:
    """What the person deleted and may still bring back. No other door leads to it."""
    return Conversation.objects.deleted_by(person)


def conversations_among(
    person: User, ids: Collection[uuid.UUID], *, deleted: bool = False
) -> dict[uuid.UUID, Conversation]:
    """Those of `conversations`, or of `deleted`, that have one of these ids, by it.

    Whose they are is compared here: asked for it, SQLite looks through all that somebody owns.
    """
    there = Conversation.objects.filter(just_deleted() if deleted else present(), pk__in=ids)
    there = there.filter(persona__company__memberships__user_id=person.pk)
    return {chat.pk: chat for chat in there if chat.owner_id == person.pk and chat.trial_id is None}


def folders(person: User) -> QuerySet[Folder]:
    """The person's own folders."""
    return Folder.objects.filter(owner_id=person.pk)


def folder(person: User, folder_id: int) -> Folder:
    """One of `folders`. Raises NotVisible."""
    return one(folders(person).filter(pk=folder_id))


def imports(person: User) -> QuerySet[Import]:
    """The files that the person brought in, the last one first."""
    return Import.objects.filter(person_id=person.pk).order_by("-pk")


def trials(person: User) -> ConversationQuerySet:
    """The person's own trials, of the personas that they still look after."""
    return Conversation.objects.trials_of(person).filter(persona__in=managed_personas(person))


def chat(person: User, conversation_id: uuid.UUID) -> Conversation:
    """One of `conversations`, with its persona. Raises NotVisible."""
    return one(conversations(person).select_related("persona__company").filter(pk=conversation_id))


def conversation(person: User, conversation_id: uuid.UUID, *, versions: bool = False) -> Conversation:
    """One of `conversations`, or else of `trials`, with its persona. Raises NotVisible.

    With `versions` the versions that may answer are loaded with it: for whoever is about to ask.
    """
    for kind, version in ((conversations, "persona__current__endpoint"), (trials, "trial__endpoint")):
        related = ("persona__company", *([version] if versions else ()))
        for found in kind(person).select_related(*related).filter(pk=conversation_id)[:1]:
            return found
    raise NotVisible


def message(conversation: Conversation, message_id: uuid.UUID) -> Message:
    """A message of a conversation that was let through by `conversation`. Raises NotVisible."""
    found = one(
        Message.objects.select_related("parent", "generation__version").filter(
            conversation=conversation, pk=message_id
        )
    )
    found.conversation = conversation
    return found


def attachment(conversation: Conversation, attachment_id: uuid.UUID) -> Attachment:
    """What hangs on a message of a conversation that was let through by `conversation`. Raises NotVisible."""
    return one(Attachment.objects.filter(message__conversation=conversation, pk=attachment_id))


def generation(conversation: Conversation, generation_id: uuid.UUID) -> Generation:
    """A generation of a conversation that was let through by `conversation`, to be told apart. Raises NotVisible."""
    made = Generation.objects.only("conversation_id", "message_id")
    return one(made.filter(conversation_id=conversation.pk, pk=generation_id))
