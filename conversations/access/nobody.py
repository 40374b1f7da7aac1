"""Who asks, and what they are told of what is not theirs."""

from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404

AnyPerson = User | AnonymousUser


class NotVisible(Http404):
    """There is no such row for this person."""
