"""A conversation as its page shows it: the branch down to the head, each message with what can be done to it.

The number of queries does not grow with the length.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse
from django.utils.safestring import SafeString

from conversations import posting
from conversations.access import NotVisible
from conversations.models import Conversation, Feedback, Flag, Generation, Imported, Message, Persona
from conversations.posting import can_continue, closed_reason
from conversations.rendering import fragments, markdown, plaintext
from conversations.tree import Tree, siblings

Status = Generation.Status


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
class Turn:
    """One message as it is shown. `position` of `versions` counts its siblings from one."""

    id: uuid.UUID
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
        return Feedback.Reason.choices


class Live(NamedTuple):
    """Which answer is being written."""

    generation_id: uuid.UUID
    message_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """How a conversation stands at one moment: read once for each rendering, so that its parts agree."""

    head: uuid.UUID | None
    status: str
    live: Live | None

    @property
    def running(self) -> bool:
        """Whether an answer is being written, on the branch shown or not."""
        return self.live is not None

    @property
    def state(self) -> str:
        """What a page keeps and compares, to know whether it is out of date."""
        status = "live" if self.status in Generation.LIVE else self.status
        return f"{self.head}.{status}.{self.live.generation_id if self.live else ''}"


@dataclass(frozen=True, slots=True)
class Thread:
    """The branch that is shown, and how the conversation stood when it was read."""

    turns: list[Turn]
    now: Standing


def standing(conversation: Conversation) -> Standing:
    """How `conversation` stands now, which may be further than where it was when it was loaded."""
    live = live_answer(conversation)
    head, status = Conversation.objects.values_list("head_id", "head__generation__status").get(
        pk=conversation.pk
    )
    return Standing(head, status or "", live)


def live_answer(conversation: Conversation) -> Live | None:
    """The answer that is being written, on the branch shown or not: there is at most one."""
    live = Generation.objects.live().filter(conversation=conversation).values_list("pk", "message_id")
    return next((Live(*row) for row in live), None)


def thread(conversation: Conversation, *, follow: bool = False) -> Thread:
    """All that the page of `conversation` shows. With `follow` a running answer asks the socket for its text."""
    now = standing(conversation)
    tree = Tree(conversation.pk)
    return Thread(_turns(conversation, tree, tree.path(now.head), follow=follow), now)


def branch(conversation: Conversation, message_id: uuid.UUID) -> list[Turn]:
    """The branch through a message, shown to its owner or not. Raises NotVisible."""
    tree = Tree(conversation.pk)
    if message_id not in tree:
        raise NotVisible
    return _turns(conversation, tree, tree.path(tree.newest_leaf(message_id)), follow=False)


def is_shown(conversation: Conversation, message_id: uuid.UUID) -> bool:
    """Whether a message is on the branch that is shown."""
    head = Conversation.objects.values_list("head_id", flat=True).get(pk=conversation.pk)
    return message_id in Tree(conversation.pk).path(head)


def turn(conversation: Conversation, message_id: uuid.UUID) -> Turn:
    """One message, on the branch shown or not. Raises NotVisible where it was deleted."""
    said = Message.objects.select_related("generation", "imported", "feedback", "flag")
    message = next(iter(said.filter(conversation=conversation, pk=message_id)), None)
    if message is None:
        raise NotVisible
    versions = siblings(message)
    if message.pk not in versions:  # deleted between the two
        raise NotVisible
    beside = _beside(message, versions)
    return _turn(conversation, message, beside, writable=not closed_reason(conversation), follow=False)


def asked(made: posting.Turn) -> Thread:
    """A question that has just been asked at the end, and its answer to come. Asks the database nothing."""
    writable = not closed_reason(made.conversation)
    shown = [
        _turn(made.conversation, message, _Beside([message.pk]), writable=writable, follow=False)
        for message in (made.answer.parent, made.answer)
        if message is not None
    ]
    return Thread(
        shown, Standing(made.answer.pk, made.generation.status, Live(made.generation.pk, made.answer.pk))
    )


def is_up_to_date(state: str | None, made: posting.Turn) -> bool:
    """Whether a page in `state` shows all that stands above a turn just made: the message above it, ended.

    A page that does not say its state is taken to.
    """
    above = f"{made.below}."
    return state is None or (state.startswith(above) and not state.startswith(f"{above}live."))


def _turns(conversation: Conversation, tree: Tree, path: list[uuid.UUID], *, follow: bool) -> list[Turn]:
    said = Message.objects.select_related("generation", "imported", "feedback__fixed_in", "flag__fixed_in")
    prompts = ("feedback__fixed_in__system_prompt", "flag__fixed_in__system_prompt")
    rows = said.defer(*prompts).in_bulk(path)
    writable = not closed_reason(conversation)
    return [
        _turn(conversation, rows[pk], _beside(rows[pk], tree.siblings(pk)), writable=writable, follow=follow)
        for pk in path
        if pk in rows
    ]


@dataclass(frozen=True, slots=True)
class _Beside:
    """What belongs to a message besides itself: its versions, oldest first, and what its reader said of it."""

    siblings: list[uuid.UUID]
    feedback: Feedback | None = None
    flag: Flag | None = None


def _beside(message: Message, siblings: list[uuid.UUID]) -> _Beside:
    return _Beside(siblings, *(getattr(message, name, None) for name in ("feedback", "flag")))


def _turn(
    conversation: Conversation, message: Message, beside: _Beside, *, writable: bool, follow: bool
) -> Turn:
    generation: Generation | None = getattr(message, "generation", None)
    imported: Imported | None = getattr(message, "imported", None)
    answer = message.role == Message.Role.ASSISTANT
    ended = answer and not (generation and generation.live)
    siblings = beside.siblings
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
        status=generation.status if generation else Status.DONE if answer else "",
        text=message.text,
        reasoning=generation.reasoning if generation else "",
        sentence=generation.sentence if generation else imported.sentence if imported else "",
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
        feedback=url("feedback", message),
        flag=url("flag", message),
    )


def _trimmed(left_out: int) -> str:
    if not left_out:
        return ""
    messages = "The oldest message was" if left_out == 1 else f"The {left_out} oldest messages were"
    return f"{messages} not sent with this question: the conversation is longer than the model can read."
