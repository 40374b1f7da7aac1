"""Files on their way to people: one at a time for each, over all processes, and few at a time for a process.

A file holds a thread for each of its pieces, and memory for what its reader has not taken up yet. That a person is
taking one away is a row with an end, which is put off meanwhile: where a process dies, nobody is locked out for long.
"""

from __future__ import annotations

import time
import uuid
import weakref
from collections.abc import AsyncIterator
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from conversations.database import in_database
from conversations.models import Download
from conversations.posting import Refused

AT_ONCE = 4  # of a process
LEASE = timedelta(seconds=60)  # longer than a server waits for a reader that takes nothing up
RENEWED = 15.0  # seconds

ONE = gettext_noop(
    "A file is still on its way to you. Wait until it is there, then ask again; where it broke off, that takes a "
    "minute at most. Nothing was sent."
)
FULL = gettext_noop(
    "The server is handing out as many files as it can at once. Nothing was sent. Try again in a minute."
)

_open: weakref.WeakSet[Handing] = weakref.WeakSet()


class Handing:
    """The pieces of one file, for a response, which closes it when its reader has all of it or is gone."""

    def __init__(self, person: User, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._token = uuid.uuid4()
        self._renewed = time.monotonic()
        self._row = Download.objects.filter(person=person.pk)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece
            if time.monotonic() - self._renewed > RENEWED:
                self._renewed = time.monotonic()
                await in_database(self._mine().update, until=timezone.now() + LEASE)

    def take(self, person: User) -> bool:
        """Whether it is the only one of `person`, from now on."""
        until = timezone.now() + LEASE
        if self._row.filter(until__lt=timezone.now()).update(token=self._token, until=until):
            return True
        try:
            with transaction.atomic():
                Download.objects.create(person=person, token=self._token, until=until)
        except IntegrityError:
            return False
        return True

    def close(self) -> None:
        """Make room for another. Blocks."""
        _open.discard(self)
        self._mine().delete()

    def _mine(self) -> QuerySet[Download]:
        return self._row.filter(token=self._token)


def begin(person: User, stream: AsyncIterator[bytes]) -> Handing:
    """Have `stream` handed to `person`, who asked for it. Raises Refused where there is no room for it."""
    handing = Handing(person, stream)
    _open.add(handing)  # before it is counted: of several at once none goes past the limit
    if len(_open) > AT_ONCE:
        _open.discard(handing)
        raise Refused(gettext(FULL), status=503, limit="downloads_of_a_process", retry_after=60)
    if not handing.take(person):
        _open.discard(handing)
        raise Refused(gettext(ONE), status=429, limit="downloads_of_a_person", retry_after=30)
    return handing
