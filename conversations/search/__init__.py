"""The full-text index of ended answers, behind the same functions on SQLite (FTS5) and PostgreSQL (tsvector, GIN).

A document is a question with its answer, under the id of its record in the ledger; or the title of a conversation,
under the negative id of its first record. What was brought in from elsewhere is in no ledger, and has ids of its own,
from IMPORTED on. Titles and such documents are found by `best` alone, for their owner.

Words are cut by `words.py`, so that both databases find the same, and nothing that a person types reaches either's
query syntax but as a quoted word. Beside the words stand tags: what never changes of an answer and is asked for often.
A company is a tag, so searching inside one is an intersection within the index. Callers have been through `access.py`.

Documents come from `filing.py` and `importing/`. They leave by triggers of the database, on the ledger and on the marks
of what was brought in, which migrations make: whoever deletes a conversation has not to think of them.
"""

from __future__ import annotations

from conversations.search.asking import among, ids, looked_up_at_once, subquery
from conversations.search.documents import (
    IMPORTED,
    MAX_BYTES,
    MAX_WORDS,
    add,
    entitle,
    imported,
    put,
    tag,
    tags_of,
)
from conversations.search.ranking import best

__all__ = [
    "IMPORTED",
    "MAX_BYTES",
    "MAX_WORDS",
    "add",
    "among",
    "best",
    "entitle",
    "ids",
    "imported",
    "looked_up_at_once",
    "put",
    "subquery",
    "tag",
    "tags_of",
]
