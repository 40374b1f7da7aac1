"""How many tokens a text may have. A guess, on the safe side: no tokenizer of the providers' is at hand.

The rule of the estimate is here and nowhere else, so what is sent, what is reserved for it and what an answer without a
report is taken to have used are of one measure.
"""

from __future__ import annotations

DEFAULT_CONTEXT_LENGTH = 32_768  # tokens
DEFAULT_ANSWER_TOKENS = 1_024  # kept free for an answer whose length is not limited
_BYTES_PER_TOKEN = (
    3  # on the safe side for Western text; scripts of several bytes a character come out near one
)
_TOKENS_PER_MESSAGE = 8  # role markers and separators


def estimated_tokens(text: str) -> int:
    """A cautious guess at the tokens of `text` as a message."""
    return of_messages(len(text.encode("utf-8")), 1)


def of_messages(size: int, number: int) -> int:
    """The same for so many messages of `size` bytes together: never less than the guesses at each."""
    return size // _BYTES_PER_TOKEN + number * _TOKENS_PER_MESSAGE


def answer_room(max_tokens: int | None, context_length: int) -> int:
    """The tokens of the context that history leaves free for the answer."""
    return min(max_tokens or DEFAULT_ANSWER_TOKENS, context_length // 2)
