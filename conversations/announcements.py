"""What one page tells the others of the same conversation or person: the rare things, over the channel layer.

The layer reaches the sockets of this process; those of the others are told through their own. Either may lose a
message: every page finds out what it missed by comparing states. So nothing here ever fails what was announced, or
waits for it. Answers never come this way: they have the log.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable
from typing import Any

from channels.layers import get_channel_layer

from conversations import peers, posting

logger = logging.getLogger(__name__)


async def join(of: uuid.UUID | int, channel: str) -> None:
    """Have the socket `channel` told what happens in a conversation, or to the list of a person's chats."""
    await _tried(get_channel_layer().group_add(_group(of), channel))


async def leave(of: uuid.UUID | int, channel: str) -> None:
    """No longer tell the socket `channel`."""
    await _tried(get_channel_layer().group_discard(_group(of), channel))


async def turn_added(turn: posting.Turn, fragment: str) -> None:
    """Say that `turn` stands at the end now. `fragment` is what adds it to a page of its owner's."""
    event = {
        "type": "turn.added",
        "below": str(turn.below),
        "answer": str(turn.answer.pk),
        "generation": str(turn.generation.pk),
        "fragment": fragment,
    }
    await _announce(turn.conversation.pk, event)


async def branch_changed(conversation_id: uuid.UUID, *, around: uuid.UUID | None = None) -> None:
    """Say that another branch is shown now, where it was changed `around` a message above its end."""
    event = {"type": "branch.changed", "around": str(around) if around else None}
    await _announce(conversation_id, event)


async def titled(person_id: int, conversation_id: uuid.UUID, title: str) -> None:
    """Say that a chat of a person's is called otherwise now, to whatever shows their list."""
    await _announce(person_id, {"type": "chat.titled", "chat": str(conversation_id), "title": title})


async def _announce(of: uuid.UUID | int, event: dict[str, Any]) -> None:
    peers.tell("announcement", {"group": _group(of), "event": event})
    await _tried(get_channel_layer().group_send(_group(of), event))


async def _announced_elsewhere(note: peers.Note) -> None:
    await _tried(get_channel_layer().group_send(note["group"], note["event"]))


peers.hear("announcement", _announced_elsewhere)


def _group(of: uuid.UUID | int) -> str:
    """The group of a conversation, or of a person, by their key."""
    return f"{'person' if isinstance(of, int) else 'conversation'}.{of}"


async def _tried(call: Awaitable[None]) -> None:
    try:
        await call
    except Exception as error:  # whatever a layer may raise: its own, or its client's
        logger.warning("the channel layer failed: %s", type(error).__name__)
