"""What of a conversation is sent to the model: its branch, cut from the oldest turns where it is too long."""

from __future__ import annotations

from collections.abc import Sequence

from conversations import providers
from conversations.estimates import estimated_tokens

MAX_MESSAGES = 400
REACH = (
    2 * MAX_MESSAGES
)  # messages from the end that hold as many with words: no two without any stand together


def fitting(
    system: str, messages: Sequence[providers.ChatMessage], *, context_length: int, answer_tokens: int
) -> tuple[tuple[providers.ChatMessage, ...], int]:
    """The newest of `messages` that fit the model, from a question on, and how many were left out.

    The last question, and an answer under way behind it, are always sent, even where they alone are too long:
    the provider's own refusal says more than a silent cut would.
    """
    room = context_length - answer_tokens - estimated_tokens(system)
    kept = len(messages)
    must = max((i for i, message in enumerate(messages) if message.role == "user"), default=0)
    for index in range(len(messages) - 1, -1, -1):
        room -= estimated_tokens(messages[index].text)
        if (room < 0 or len(messages) - index > MAX_MESSAGES) and index < must:
            break
        kept = index
    while kept < must and messages[kept].role != "user":
        kept += 1
    return tuple(messages[kept:]), kept
