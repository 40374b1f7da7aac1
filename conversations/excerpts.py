"""What is shown of a text that was found: a line of it, from where the words stand, and these marked."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from conversations import words
from conversations.rendering import plaintext, snippets
from conversations.words import Query

LEAD = 40  # characters before the first word found, where it does not stand at the beginning
SNIPPED = 600  # characters of an answer that an excerpt is cut from
SCANNED = 20_000  # characters of a text in which words are looked for
NEAR = (
    1_000  # characters in which they are looked for first: cutting a text into words takes a microsecond each
)


def excerpt(text: str, size: int, query: Query) -> SafeString:
    """`text` in one line from its beginning, or from before the first word found; what was found is marked."""
    line = " ".join(plaintext.clean(text[:SCANNED]).split())
    first = first_found(line, query)
    start = 0
    if first and first[1] > size:
        start = max(line.rfind(" ", 0, first[0] - LEAD) + 1, first[0] - 2 * LEAD)
    end = min(start + size, len(line))
    # To the end of the word that is cut.
    spans = [(a + start, b + start) for a, b in words.marks(line[start : end + words.WORD_CHARS], query)]
    html = "…" if start else ""
    at = start
    for a, b in _within(spans, start, end):
        html += f"{escape(line[at:a])}<mark>{escape(line[a:b])}</mark>"
        at = b
    return mark_safe(html + escape(line[at:end]) + ("…" if end < len(line) else ""))  # noqa: S308 (escaped above)


def of_answer(text: str, size: int, query: Query) -> SafeString:
    """The same of an answer, without the marks of Markdown: they are taken off a little of it only, from the line of
    the first word found."""
    text = plaintext.clean(text[: SCANNED if query else SNIPPED])
    first, end = first_found(text, query) or (0, 0)
    start = max(text.rfind("\n", 0, first) + 1, first - size) if end > size else 0
    plain = ("…" if start else "") + snippets.plain(text[start : start + SNIPPED])
    return excerpt(plain, size, query)


def first_found(text: str, query: Query) -> tuple[int, int] | None:
    """Where the first of what `query` asks for stands in `text`, which is looked at as far as SCANNED."""
    text = text[:SCANNED]
    low = text.lower()
    places = [low.find(word) for term in query for word in term.words]
    if len(low) == len(text) and (found := [place for place in places if place >= 0]):
        begin = max(0, min(found) - NEAR // 2)
        begin = text.rfind(" ", 0, begin) + 1  # at the beginning of a word
        if spans := words.marks(text[begin : begin + NEAR], query):
            return begin + spans[0][0], begin + spans[0][1]
    spans = words.marks(text, query) if query else []
    return spans[0] if spans else None


def _within(spans: Iterable[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    return [(max(a, start), min(b, end)) for a, b in spans if b > start and a < end]
