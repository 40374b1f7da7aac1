"""A conversation as its page shows it: the branch down to the head, each message with what can be done to it.

Two queries for the shape and one for the texts, whatever the length.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString

from conversations.models import Conversation, Generation, Message, Persona
from conversations.posting import can_continue
from conversations.rendering import fragments, markdown

Status = Generation.Status


@dataclass(frozen=True, slots=True)
class TurnUrls:
    """Where the actions on one message are posted; empty where there is none."""

    edit: str
    regenerate: str
    continue_: str
    switch_previous: str
    switch_next: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as it is shown. `position` of `versions` counts its siblings from one."""

    id: uuid.UUID
    role: str
    status: str
    html: SafeString
    text: str
    reasoning: str
    sentence: str
    trimmed: str
    persona: Persona
    can_edit: bool
    can_regenerate: bool
    can_retry: bool
    can_continue: bool
    position: int
    versions: int
    previous_id: uuid.UUID | None
    next_id: uuid.UUID | None
    urls: TurnUrls
    generation_id: uuid.UUID | None
    follow: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """The branch that is shown. `state` changes whenever a page that shows another one is out of date."""

    turns: list[Turn]
    running: bool
    state: str


class Shape:
    """The tree of a conversation, without its texts."""

    def __init__(self, conversation: Conversation) -> None:
        self._siblings: dict[uuid.UUID | None, list[uuid.UUID]] = {}
        self._parents: dict[uuid.UUID, uuid.UUID | None] = {}
        rows = conversation.messages.order_by("created_at", "pk").values_list("pk", "parent_id")
        for pk, parent in rows:
            self._siblings.setdefault(parent, []).append(pk)
            self._parents[pk] = parent

    def path(self, head: uuid.UUID | None) -> list[uuid.UUID]:
        """The messages from the first question down to `head`."""
        path = []
        while head is not None:
            path.append(head)
            head = self._parents[head]
        return path[::-1]

    def siblings(self, message_id: uuid.UUID) -> list[uuid.UUID]:
        """The versions of a message, itself among them, oldest first."""
        return self._siblings[self._parents[message_id]]


def thread(conversation: Conversation, *, follow: bool = False) -> Thread:
    """All that the page of `conversation` shows. With `follow` a running answer asks the socket for its text."""
    shape = Shape(conversation)
    path = shape.path(conversation.head_id)
    return Thread(
        turns=_turns(conversation, shape, path, follow=follow),
        running=live_generation(conversation) is not None,
        state=state(conversation),
    )


def turns(conversation: Conversation, ids: Collection[uuid.UUID], *, follow: bool = False) -> list[Turn]:
    """Some messages of the branch shown, in its order."""
    shape = Shape(conversation)
    path = [pk for pk in shape.path(conversation.head_id) if pk in ids]
    return _turns(conversation, shape, path, follow=follow)


def turn(conversation: Conversation, message_id: uuid.UUID) -> Turn:
    """One message, on the branch shown or not."""
    return _turns(conversation, Shape(conversation), [message_id], follow=False)[0]


def live_generation(conversation: Conversation) -> Generation | None:
    """The answer that is being written, on the branch shown or not."""
    return Generation.objects.filter(conversation=conversation, status__in=Generation.LIVE).first()


def state(conversation: Conversation) -> str:
    """What a page compares to know whether it is out of date: the head, how it stands, and what runs."""
    head = Conversation.objects.values_list("head_id", flat=True).get(pk=conversation.pk)
    status = Generation.objects.filter(message_id=head).values_list("status", flat=True).first()
    live = live_generation(conversation)
    return f"{head}.{'live' if status in Generation.LIVE else status}.{live.pk if live else ''}"


def _turns(conversation: Conversation, shape: Shape, path: list[uuid.UUID], *, follow: bool) -> list[Turn]:
    rows = Message.objects.select_related("generation").in_bulk(path)
    return [_turn(conversation, shape, rows[pk], follow=follow) for pk in path if pk in rows]


def _turn(conversation: Conversation, shape: Shape, message: Message, *, follow: bool) -> Turn:
    generation = message.generation if message.role == Message.Role.ASSISTANT else None
    ended = generation is not None and not generation.live
    siblings = shape.siblings(message.pk)
    at = siblings.index(message.pk)
    previous = siblings[at - 1] if at else None
    following = siblings[at + 1] if at + 1 < len(siblings) else None
    failed = generation is not None and generation.status in {
        Status.FAILED,
        Status.INTERRUPTED,
        Status.STOPPED,
    }
    return Turn(
        id=message.pk,
        role=message.role,
        status=generation.status if generation else "",
        html=(
            fragments.inline_state(str(message.pk), message.text)
            if generation is not None and generation.live
            else markdown.render(message.text)
        ),
        text=message.text,
        reasoning=generation.reasoning if generation else "",
        sentence=generation.sentence if generation else "",
        trimmed=_trimmed(generation.left_out) if generation else "",
        persona=conversation.persona,
        can_edit=generation is None,
        can_regenerate=ended and not failed,
        can_retry=failed,
        can_continue=ended and can_continue(message),
        position=at + 1,
        versions=len(siblings),
        previous_id=previous,
        next_id=following,
        urls=_urls(conversation.pk, message.pk, previous, following),
        generation_id=generation.pk if generation else None,
        follow=follow and generation is not None and generation.live,
    )


def _urls(
    conversation: uuid.UUID, message: uuid.UUID, previous: uuid.UUID | None, following: uuid.UUID | None
) -> TurnUrls:
    def url(name: str, pk: uuid.UUID | None) -> str:
        return reverse(name, args=[conversation, pk]) if pk else ""

    return TurnUrls(
        edit=url("edit", message),
        regenerate=url("regenerate", message),
        continue_=url("continue", message),
        switch_previous=url("switch", previous),
        switch_next=url("switch", following),
    )


def _trimmed(left_out: int) -> str:
    if not left_out:
        return ""
    messages = "The oldest message was" if left_out == 1 else f"The {left_out} oldest messages were"
    return f"{messages} not sent with this question: the conversation is longer than the model can read."
