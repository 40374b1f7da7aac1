"""Who asks, and what they are told of what is not theirs."""

from typing import TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet
from django.http import Http404

AnyPerson = User | AnonymousUser
M = TypeVar("M", bound=Model)


class NotVisible(Http404):
    """There is no such row for this person."""


def one(rows: QuerySet[M]) -> M:
    """The row that was asked for, out of those that may be seen. Raises NotVisible where there is none."""
    found = rows.first()
    if found is None:
        raise NotVisible
    return found
