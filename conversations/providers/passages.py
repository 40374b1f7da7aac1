"""Files cut into passages, for a provider that says which of them an answer rests on. Pure, no I/O.

A passage is some lines in a row: long enough to mean something, short enough that a note of it leads somewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conversations.providers.events import ChatMessage, Document

CHARS = 1_200  # of a passage, to the end of its last line
MOST = 400  # passages of a request; of more text they are longer


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of a file, from `first` to `last`, both counted from one. `id` is what a request calls it."""

    id: str
    document: Document
    first: int
    last: int
    text: str

    @property
    def title(self) -> str:
        """The file and the lines, in words."""
        lines = f"line {self.first}" if self.first == self.last else f"lines {self.first}–{self.last}"
        return f"{self.document.name}, {lines}"


def passages(messages: Iterable[ChatMessage]) -> list[Passage]:
    """All that is attached to `messages`, cut the same way each time."""
    documents = [document for message in messages for document in message.documents]
    size = max(CHARS, -(-sum(len(document.text) for document in documents) // MOST))
    return [
        Passage(f"{number}.{part}", document, first, last, text)
        for number, document in enumerate(documents, 1)
        for part, (first, last, text) in enumerate(_cut(document.text, size), 1)
    ]


def _cut(text: str, size: int) -> Iterator[tuple[int, int, str]]:
    """Lines together until they have `size` characters; a line that is longer alone is cut within."""
    held, first, room = "", 1, size
    number = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        while len(line) > 2 * size:
            if held:
                yield first, number - 1, held
                held = ""
            yield number, number, line[:size]
            line, first, room = line[size:], number, size
        if not held:
            first, room = number, size
        held += line
        room -= len(line)
        if room <= 0:
            yield first, number, held
            held = ""
    if held:
        yield first, number, held
