"""The full-text index of ended answers, behind the same functions on SQLite (FTS5) and PostgreSQL (tsvector, GIN).

A document is a question with its answer, under the id of its record in the ledger. Words are cut by `words.py`, so
that both databases find the same, and nothing that a person types reaches either's query syntax but as a quoted word.
Beside the words stand tags: what never changes of an answer and is asked for often. A company is a tag, so searching
inside one is an intersection within the index. Callers have been through `access`.

Documents come from `filing.py`. They leave by triggers of the database on the ledger, which the migration of the index
makes: whoever deletes a conversation has not to think of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zlib import crc32

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from conversations import words
from conversations.models import AnswerRecord
from conversations.words import Query, Term

MAX_WORDS = 16_000  # of a document; PostgreSQL counts positions up to 16,383
MAX_BYTES = 500_000  # of its words; PostgreSQL takes a megabyte with all that it adds
WALKED = 20_000  # ids, within some 20 ms


def add(answers: Iterable[tuple[AnswerRecord, str, str]]) -> None:
    """Index records with their question and answer, but for those that are indexed: ended answers do not change."""
    new = {
        record.pk: (record, question, answer)
        for record, question, answer in answers
        if record.message_id and not record.trial
    }
    if not new:
        return
    key = _key()
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(new))
        cursor.execute(f"SELECT {key} FROM conversations_search WHERE {key} IN ({marks})", list(new))  # noqa: S608
        for (pk,) in cursor.fetchall():
            del new[pk]
        if not new:
            return
        rows = [_row(record, f"{question}\n{answer}") for record, question, answer in new.values()]
        if _sqlite():
            cursor.executemany(
                "INSERT INTO conversations_search (rowid, tags, words, wholes) VALUES (%s, %s, %s, %s)", rows
            )
        else:
            cursor.executemany(
                "INSERT INTO conversations_search (record_id, words, pairs) "
                "VALUES (%s, %s::tsvector, %s) ON CONFLICT (record_id) DO NOTHING",
                rows,
            )


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


def ids(
    tags: Sequence[str],
    query: Query,
    *,
    above: int = 0,
    below: int = 2**62,
    oldest: bool = False,
    also: QuerySet[AnswerRecord, Any] | None = None,
    limit: int,
) -> list[int]:
    """The ids between `above` and `below` of documents with all `tags` and all that `query` asks for.

    The newest first, or with `oldest` the oldest. `also` is what their records must be among besides.
    """
    if not query:
        return []
    if also is not None:
        key = f"conversations_search.{_key()}"
        also = also.filter(pk__gt=above, pk__lt=below, pk=RawSQL(key, [])).values("pk")  # noqa: S611
    if _sqlite():
        return _ids(tags, query, above, below, oldest, also, limit)
    # Its plans are chosen by how often words are, which says little of how often they are together. So the next rows
    # are walked, which ends at once where what is asked for is common; where it is not, the index of words has few.
    if oldest:
        edge = min(above + WALKED, below)
        near, rest = (above, edge), (edge - 1, below)
    else:
        edge = max(min(below, _last() + 1) - WALKED, above)
        near, rest = (edge, below), (above, edge + 1)
    found = _ids(tags, query, *near, oldest, also, limit, walk=True)
    if len(found) < limit and rest[1] - rest[0] > 1:
        found += _ids(tags, query, *rest, oldest, also, limit - len(found))
    return found


def among(candidates: Sequence[int], tags: Sequence[str], query: Query) -> list[int]:
    """Which of the ids are those of documents that `ids` would find, in the same order."""
    if not candidates or not query:
        return []
    key, where, asked = _where(tags, query)
    rows = f"conversations_search WHERE {key} IN ({', '.join(['%s'] * len(candidates))})"
    if _sqlite():
        sql, parameters = f"SELECT {key} FROM {rows} AND {where}", [*candidates, *asked]  # noqa: S608
    else:
        sql, parameters = f"SELECT {key} FROM {_apart(rows)} WHERE {where}", [*candidates, *asked]  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = {pk for (pk,) in cursor.fetchall()}
    return [pk for pk in candidates if pk in found]


def looked_up_at_once() -> int:
    """How many candidates `among` takes within some 20 ms. FTS5 opens each word anew for each of them."""
    return 300 if _sqlite() else 2_000


def subquery(tags: Sequence[str], query: Query) -> RawSQL:
    """The ids that are found, as a part of another query. `query` asks for something."""
    key, where, parameters = _where(tags, query)
    return RawSQL(f"SELECT {key} FROM conversations_search WHERE {where}", parameters)  # noqa: S608, S611


def _ids(
    tags: Sequence[str],
    query: Query,
    above: int,
    below: int,
    oldest: bool,
    also: QuerySet[AnswerRecord, Any] | None,
    limit: int,
    walk: bool = False,
) -> list[int]:
    """One query of `ids`. With `walk` PostgreSQL looks at each row in turn, without it at what its indexes find."""
    key, where, asked = _where(tags, query)
    between, order = f"{key} > %s AND {key} < %s", "ASC" if oldest else "DESC"
    if _sqlite():
        sql = f"SELECT {key} FROM conversations_search WHERE {where} AND {between}"  # noqa: S608
        parameters = [*asked, above, below]
    elif walk:
        rows = _apart(f"conversations_search WHERE {between} ORDER BY {key} {order}")
        sql = f"SELECT {key} FROM {rows} WHERE {where}"  # noqa: S608
        parameters = [above, below, *asked]
    else:
        found = f"SELECT {key} FROM conversations_search WHERE {where}"  # noqa: S608
        sql = f"WITH conversations_search AS MATERIALIZED ({found}) "
        sql += f"SELECT {key} FROM conversations_search WHERE {between}"  # noqa: S608
        parameters = [*asked, above, below]
    if also is not None:
        inner, values = also.query.sql_with_params()
        sql += f" AND EXISTS ({inner})"
        parameters += values
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY {key} {order} LIMIT %s", [*parameters, limit])
        return [pk for (pk,) in cursor.fetchall()]


def _apart(rows: str) -> str:
    """The rows, whose words PostgreSQL looks at one by one: the offset keeps that apart from how they are found."""
    return f"(SELECT * FROM {rows} OFFSET 0) AS conversations_search"  # noqa: S608


def _last() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(record_id) FROM conversations_search")
        return int(cursor.fetchone()[0] or 0)


def _key() -> str:
    return "rowid" if _sqlite() else "record_id"


def _sqlite() -> bool:
    return connection.vendor == "sqlite"


@lru_cache(maxsize=4_096)
def _tag(kind: str, value: str) -> str:
    return kind + hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _row(record: AnswerRecord, text: str) -> tuple[Any, ...]:
    found, wholes = words.scan(text)
    kept = _cut([word for word, _, _ in found])
    apart = _cut(list(dict.fromkeys(word for word, _, _ in wholes)))
    tags = tags_of(record)
    if _sqlite():
        return record.pk, " ".join(tags), " ".join(kept), " ".join(apart)
    places: dict[str, list[str]] = {word: [] for word in [*(f" {each}" for each in tags), *apart]}
    for position, word in enumerate(kept, 1):
        places.setdefault(word, []).append(str(position))
    vector = " ".join(_lexeme(word) + (":" + ",".join(at) if at else "") for word, at in places.items())
    return record.pk, vector, sorted(_pairs(kept))


def _pairs(in_a_row: Sequence[str]) -> set[int]:
    """A number for each two words that follow one another. Others may have the same: it finds candidates only."""
    return {crc32(f"{one} {other}".encode("utf-8", "replace")) - 2**31 for one, other in pairwise(in_a_row)}


def _cut(found: list[str]) -> list[str]:
    found = found[:MAX_WORDS]
    size = 0
    for number, word in enumerate(found):
        size += len(word.encode("utf-8", "replace"))
        if size > MAX_BYTES // 2:
            return found[:number]
    return found


def _where(tags: Sequence[str], query: Query) -> tuple[str, str, list[Any]]:
    """The name of the id, a condition, and the condition's parameters."""
    if _sqlite():
        asked = [f'tags : "{each}"' for each in tags] + [_fts5(term) for term in query]
        return "rowid", "conversations_search MATCH %s", [" AND ".join(asked)]
    # A lexeme with a space before it is a tag: no word has one.
    asked = [_lexeme(f" {each}") for each in tags] + [_tsquery(term) for term in query]
    where, parameters = "words @@ %s::tsquery", [" & ".join(asked)]
    # Its index knows words but not their order, so that it would read every text that has all words of a phrase.
    if pairs := {pair for term in query for pair in _pairs(term.words)}:
        return "record_id", f"{where} AND pairs @> %s::integer[]", [*parameters, sorted(pairs)]
    return "record_id", where, parameters


def _fts5(term: Term) -> str:
    if len(term.words) == 1:
        return f"{{words wholes}} : {_string(term.words[0])}{' *' if term.prefix else ''}"
    return f"words : {_string(' '.join(term.words))}"


def _string(words: str) -> str:
    return '"' + words.replace('"', '""') + '"'


def _tsquery(term: Term) -> str:
    if len(term.words) == 1:
        return _lexeme(term.words[0]) + (":*" if term.prefix else "")
    return f"({' <-> '.join(map(_lexeme, term.words))})"


def _lexeme(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
