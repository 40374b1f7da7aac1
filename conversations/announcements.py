"""What one page tells the others of the same conversation: the rare things, over the channel layer.

A layer may lose a message; every page finds out by comparing states when it reconnects. Answers never come this
way: they have the log.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from channels.layers import get_channel_layer


def group(conversation_id: uuid.UUID) -> str:
    """The group of the sockets that show a conversation."""
    return f"conversation.{conversation_id}"


async def turns_added(conversation_id: uuid.UUID, message_ids: Sequence[uuid.UUID]) -> None:
    """Say that these messages stand at the end now."""
    await _send(conversation_id, {"type": "turns.added", "ids": [str(pk) for pk in message_ids]})


async def branch_changed(conversation_id: uuid.UUID) -> None:
    """Say that another branch is shown now."""
    await _send(conversation_id, {"type": "branch.changed"})


async def _send(conversation_id: uuid.UUID, event: dict[str, object]) -> None:
    await get_channel_layer().group_send(group(conversation_id), event)
