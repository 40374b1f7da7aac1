"""Rows by their key, some at a time, in queries of their own: none stays open while a reader is slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

BATCH = 100  # rows read at once


def batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """All of `rows`, a list for each query."""
    after = None
    while found := list((rows if after is None else rows.filter(pk__gt=after)).order_by("pk")[:BATCH]):
        yield found
        after = found[-1].pk


def in_batches(rows: QuerySet[Any]) -> Iterator[Any]:
    """The same, one by one."""
    for found in batches(rows):
        yield from found
