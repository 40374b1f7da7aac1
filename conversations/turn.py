"""One message as it is shown, with what can be done to it. Asks the database nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.citing import Noted, noted
from conversations.models import (
    Attachment,
    Conversation,
    Feedback,
    Flag,
    Generation,
    Imported,
    Message,
    Persona,
)
from conversations.posting import BROKEN_OFF, can_continue
from conversations.rendering import fragments, markdown, plaintext


@dataclass(frozen=True, slots=True)
class TurnUrls:
    """Where the actions on one message are posted; empty where there is none."""

    edit: str
    regenerate: str
    continue_: str
    switch_previous: str
    switch_next: str
    feedback: str
    flag: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A file below a question; `url` gives how it begins, `file_url` all of it."""

    id: uuid.UUID
    name: str
    size: int
    url: str
    file_url: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as it is shown. `position` of `versions` counts its siblings from one."""

    id: uuid.UUID
    depth: int
    role: str
    status: str
    text: str
    reasoning: str
    sentence: str
    trimmed: str
    persona: Persona
    can_edit: bool
    can_regenerate: bool
    can_retry: bool
    can_continue: bool
    can_rate: bool
    position: int
    versions: int
    previous_id: uuid.UUID | None
    next_id: uuid.UUID | None
    urls: TurnUrls
    generation_id: uuid.UUID | None
    imported: Imported | None
    feedback: Feedback | None
    flag: Flag | None
    follow: bool
    files: list[Attached]
    notes: list[Noted]

    @property
    def html(self) -> SafeString:
        """The message as it is shown. Made when it is asked for: what only adds a foot to an answer does not."""
        if self.role == Message.Role.USER:
            return markdown.escaped(plaintext.clean(self.text))
        if self.status in Generation.LIVE:
            return fragments.inline_state(str(self.id), self.text)
        return markdown.render(self.text)

    @property
    def flagged(self) -> bool:
        """Whether the person asked for a review."""
        return self.flag is not None

    @property
    def outcome(self) -> Feedback | Flag | None:
        """What became of what the person said; of a rating and a flag that one to which there was a reply."""
        told = [each for each in (self.feedback, self.flag) if each is not None and each.answered]
        return next((each for each in told if each.replied), told[0] if told else None)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """What can be wrong with an answer."""
        return [(value, str(label)) for value, label in Feedback.Reason.choices]


@dataclass(frozen=True, slots=True)
class Beside:
    """What belongs to a message besides itself: its versions, oldest first, what its reader said of it, and whether it
    was brought in."""

    siblings: list[uuid.UUID]
    feedback: Feedback | None = None
    flag: Flag | None = None
    imported: Imported | None = None


def beside(message: Message, siblings: list[uuid.UUID]) -> Beside:
    """What belongs to a message that was read with what its reader said of it."""
    return Beside(siblings, *(getattr(message, name, None) for name in ("feedback", "flag", "imported")))


def turn(
    conversation: Conversation,
    message: Message,
    beside: Beside,
    *,
    writable: bool,
    follow: bool = False,
    files: Iterable[Attachment] = (),
) -> Turn:
    """A message as it is shown. `writable`: more can be asked; with `follow` a running answer asks for its text."""
    answer = message.role == Message.Role.ASSISTANT
    generation: Generation | None = getattr(message, "generation", None) if answer else None
    imported = beside.imported
    ended = answer and not (generation and generation.live)
    siblings = beside.siblings
    at = siblings.index(message.pk)
    previous = siblings[at - 1] if at else None
    following = siblings[at + 1] if at + 1 < len(siblings) else None
    failed = generation is not None and generation.status in BROKEN_OFF
    return Turn(
        id=message.pk,
        depth=message.depth,
        role=message.role,
        status=generation.status if generation else Generation.Status.DONE if answer else "",
        text=message.text,
        reasoning=generation.reasoning if generation else "",
        sentence=_(generation.sentence) if generation else imported.sentence if imported else "",
        trimmed=_trimmed(generation.left_out) if generation else "",
        persona=conversation.persona,
        can_edit=writable and not answer,
        can_regenerate=writable and ended and not failed and message.parent_id is not None,
        can_retry=writable and failed,
        can_continue=writable and ended and can_continue(message),
        can_rate=ended and imported is None and conversation.trial_id is None,
        position=at + 1,
        versions=len(siblings),
        previous_id=previous,
        next_id=following,
        urls=_urls(conversation.pk, message.pk, previous, following),
        generation_id=generation.pk if generation else None,
        imported=imported,
        feedback=beside.feedback,
        flag=beside.flag,
        follow=follow and generation is not None and generation.live,
        files=[_attached(conversation.pk, file) for file in files],
        notes=noted(message.text, generation.citations)
        if ended and generation and generation.citations
        else [],
    )


def _attached(conversation: uuid.UUID, file: Attachment) -> Attached:
    url, file_url = (
        reverse(name, args=[conversation, file.pk]) for name in ("attachment", "attachment_file")
    )
    return Attached(file.pk, file.name, file.size, url, file_url)


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
        feedback=url("feedback", message),
        flag=url("flag", message),
    )


def _trimmed(left_out: int) -> str:
    if not left_out:
        return ""
    sentence = ngettext(
        "The oldest message was not sent with this question: the conversation is longer than the model can read.",
        "The %(number)s oldest messages were not sent with this question: the conversation is longer than the model "
        "can read.",
        left_out,
    )
    return sentence % {"number": left_out}
