"""SQL that is written out, for the few statements that every question, request or answer waits for.

To have Django put one of these together takes several times as long as a database takes to answer it. They stand where
the same would be asked of models, in words that SQLite and PostgreSQL share where they can, and take values as
parameters only: ids as UUIDs. Nothing here knows a model.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence, Sized
from typing import Any

from django.db import connection
from django.db.transaction import TransactionManagementError


def fetch(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query. Among `values`, ids may be given as they are."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [prepared(value) for value in values])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def locking(statement: str) -> str:
    """The same query, whose rows nobody else changes until the end of the transaction that it has to be in. On SQLite
    all transactions that write take turns anyway."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("a lock outside of a transaction would end with its statement")
    return f"{statement} FOR NO KEY UPDATE" if connection.features.has_select_for_update else statement


def run(statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """Run a statement once for each of `rows`, which hold its values."""
    if given := [[prepared(value) for value in row] for row in rows]:
        with connection.cursor() as cursor:
            cursor.executemany(statement, given)


def marks(values: Sized) -> str:
    """The places of so many values in a statement."""
    return ", ".join(["%s"] * len(values))


def prepared(value: Any) -> Any:
    """A value as this database is given it: SQLite has no type for ids."""
    if isinstance(value, uuid.UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value


def identity(value: Any) -> uuid.UUID | None:
    """An id as a row has it."""
    return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)
