"""What an answer of a benchmark says: the same text for the upstream that speaks it and the driver that checks it.

An `Ask` travels as the question itself, so the product carries it like any other. In numbered kinds each token is one
word that ends in its number, by which it is found again wherever it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

NUMBERED = re.compile(r"[a-z](\d{5})")  # the number of a token, in what is shown
NUMBERED_KINDS = {"prose"}
PARAGRAPH = 80  # words
PIECE = 4  # characters of a token that is not numbered
_ASK = re.compile(r"key=(\d+) kind=(\w+) tokens=(\d+) rate=([\d.]+)")
_WORDS = re.findall(
    r"\w+",
    "the river runs past old mill and slow boats carry grain to a town where every house has one tall window "
    "with light that falls over stone steps while people talk of rain bread work and what comes next",
)
_CODE = "def measured_{n}(value):\n    total = value * {n} + 1\n    return [total, '{n}', None]\n\n\n"


@dataclass(frozen=True, slots=True)
class Ask:
    """One answer to come: `tokens` of a `kind`, `rate` a second (0: as fast as the line takes them)."""

    key: int
    kind: str
    tokens: int
    rate: float

    def question(self) -> str:
        """What a person writes to get it."""
        return f"Answer this: key={self.key} kind={self.kind} tokens={self.tokens} rate={self.rate:g}"

    @staticmethod
    def of(question: str) -> Ask:
        """The `Ask` that a question carries. Raises ValueError."""
        found = _ASK.search(question)
        if found is None:
            raise ValueError(question)
        return Ask(int(found[1]), found[2], int(found[3]), float(found[4]))

    def pieces(self) -> list[str]:
        """The tokens, in order."""
        return list(islice(_KINDS[self.kind](self.key), self.tokens))

    def text(self) -> str:
        """The whole source of the answer."""
        return "".join(self.pieces())


def _prose(key: int) -> Iterator[str]:
    """Paragraphs of numbered words, a few of them emphasised."""
    for number in count():
        word = f"{_WORDS[(key + number) % len(_WORDS)]}{number:05d}"
        if number % 20 == 7:
            word = f"**{word}**"
        yield word + (".\n\n" if number % PARAGRAPH == PARAGRAPH - 1 else " ")


def _words(key: int) -> Iterator[str]:
    return (_WORDS[(key + number * number) % len(_WORDS)] for number in count())


def _cut(texts: Iterator[str]) -> Iterator[str]:
    held = ""
    for text in texts:
        held += text
        while len(held) >= PIECE:
            yield held[:PIECE]
            held = held[PIECE:]


def _plain(key: int) -> Iterator[str]:
    """Paragraphs of ordinary words."""
    ends = (".\n\n" if number % PARAGRAPH == PARAGRAPH - 1 else " " for number in count())
    return _cut(word + end for word, end in zip(_words(key), ends, strict=False))


def _long(key: int) -> Iterator[str]:
    """One paragraph without an end."""
    return _cut(word + " " for word in _words(key))


def _code(key: int) -> Iterator[str]:
    """A block of code that is never closed."""
    return _cut(("```python\n" if number == 0 else "") + _CODE.format(n=key + number) for number in count())


_KINDS = {"prose": _prose, "plain": _plain, "long": _long, "code": _code}
