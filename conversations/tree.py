"""The tree of a conversation's messages, without their texts: which lead where, and which stand beside each other."""

from __future__ import annotations

import uuid

from conversations.models import Message


def siblings(message: Message) -> list[uuid.UUID]:
    """The versions of a message, itself among them, oldest first: what `Tree.siblings` says, for one alone."""
    beside = Message.objects.filter(conversation_id=message.conversation_id, parent_id=message.parent_id)
    return list(beside.order_by("created_at", "pk").values_list("pk", flat=True))


class Tree:
    """The messages of one conversation by parent, siblings oldest first. One query."""

    def __init__(self, conversation_id: uuid.UUID) -> None:
        self._replies: dict[uuid.UUID | None, list[uuid.UUID]] = {}
        self._parents: dict[uuid.UUID, uuid.UUID | None] = {}
        rows = Message.objects.filter(conversation_id=conversation_id).order_by("created_at", "pk")
        for pk, parent in rows.values_list("pk", "parent_id"):
            self._replies.setdefault(parent, []).append(pk)
            self._parents[pk] = parent

    def __contains__(self, message_id: uuid.UUID | None) -> bool:
        return message_id in self._parents

    def path(self, head: uuid.UUID | None) -> list[uuid.UUID]:
        """The messages from the first question down to `head`."""
        path = []
        while head is not None:
            path.append(head)
            head = self._parents[head]
        return path[::-1]

    def siblings(self, message_id: uuid.UUID) -> list[uuid.UUID]:
        """The versions of a message, itself among them, oldest first."""
        return self._replies[self._parents[message_id]]

    def newest_leaf(self, message_id: uuid.UUID) -> uuid.UUID:
        """The end of the branch through a message, by its newest replies."""
        while replies := self._replies.get(message_id):
            message_id = replies[-1]
        return message_id
