"""What an answer rests on: a provider's citations, made into the notes that are kept and shown below it.

A note is a passage of what was attached, with the places of the answer that rest on it. It holds the passage as it was
sent, so that it says what it said, whatever becomes of the file. Knows no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from conversations import providers
from conversations.providers.passages import Passage, passages
from conversations.rendering import plaintext, snippets

MOST = 60  # notes of an answer
PLACES = 20  # of the answer, that are told of one note
CHARS = 1_200  # of a passage
PHRASES, PHRASE_CHARS = 3, 100  # of an answer, that are shown of one note


class Note(TypedDict):
    """A passage, and where the answer rests on it: from which of its characters to which."""

    name: str
    first: int
    last: int
    text: str
    places: list[list[int]]
    cut: NotRequired[bool]


@dataclass(frozen=True, slots=True)
class Noted:
    """A passage that an answer rests on, and the words of the answer that do."""

    name: str
    first: int
    last: int
    text: str
    cut: bool
    words: list[str]


def notes(
    request: providers.ChatRequest,
    text: str,
    citations: Sequence[providers.Citation],
    *,
    inherited: list[Any],
    at: int,
) -> list[Note]:
    """The notes of an answer in the order of its words. `inherited` are those of what it carries on, and `at` is where
    that ends: a provider counts from there."""
    found: dict[tuple[str, int, int], Note] = {(n["name"], n["first"], n["last"]): n for n in inherited}
    known = {passage.id: passage for passage in passages(request.messages)} if citations else {}
    for citation in citations:
        place = _place(text, citation, at)
        for source in citation.sources:
            passage = known.get(source)
            if passage is None:
                continue
            key = passage.document.name, passage.first, passage.last
            if key not in found and len(found) >= MOST:
                continue
            note = found.setdefault(key, _note(passage))
            if place and place not in note["places"] and len(note["places"]) < PLACES:
                note["places"].append(place)
    return sorted(found.values(), key=lambda note: min(note["places"], default=[len(text)]))


def noted(answer: str, notes: list[Note]) -> list[Noted]:
    """The notes below an answer, each with some of the words that rest on it."""
    return [
        Noted(
            name=note["name"],
            first=note["first"],
            last=note["last"],
            text=plaintext.clean(note["text"]),
            cut=note.get("cut", False),
            words=[_phrase(answer[start:end]) for start, end in note["places"][:PHRASES]],
        )
        for note in notes
    ]


def _phrase(words: str) -> str:
    """Some words of an answer on one line, without marks of Markdown."""
    line = " ".join(snippets.plain(plaintext.clean(words[: 4 * PHRASE_CHARS])).split())
    return line if len(line) <= PHRASE_CHARS else f"{line[:PHRASE_CHARS].rstrip()}…"


def _note(passage: Passage) -> Note:
    note = Note(
        name=passage.document.name,
        first=passage.first,
        last=passage.last,
        text=passage.text[:CHARS],
        places=[],
    )
    if len(passage.text) > CHARS:
        note["cut"] = True
    return note


def _place(text: str, citation: providers.Citation, at: int) -> list[int] | None:
    """Where the words stand that rest on something. Offsets have been seen that do not fit; the words count then."""
    start, end = citation.start + at, citation.end + at
    if not citation.text:
        return [start, end] if at <= start < end <= len(text) else None
    if text[start:end] == citation.text:
        return [start, end]
    places = list(_all(text, citation.text, at))
    if not places:
        return None
    nearest = min(places, key=lambda place: abs(place - start))
    return [nearest, nearest + len(citation.text)]


def _all(text: str, words: str, start: int) -> Iterable[int]:
    while (start := text.find(words, start)) >= 0:
        yield start
        start += len(words)
