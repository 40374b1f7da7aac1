"""What is written into the index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zlib import crc32

from django.db import connection

from conversations import statements, words
from conversations.models import AnswerRecord

TITLE = "\ue000"  # stands before each word of a title, as it does in no text: so titles are found apart
ERAS = tuple(2_048 * 4**level for level in range(6))  # so many ids that follow one another each
MAX_WORDS = 16_000  # of a document; PostgreSQL counts positions up to 16,383
MAX_BYTES = 500_000  # of its words; PostgreSQL takes a megabyte with all that it adds
IMPORTED = 2**61  # from here on ids are of what was brought in, and not of the ledger

_INSERT = {
    "sqlite": "INSERT INTO conversations_search (rowid, tags, words, wholes) VALUES (%s, %s, %s, %s)",
    "postgresql": "INSERT INTO conversations_search (record_id, words, pairs) "
    "VALUES (%s, %s::tsvector, %s) ON CONFLICT (record_id) DO NOTHING",
}


def add(answers: Iterable[tuple[AnswerRecord, str, str]]) -> None:
    """Index records with their question and answer, but for those that are indexed: ended answers do not change."""
    new = {
        record.pk: (record, question, answer)
        for record, question, answer in answers
        if record.message_id and not record.trial
    }
    if not new:
        return
    key = key_column()
    with connection.cursor() as cursor:
        marks = statements.marks(new)
        cursor.execute(f"SELECT {key} FROM conversations_search WHERE {key} IN ({marks})", list(new))  # noqa: S608
        for (pk,) in cursor.fetchall():
            del new[pk]
        if not new:
            return
        rows = [
            _document(record.pk, tags_of(record), f"{question}\n{answer}")
            for record, question, answer in new.values()
        ]
        cursor.executemany(_INSERT[connection.vendor], rows)


def imported(pk: int, person: int, text: str) -> tuple[Any, ...]:
    """The document of a message that was brought in, for its owner alone: it is no answer of a company's."""
    return _document(IMPORTED + pk, [tag("person", person)], text)


def put(documents: Sequence[tuple[Any, ...]]) -> None:
    """Index what `imported` made and is not there yet."""
    statements.run(_INSERT[connection.vendor], documents)


def entitle(titles: Mapping[int, tuple[int, str]]) -> None:
    """Index titles anew: by first record, or first message that was brought in, the owner's id and the title."""
    rows = [
        _document(-pk, [tag("person", person)], title, before=TITLE) for pk, (person, title) in titles.items()
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        marks = statements.marks(rows)
        gone = [row[0] for row in rows]
        cursor.execute(f"DELETE FROM conversations_search WHERE {key_column()} IN ({marks})", gone)  # noqa: S608
        cursor.executemany(_INSERT[connection.vendor], rows)


def tag(kind: str, value: object = "") -> str:
    """What a document is found by beside its words, such as tag("company", pk)."""
    return _tag(kind, str(value))


def tags_of(record: AnswerRecord) -> list[str]:
    """All tags of a record: its company, its owner, and what is said of the answer for good."""
    tags = [
        tag("company", record.company_id),
        tag("person", record.person_id),
        tag("persona", record.persona_id),
        tag("version", record.version_id),
        tag("model", record.model),
        tag("finish", record.finish_reason),
    ]
    return [*tags, tag("error"), tag("error", record.error_kind)] if record.error_kind else tags


@lru_cache(maxsize=4_096)
def _tag(kind: str, value: str) -> str:
    return kind + hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _document(pk: int, tags: Sequence[str], text: str, *, before: str = "") -> tuple[Any, ...]:
    found, wholes = words.scan(text)
    kept = _cut([before + word for word, _, _ in found])
    apart = _cut(list(dict.fromkeys(before + word for word, _, _ in wholes)))
    if sqlite():
        return pk, " ".join(tags), " ".join(kept), " ".join(apart)
    eras = [era(size, abs(pk) // size) for size in ERAS]
    places: dict[str, list[str]] = {word: [] for word in [*(f" {each}" for each in tags), *eras, *apart]}
    for position, word in enumerate(kept, 1):
        places.setdefault(word, []).append(str(position))
    vector = " ".join(lexeme(word) + (":" + ",".join(at) if at else "") for word, at in places.items())
    return pk, vector, sorted(pairs_of(kept))


def _cut(found: list[str]) -> list[str]:
    found = found[:MAX_WORDS]
    size = 0
    for number, word in enumerate(found):
        size += len(word.encode("utf-8", "replace"))
        if size > MAX_BYTES // 2:
            return found[:number]
    return found


def pairs_of(in_a_row: Sequence[str]) -> set[int]:
    """A number for each two words that follow one another. Others may have the same: it finds candidates only."""
    return {crc32(f"{one} {other}".encode("utf-8", "replace")) - 2**31 for one, other in pairwise(in_a_row)}


def era(size: int, number: int) -> str:
    """By what PostgreSQL finds the documents of an era of so many ids: its index of words knows no order."""
    return f" era{size}-{number}"


def lexeme(word: str) -> str:
    """A word as PostgreSQL reads it in a tsvector and a tsquery."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def key_column() -> str:
    """The column that has the id."""
    return "rowid" if sqlite() else "record_id"


def sqlite() -> bool:
    """Whether the index is SQLite's."""
    return connection.vendor == "sqlite"
