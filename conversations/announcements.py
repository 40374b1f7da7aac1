"""What one page tells the others of the same conversation: the rare things, over the channel layer.

A layer may lose a message or be out of reach; every page finds out what it missed by comparing states. So nothing
here ever fails what was announced. Answers never come this way: they have the log.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable

from channels.layers import get_channel_layer

from conversations import posting

logger = logging.getLogger(__name__)


async def join(conversation_id: uuid.UUID, channel: str) -> None:
    """Have the socket `channel` told what happens in a conversation."""
    await _tried(get_channel_layer().group_add(_group(conversation_id), channel))


async def leave(conversation_id: uuid.UUID, channel: str) -> None:
    """No longer tell the socket `channel`."""
    await _tried(get_channel_layer().group_discard(_group(conversation_id), channel))


async def turn_added(turn: posting.Turn, fragment: str) -> None:
    """Say that `turn` stands at the end now. `fragment` is what adds it to a page of its owner's."""
    event = {
        "type": "turn.added",
        "below": str(turn.below),
        "answer": str(turn.answer.pk),
        "generation": str(turn.generation.pk),
        "fragment": fragment,
    }
    await _tried(get_channel_layer().group_send(_group(turn.conversation.pk), event))


async def branch_changed(conversation_id: uuid.UUID) -> None:
    """Say that another branch is shown now."""
    await _tried(get_channel_layer().group_send(_group(conversation_id), {"type": "branch.changed"}))


def _group(conversation_id: uuid.UUID) -> str:
    return f"conversation.{conversation_id}"


async def _tried(call: Awaitable[None]) -> None:
    try:
        await call
    except Exception as error:  # whatever a layer may raise: its own, its client's, the network's
        logger.warning("the channel layer failed: %s", type(error).__name__)
