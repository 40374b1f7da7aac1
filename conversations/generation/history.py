"""What of a conversation is sent to the model: its branch, cut from the oldest turns where it is too long."""

from __future__ import annotations

from collections.abc import Sequence

from conversations import providers
from conversations.estimates import estimated_tokens, of_messages

MAX_MESSAGES = 400
REACH = (
    2 * MAX_MESSAGES
)  # messages from the end that hold as many with words: no two without any stand together


def fitting(
    system: str,
    messages: Sequence[providers.ChatMessage],
    *,
    context_length: int,
    answer_tokens: int,
    attached: Sequence[int] = (),
) -> tuple[tuple[providers.ChatMessage, ...], int]:
    """The newest of `messages` that fit the model, from a question on, and how many were left out. What is
    `attached` to each is counted by its bytes.

    The last question, and an answer under way behind it, are always sent, even where they alone are too long:
    the provider's own refusal says more than a silent cut would.
    """
    room = context_length - answer_tokens - estimated_tokens(system)
    kept = len(messages)
    must = max((i for i, message in enumerate(messages) if message.role == "user"), default=0)
    for index in range(len(messages) - 1, -1, -1):
        size = len(messages[index].text.encode("utf-8")) + (attached[index] if attached else 0)
        room -= of_messages(size, 1)
        if (room < 0 or len(messages) - index > MAX_MESSAGES) and index < must:
            break
        kept = index
    while kept < must and messages[kept].role != "user":
        kept += 1
    return tuple(messages[kept:]), kept
