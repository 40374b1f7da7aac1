"""What of a conversation is sent to the model: its branch, cut from the oldest turns where it is too long."""

from __future__ import annotations

from collections.abc import Sequence

from conversations import providers

DEFAULT_CONTEXT_LENGTH = 32_768
DEFAULT_ANSWER_TOKENS = 1_024  # kept free for an answer whose length is not limited
MAX_MESSAGES = 400
_BYTES_PER_TOKEN = (
    3  # on the safe side for Western text; scripts of several bytes a character come out near one
)
_TOKENS_PER_MESSAGE = 8  # role markers and separators


def estimated_tokens(text: str) -> int:
    """A cautious guess at the tokens of `text`: no tokenizer of the providers' is at hand."""
    return len(text.encode("utf-8")) // _BYTES_PER_TOKEN + _TOKENS_PER_MESSAGE


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
