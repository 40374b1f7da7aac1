"""The tree of a conversation's messages, read without its texts and in few rows, however many messages there are.

What a strand is, `models.Message` says. The way to a message is a stretch of each of some strands.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db.models import F, QuerySet

from conversations.models import Message


class Place(NamedTuple):
    """Where a message stands: on which strand, and below how many messages."""

    strand: uuid.UUID
    depth: int


class _Beginning(NamedTuple):
    """The first message of a strand; its parent, and the strand of that."""

    strand: uuid.UUID
    depth: int
    parent: uuid.UUID | None
    above: uuid.UUID | None


class _Stretch(NamedTuple):
    """The messages of a strand from one depth to another, both included."""

    strand: uuid.UUID
    first: int
    last: int


class Path:
    """The way from the first message down to one."""

    def __init__(self, stretches: Iterable[_Stretch]) -> None:
        self._stretches = {stretch.strand: stretch for stretch in stretches}

    def __contains__(self, place: Place) -> bool:
        stretch = self._stretches.get(place.strand)
        return stretch is not None and place.depth <= stretch.last

    def messages(self, first: int, last: int, said: QuerySet[Message]) -> list[Message]:
        """Those of `said` that stand on the way at depths from `first` to `last`, from the top down. One query."""
        near = [each.strand for each in self._stretches.values() if each.first <= last and each.last >= first]
        rows = said.filter(strand__in=near, depth__range=(first, last)).order_by("depth")
        return [row for row in rows if place(row) in self]  # a strand may go on where the way has left it


class Tree:
    """The strands of one conversation: one, and one more for each version made beside a first one. One query."""

    def __init__(self, conversation_id: uuid.UUID) -> None:
        begun = Message.objects.filter(conversation_id=conversation_id, id=F("strand"))
        rows = begun.order_by("created_at", "pk").values_list("pk", "depth", "parent_id", "parent__strand")
        self._begun = {row[0]: _Beginning(*row) for row in rows}  # the oldest first
        self._leaving: dict[uuid.UUID | None, list[_Beginning]] = defaultdict(list)
        for each in self._begun.values():
            self._leaving[each.above].append(each)

    def path(self, end: Place | None) -> Path:
        """The way to `end`."""
        return Path(self._stretches(end))

    def newest_leaf(self, message: Message) -> Message:
        """The end of the branch through a message, by its newest replies; without its text."""
        strand, depth = place(message)
        while below := [each for each in self._leaving.get(strand, []) if each.depth > depth]:
            nearest = min(each.depth for each in below)
            strand, depth = next(each[:2] for each in reversed(below) if each.depth == nearest)
        return Message.objects.defer("text").filter(strand=strand).order_by("-depth").first() or message

    def versions(self, messages: Sequence[Message]) -> dict[uuid.UUID, list[uuid.UUID]]:
        """By message its versions, itself among them, oldest first. One query where there are several of any."""
        beside: dict[uuid.UUID | None, list[uuid.UUID]] = {}
        forked = {each.parent for each in self._begun.values()}
        if parents := forked & {message.parent_id for message in messages if message.parent_id}:
            replies = Message.objects.filter(parent_id__in=parents).order_by("created_at", "pk")
            for pk, parent in replies.values_list("pk", "parent_id"):
                beside.setdefault(parent, []).append(pk)
        beside[None] = [each.strand for each in self._leaving.get(None, [])]
        return {message.pk: beside.get(message.parent_id, [message.pk]) for message in messages}

    def _stretches(self, end: Place | None) -> Iterator[_Stretch]:
        while end and (begun := self._begun.get(end.strand)):
            yield _Stretch(begun.strand, begun.depth, end.depth)
            end = Place(begun.above, begun.depth - 1) if begun.above else None


def place(message: Message) -> Place:
    """Where a message stands."""
    return Place(message.strand, message.depth)


def siblings(message: Message) -> list[uuid.UUID]:
    """The versions of a message, itself among them, oldest first: what `Tree.versions` says, for one alone."""
    beside = Message.objects.filter(conversation_id=message.conversation_id, parent_id=message.parent_id)
    return list(beside.order_by("created_at", "pk").values_list("pk", flat=True))
