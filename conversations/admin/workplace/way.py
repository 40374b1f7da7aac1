"""The way from the ledger into a conversation and back: what was looked for travels along, as one parameter.

What comes in is read as filters and written anew, so that nothing but filters of the ledger ever goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from conversations.finding import Filters
from conversations.models import Company

PARAMETER = "answers"
_PLACES = ("before", "after")
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Way:
    """Where a conversation was opened from: a page of the ledger, by its query. None is the queue."""

    query: str | None = None

    @property
    def carried(self) -> str:
        """The same as the query of a conversation's address; empty for the queue."""
        return "" if self.query is None else urlencode({PARAMETER: self.query})

    def back(self, company: Company) -> str:
        """The page of the ledger; empty for the queue."""
        if self.query is None:
            return ""
        address = reverse("admin:review_answers", args=[company.pk])
        return f"{address}?{self.query}" if self.query else address


def of_ledger(query: Mapping[str, str]) -> Way:
    """The way that begins at a page of the ledger with `query`."""
    places = {name: value for name in _PLACES if (value := query.get(name, "")) and _is_id(value)}
    return Way(urlencode(Filters.of(query).as_query() | places))


def carried(sent: Mapping[str, str]) -> Way:
    """The way that a conversation's address or form carries."""
    if PARAMETER not in sent:
        return Way()
    return of_ledger(QueryDict(sent[PARAMETER][:_MOST]).dict())


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 19
