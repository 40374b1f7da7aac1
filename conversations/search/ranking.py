"""What fits best of what one person wrote and was told, or of their titles.

To compare all that fits would take the longer the more somebody has, so the best are looked for among the newest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection

from conversations.search.asking import apart, last, tsquery, where
from conversations.search.documents import ERAS, IMPORTED, TITLE, era, lexeme, sqlite, tag
from conversations.words import Query, Term

RANKED = 500  # the newest documents that fit, of which the best are looked for
USUAL = 100  # words of a document

Fitting = list[tuple[float, int]]  # how well something fits, and its id


def best(person: int, query: Query, *, titles: bool = False, limit: int) -> list[int]:
    """The ids of the person's documents that fit `query` best, of the newest RANKED that do; or of their titles, by
    the records of which they are. What was said here comes before what was brought in."""
    if not query:
        return []
    if titles:
        query = tuple(Term(tuple(TITLE + word for word in term.words), term.prefix) for term in query)
    found: list[int] = []
    for low, high in ((0, IMPORTED), (IMPORTED, 2 * IMPORTED)):
        if len(found) < limit:
            # Titles have negative ids.
            edges = (-high, -low) if titles else (low, high)
            fitting = (_fitting_sqlite if sqlite() else _fitting_postgresql)(person, query, *edges)
            found += [pk for _, pk in sorted(fitting, reverse=True)[: limit - len(found)]]
    return found


def _fitting_sqlite(person: int, query: Query, above: int, below: int) -> Fitting:
    key, condition, asked = where([tag("person", person)], query)
    rows = f"SELECT {key}, words, wholes FROM conversations_search WHERE {condition}"  # noqa: S608
    newest_first = "ASC" if above < 0 else "DESC"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{rows} AND {key} > %s AND {key} < %s ORDER BY {key} {newest_first} LIMIT {RANKED}",
            [*asked, above, below],
        )
        return [(_fit(query, text, wholes), abs(pk)) for pk, text, wholes in cursor.fetchall()]


def _fit(query: Query, text: str, wholes: str) -> float:
    """How often a document has what is asked for: each further time says less, and in a long one each says less.

    BM25, but that no word counts for more than another: to know how rare one is, FTS5 reads of all that have it.
    """
    in_a_row, apart = (f" {words.replace(' ', '  ')} " for words in (text, wholes))
    length = 0.25 + 0.75 * (text.count(" ") + 1) / USUAL
    sought = (f" {'  '.join(term.words)}{'' if term.prefix else ' '}" for term in query)
    times = (in_a_row.count(each) + apart.count(each) / 2 for each in sought)
    return sum(each / (each + 1.2 * length) for each in times)


def _fitting_postgresql(person: int, query: Query, above: int, below: int) -> Fitting:
    """Era by era, from the newest on and no further than there is need: of the parts of an append one is run after
    the other. Beginnings are looked for text by text in the first, because the index gathers all that there are."""
    key, condition, asked = where([], query)
    newest_first = "ASC" if above < 0 else "DESC"
    low, high = sorted((abs(above), abs(below)))
    newest = last(below=high)
    if newest <= low:
        return []
    parts: list[str] = []
    parameters: list[Any] = []
    for eras, edge in _stretches(low, newest):
        near = lexeme(f" {tag('person', person)}") + (f" & ({' | '.join(map(lexeme, eras))})" if eras else "")
        rows = "conversations_search WHERE words @@ %s::tsquery"
        by_text = not parts and any(term.prefix for term in query)
        found = f"{apart(rows)} WHERE" if by_text else f"{rows} AND"
        part = f"SELECT {key}, words FROM {found} {condition} AND {key} > %s AND {key} < %s"  # noqa: S608
        parts.append(f"({part} AND abs({key}) < %s ORDER BY {key} {newest_first} LIMIT {RANKED})")
        parameters += [near, *asked, above, below, edge]
    fits = f"ts_rank(words, %s::tsquery, 1), abs({key})"  # 1: a long text is not better for having more words
    sql = f"SELECT {fits} FROM ({' UNION ALL '.join(parts)}) AS found LIMIT {RANKED}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [" & ".join(map(tsquery, query)), *parameters])
        return list(cursor.fetchall())


def _stretches(first: int, newest: int) -> Iterator[tuple[list[str], int]]:
    """From the `newest` id back to the `first`, ever longer: the eras of a stretch, and the id that it stays below."""
    below = 2**62
    for size in ERAS:
        number = newest // size
        yield [era(size, number), era(size, number - 1)], below
        below = (number - 1) * size
        if below <= first:
            return
    yield [], below
