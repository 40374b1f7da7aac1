"""How many tokens a text may have: a guess, and the most. No tokenizer of the providers' is at hand.

Both rules are here and nowhere else. By the guess is cut what is sent, and settled what nobody reported; the most is
what is reserved, since a text may be of digits alone, or in Khmer, where each byte is a token.
"""

from __future__ import annotations

DEFAULT_CONTEXT_LENGTH = 32_768  # tokens
DEFAULT_ANSWER_TOKENS = 1_024  # kept free for an answer whose length is not limited
_BYTES_PER_TOKEN = (
    3  # on the safe side for words in Latin letters, and for the scripts that most people write
)
_TOKENS_PER_MESSAGE = 8  # role markers and separators


def estimated_tokens(text: str) -> int:
    """A cautious guess at the tokens of `text` as a message."""
    return of_messages(len(text.encode("utf-8")), 1)


def of_messages(size: int, number: int) -> int:
    """The same for so many messages of `size` bytes together: never less than the guesses at each."""
    return size // _BYTES_PER_TOKEN + number * _TOKENS_PER_MESSAGE


def most_tokens(size: int, number: int) -> int:
    """The most that so many messages of `size` bytes together can have: no token is less than a byte."""
    return size + number * _TOKENS_PER_MESSAGE


def most_guessed(tokens: int) -> int:
    """The most that messages can have whose guesses come to `tokens`."""
    return tokens * _BYTES_PER_TOKEN


def answer_room(max_tokens: int | None, context_length: int) -> int:
    """The tokens of the context that history leaves free for the answer."""
    return min(max_tokens or DEFAULT_ANSWER_TOKENS, context_length // 2)
