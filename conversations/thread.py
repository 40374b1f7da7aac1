"""A conversation as its page shows it: the end of the branch down to the head, and what is asked for above it.

Neither queries nor rows grow with the length.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import NamedTuple

from conversations import attached, posting, statements
from conversations import turn as turns
from conversations.access import NotVisible
from conversations.models import Conversation, Generation, Message
from conversations.posting import closed_reason
from conversations.tree import Place, Tree, place, siblings
from conversations.turn import Turn

PART = 40  # messages that are read at once, in whole turns
AROUND = PART // 2  # of them above the one that is looked for
LATEST = 20  # at the end, which every page shows: what comes is added there

# There is at most one that runs, on the branch shown or not.
_STANDING = """
    SELECT chat.head_id, head.strand, live.id, live.message_id, made.status, head.depth
    FROM conversations_conversation chat
    LEFT JOIN conversations_message head ON head.id = chat.head_id
    LEFT JOIN conversations_generation made ON made.message_id = head.id
    LEFT JOIN conversations_generation live ON live.conversation_id = chat.id AND live.finished_at IS NULL
    WHERE chat.id = %s
"""


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


class Gap(NamedTuple):
    """What is not on a page: the messages below `after` and above `until`."""

    after: uuid.UUID
    until: uuid.UUID


@dataclass(frozen=True, slots=True)
class Part:
    """Turns that follow one another. `earlier`: above them is more than the page shows; or there is a gap."""

    turns: list[Turn]
    earlier: bool = False
    gap_above: Gap | None = None
    gap_below: Gap | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """What is shown of the branch, from the top down, and how the conversation stood when it was read."""

    parts: list[Part]
    now: Standing

    @property
    def turns(self) -> list[Turn]:
        """The turns of all parts."""
        return [turn for part in self.parts for turn in part.turns]


def standing(conversation: Conversation) -> Standing:
    """How `conversation` stands now, which may be further than where it was when it was loaded. Raises NotVisible."""
    return _standing(conversation)[0]


def thread(conversation: Conversation, *, around: uuid.UUID | None = None, follow: bool = False) -> Thread:
    """What the page of `conversation` shows: the end; and what stands around a message, if that is on the branch.

    With `follow` a running answer asks the socket for its text.
    """
    now, head = _standing(conversation)
    if head is None:
        return Thread([], now)
    branch, last = _Branch(conversation, head, follow=follow), head.depth
    sought = _place(conversation, around) if around else None
    if sought is None or sought not in branch.path:
        return Thread([branch.part(_whole(last + 1 - PART), last)], now)
    first, end = _whole(sought.depth - AROUND), _whole(last + 1 - LATEST)
    if first + PART >= end:
        return Thread([branch.part(first, last)], now)
    near, latest = branch.part(first, first + PART - 1), branch.part(end, last)
    gap = Gap(near.turns[-1].id, latest.turns[0].id)
    return Thread([replace(near, gap_below=gap), replace(latest, earlier=False)], now)


def before(conversation: Conversation, message: Message) -> Part:
    """What stands above a message, on the branch shown or not."""
    return _Branch(conversation, place(message)).part(max(message.depth - PART, 0), message.depth - 1)


def between(conversation: Conversation, after: Message, until: Message, *, upwards: bool) -> Part:
    """What stands in a gap, from its upper end on or from its lower. Raises NotVisible where there is none."""
    branch = _Branch(conversation, place(until))
    first, last = after.depth + 1, until.depth - 1
    if place(after) not in branch.path or last < first:
        raise NotVisible
    if last - first < PART:
        return replace(branch.part(first, last), earlier=False)
    if upwards:
        part = branch.part(last + 1 - PART, last)
        return replace(part, earlier=False, gap_above=Gap(after.pk, part.turns[0].id))
    part = branch.part(first, first + PART - 1)
    return replace(part, earlier=False, gap_below=Gap(part.turns[-1].id, until.pk))


def whole(conversation: Conversation, through: uuid.UUID | None = None) -> list[Turn]:
    """All of the branch that is shown, or of the one through a message. Raises NotVisible."""
    if through is None:
        _, end = _standing(conversation)
    else:
        end = place(Tree(conversation.pk).newest_leaf(_message(conversation, through)))
    return _Branch(conversation, end).part(0, end.depth).turns if end else []


def is_shown(conversation: Conversation, message_id: uuid.UUID) -> bool:
    """Whether a message is on the branch that is shown."""
    now, head = _standing(conversation)
    if now.head == message_id:
        return True
    sought = _place(conversation, message_id)
    return sought is not None and sought in Tree(conversation.pk).path(head)


def turn(conversation: Conversation, message_id: uuid.UUID) -> Turn:
    """One message, on the branch shown or not. Raises NotVisible where it was deleted."""
    message = _message(conversation, message_id)
    versions = siblings(message)
    if message.pk not in versions:  # deleted between the two
        raise NotVisible
    return turns.turn(
        conversation,
        message,
        turns.beside(message, versions),
        writable=not closed_reason(conversation),
        files=attached.below(message),
    )


def asked(made: posting.Turn) -> Thread:
    """A question that has just been asked at the end, and its answer to come. Asks the database nothing."""
    writable = not closed_reason(made.conversation)
    shown = [
        turns.turn(made.conversation, message, turns.Beside([message.pk]), writable=writable, files=files)
        for message, files in ((made.answer.parent, made.attachments), (made.answer, ()))
        if message is not None
    ]
    live = Live(made.generation.pk, made.answer.pk)
    return Thread([Part(shown)], Standing(made.answer.pk, made.generation.status, live))


def is_up_to_date(state: str | None, made: posting.Turn) -> bool:
    """Whether a page in `state` shows all that stands above a turn just made: the message above it, ended.

    A page that does not say its state is taken to.
    """
    above = f"{made.below}."
    return state is None or (state.startswith(above) and not state.startswith(f"{above}live."))


class _Branch:
    """The branch down to one message, of which parts are read."""

    def __init__(self, conversation: Conversation, end: Place, *, follow: bool = False) -> None:
        self._conversation, self._follow = conversation, follow
        self._tree = Tree(conversation.pk)
        self.path = self._tree.path(end)
        self._writable = not closed_reason(conversation)

    def part(self, first: int, last: int) -> Part:
        """The messages at depths from `first`, which is not negative, to `last`."""
        said = Message.objects.select_related(
            "generation", "imported", "feedback__fixed_in", "flag__fixed_in"
        )
        prompts = ("feedback__fixed_in__system_prompt", "flag__fixed_in__system_prompt")
        rows = self.path.messages(first, last, said.defer(*prompts).prefetch_related(attached.listed()))
        versions = self._tree.versions(rows)
        shown = [
            turns.turn(
                self._conversation,
                row,
                turns.beside(row, versions[row.pk]),
                writable=self._writable,
                follow=self._follow,
                files=attached.below(row),
            )
            for row in rows
        ]
        return Part(shown, earlier=first > 0)


def _standing(conversation: Conversation) -> tuple[Standing, Place | None]:
    """How the conversation stands, and the place of its head. Raises NotVisible where it was removed."""
    for *ids, status, depth in statements.fetch(_STANDING, conversation.pk):
        head, strand, generation_id, message_id = map(statements.identity, ids)
        live = Live(generation_id, message_id) if generation_id and message_id else None
        return Standing(head, status or "", live), Place(strand, depth) if strand else None
    raise NotVisible


def _message(conversation: Conversation, message_id: uuid.UUID) -> Message:
    said = Message.objects.select_related("generation", "imported", "feedback", "flag")
    for message in said.filter(conversation=conversation, pk=message_id):
        return message
    raise NotVisible


def _place(conversation: Conversation, message_id: uuid.UUID) -> Place | None:
    sought = Message.objects.filter(conversation=conversation, pk=message_id)
    return next((Place(*row) for row in sought.values_list("strand", "depth")), None)


def _whole(depth: int) -> int:
    """The depth, or the one above it where a question stands: a part does not begin with an answer."""
    return max(depth - depth % 2, 0)
