"""What counts as a word of a text, for the search: the same for what is indexed, what is asked and what is marked.

Words are compared without case and accents. A code identifier is found whole and by its parts. Scripts that put no
spaces between words are cut into overlapping pairs of characters. Nothing here knows a database or a model.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

WORD_CHARS: Final = 100  # what is longer is cut, in texts and in queries alike
QUERY_CHARS: Final = 200
PREFIX_CHARS: Final = 3  # a shorter beginning is looked for as a word: it would fit nearly everything
RUNS: Final = 6  # dotted names of up to so many segments are found by each of their stretches

Word = tuple[str, int, int]  # as it is compared, and where it stands in the text


def _class_of_marks() -> str:
    """The signs that belong to the letter before them, for a class of a pattern: \\w leaves them out.

    What encloses a sign or chooses how it looks stands with emoji, which are no words.
    """
    signs = [
        c
        for c in range(0x300, 0x20000)
        if unicodedata.category(chr(c)) in {"Mn", "Mc"} and not 0xFE00 <= c <= 0xFE0F
    ]
    starts = [b for a, b in pairwise([0, *signs]) if b != a + 1]
    ends = [a for a, b in pairwise([*signs, sys.maxunicode]) if b != a + 1]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))


_SPACELESS: Final = (
    "\u0e00-\u0eff\u0f00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3031-\u3035\u3040-\u30ff"
    "\u3100-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uffdc\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)


class _Patterns(NamedTuple):
    """What a word is. Put together when the first text is read: that goes through all of Unicode once."""

    # A stretch of a spaceless script; or a word, with what may be an identifier's further segments.
    piece: re.Pattern[str]
    no_letter: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    marks = _class_of_marks()
    letter = f"(?:(?![{_SPACELESS}])[\\w{marks}])"
    piece = f"(?P<spaceless>[{_SPACELESS}]+)|{letter}+(?:\\.{letter}+)*"
    return _Patterns(re.compile(piece), re.compile(f"[^\\w{marks}]|_"))


_VOICED: Final = {"\u3099", "\u309a"}  # they make another syllable of a Japanese one: no accents
# Where a part of an identifier ends: at underscores, and where small letters are followed by a capital.
_PART: Final = re.compile(r"[^_]+?(?:(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?=_)|$)")
_CHUNK: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')
_QUOTES: Final = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))


@dataclass(frozen=True, slots=True)
class Term:
    """What a text must have: a word, wherever it stands, or several in a row. `prefix` is the beginning of a word."""

    words: tuple[str, ...]
    prefix: bool = False


Query = tuple[Term, ...]  # all of them


def scan(text: str) -> tuple[list[Word], list[Word]]:
    """The words of `text` in their order; and apart from these what else it is found by.

    Those are identifiers as a whole, and the single characters of spaceless scripts.
    """
    words: list[Word] = []
    wholes: list[Word] = []
    for piece in _patterns().piece.finditer(text):
        found, start = piece.group(), piece.start()
        if piece.lastgroup:
            _pairs(found, start, words, wholes)
        elif found.isalnum() and (found.islower() or found[1:].islower() or not found.isascii()):
            if word := fold(found):
                words.append((word, start, piece.end()))
        else:
            _identifier(found, start, words, wholes)
    return words, wholes


def parse(text: str) -> Query:
    """What a query asks for. Words and numbers each, "words in quotes" in a row, and beginnings that end in `*`."""
    terms: list[Term] = []
    for chunk in _CHUNK.finditer(text[:QUERY_CHARS].translate(_QUOTES)):
        quoted, plain = chunk.groups()
        if plain is None:
            terms.append(Term(tuple(word for word, _, _ in scan(quoted)[0])))
        else:
            terms += _plain(plain)
    return tuple(dict.fromkeys(term for term in terms if term.words))


def marks(text: str, query: Query) -> list[tuple[int, int]]:
    """Where in `text` stands what `query` asks for: spans in their order, none of which overlap."""
    words, wholes = scan(text)
    spans = sorted(span for term in query for span in _found(term, words, wholes))
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def fold(text: str) -> str:
    """`text` without case, accents and what is no letter or number; at most WORD_CHARS long."""
    return _fold(text[: 4 * WORD_CHARS])  # no more, for what is kept ready stays in memory


@lru_cache(maxsize=20_000)
def _fold(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text.lower()[:WORD_CHARS]
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c) or c in _VOICED)
    return _patterns().no_letter.sub("", unicodedata.normalize("NFC", bare))[:WORD_CHARS]


def _pairs(found: str, start: int, words: list[Word], wholes: list[Word]) -> None:
    folded = fold_run(found)
    exact = len(folded) == len(found)
    end = start + len(found)
    spans = [(start + i, start + i + 1) if exact else (start, end) for i in range(len(folded))]
    if len(folded) == 1:
        words.append((folded, start, end))
        return
    for i, (a, b) in enumerate(pairwise(folded)):
        words.append((a + b, spans[i][0], spans[i + 1][1]))
    wholes += [(c, *span) for c, span in zip(folded, spans, strict=True)]


def fold_run(found: str) -> str:
    """As `fold`, of any length: a stretch of a spaceless script may be a whole page."""
    return "".join(fold(found[i : i + 50]) for i in range(0, len(found), 50))


def _identifier(found: str, start: int, words: list[Word], wholes: list[Word]) -> None:
    """The parts of an identifier are words; it and each stretch of its segments are wholes."""
    segments: list[list[Word]] = []
    for segment in re.finditer(r"[^.]+", found):
        at = start + segment.start()
        parts = [
            (word, at + part.start(), at + part.end())
            for part in _PART.finditer(segment.group())
            if (word := fold(part.group()))
        ]
        if parts:
            segments.append(parts)
            words += parts
    count = len(segments)
    stretches = {(i, j) for i in range(count) for j in range(i + 1, count + 1)} if count <= RUNS else set()
    for i, j in sorted(stretches | {(0, count)}):
        parts = [part for segment in segments[i:j] for part in segment]
        if len(parts) > 1:
            wholes.append((_whole(parts), parts[0][1], parts[-1][2]))


def _whole(parts: list[Word]) -> str:
    """An identifier in one, however it is written: max_tokens is maxTokens, but 3.14 is not 314."""
    numbers = all(part[0].isdigit() for part in parts)
    return (".".join if numbers else "".join)([part[0] for part in parts])[:WORD_CHARS]


def _plain(chunk: str) -> list[Term]:
    terms = []
    for piece in _patterns().piece.finditer(chunk):
        words, wholes = scan(piece.group())
        if piece.lastgroup:
            terms.append(Term(tuple(word for word, _, _ in words)))
        elif words:
            terms.append(Term((_whole(words) if wholes else words[0][0],)))
    ends_open = chunk.endswith("*") and terms and len(terms[-1].words) == 1
    if ends_open and len(terms[-1].words[0]) >= PREFIX_CHARS:
        terms[-1] = Term(terms[-1].words, prefix=True)
    return terms


def _found(term: Term, words: list[Word], wholes: list[Word]) -> Iterator[tuple[int, int]]:
    if len(term.words) == 1:
        asked = term.words[0]
        for word, start, end in (*words, *wholes):
            if word == asked or (term.prefix and word.startswith(asked)):
                yield start, end
        return
    size = len(term.words)
    texts = [word for word, _, _ in words]
    for i in range(len(words) - size + 1):
        if texts[i] == term.words[0] and tuple(texts[i : i + size]) == term.words:
            yield words[i][1], words[i + size - 1][2]
