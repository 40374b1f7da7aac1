"""What is asked of the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from conversations.models import AnswerRecord
from conversations.search.documents import IMPORTED, key_column, lexeme, pairs_of, sqlite
from conversations.words import Query, Term

WALKED = 20_000  # ids, within some 20 ms


def ids(
    tags: Sequence[str],
    query: Query,
    *,
    above: int = 0,
    below: int = IMPORTED,
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
        key = f"conversations_search.{key_column()}"
        also = also.filter(pk__gt=above, pk__lt=below, pk=RawSQL(key, [])).values("pk")  # noqa: S611
    if sqlite():
        return _ids(tags, query, above, below, oldest, also, limit)
    # Its plans are chosen by how often words are, which says little of how often they are together. So the next rows
    # are walked, which ends at once where what is asked for is common; where it is not, the index of words has few.
    if oldest:
        edge = min(above + WALKED, below)
        near, rest = (above, edge), (edge - 1, below)
    else:
        edge = max(min(below, last() + 1) - WALKED, above)
        near, rest = (edge, below), (above, edge + 1)
    found = _ids(tags, query, *near, oldest, also, limit, walk=True)
    if len(found) < limit and rest[1] - rest[0] > 1:
        found += _ids(tags, query, *rest, oldest, also, limit - len(found))
    return found


def among(candidates: Sequence[int], tags: Sequence[str], query: Query) -> list[int]:
    """Which of the ids are those of documents that `ids` would find, in the same order."""
    if not candidates or not query:
        return []
    key, condition, asked = where(tags, query)
    rows = f"conversations_search WHERE {key} IN ({', '.join(['%s'] * len(candidates))})"
    if sqlite():
        sql, parameters = f"SELECT {key} FROM {rows} AND {condition}", [*candidates, *asked]  # noqa: S608
    else:
        sql, parameters = f"SELECT {key} FROM {apart(rows)} WHERE {condition}", [*candidates, *asked]  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = {pk for (pk,) in cursor.fetchall()}
    return [pk for pk in candidates if pk in found]


def looked_up_at_once() -> int:
    """How many candidates `among` takes within some 20 ms. FTS5 opens each word anew for each of them."""
    return 300 if sqlite() else 2_000


def subquery(tags: Sequence[str], query: Query) -> RawSQL:
    """The ids that are found, as a part of another query. `query` asks for something."""
    key, condition, parameters = where(tags, query)
    return RawSQL(f"SELECT {key} FROM conversations_search WHERE {condition}", parameters)  # noqa: S608, S611


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
    key, condition, asked = where(tags, query)
    between, order = f"{key} > %s AND {key} < %s", "ASC" if oldest else "DESC"
    if sqlite():
        sql = f"SELECT {key} FROM conversations_search WHERE {condition} AND {between}"  # noqa: S608
        parameters = [*asked, above, below]
    elif walk:
        rows = apart(f"conversations_search WHERE {between} ORDER BY {key} {order}")
        sql = f"SELECT {key} FROM {rows} WHERE {condition}"  # noqa: S608
        parameters = [above, below, *asked]
    else:
        found = f"SELECT {key} FROM conversations_search WHERE {condition}"  # noqa: S608
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


def apart(rows: str) -> str:
    """The rows, whose words PostgreSQL looks at one by one: the offset keeps that apart from how they are found."""
    return f"(SELECT * FROM {rows} OFFSET 0) AS conversations_search"  # noqa: S608


def last(*, below: int = IMPORTED) -> int:
    """The newest id that there is in PostgreSQL's index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(record_id) FROM conversations_search WHERE record_id < %s", [below])
        return int(cursor.fetchone()[0] or 0)


def where(tags: Sequence[str], query: Query) -> tuple[str, str, list[Any]]:
    """The name of the id, a condition, and the condition's parameters."""
    if sqlite():
        asked = [f'tags : "{each}"' for each in tags] + [_fts5(term) for term in query]
        return "rowid", "conversations_search MATCH %s", [" AND ".join(asked)]
    # A lexeme with a space before it is a tag: no word has one.
    asked = [lexeme(f" {each}") for each in tags] + [tsquery(term) for term in query]
    condition, parameters = "words @@ %s::tsquery", [" & ".join(asked)]
    # Its index knows words but not their order, so that it would read every text that has all words of a phrase.
    if pairs := {pair for term in query for pair in pairs_of(term.words)}:
        return "record_id", f"{condition} AND pairs @> %s::integer[]", [*parameters, sorted(pairs)]
    return "record_id", condition, parameters


def _fts5(term: Term) -> str:
    if len(term.words) == 1:
        return f"{{words wholes}} : {_string(term.words[0])}{' *' if term.prefix else ''}"
    return f"words : {_string(' '.join(term.words))}"


def _string(words: str) -> str:
    return '"' + words.replace('"', '""') + '"'


def tsquery(term: Term) -> str:
    if len(term.words) == 1:
        return lexeme(term.words[0]) + (":*" if term.prefix else "")
    return f"({' <-> '.join(map(lexeme, term.words))})"
