"""Reading what arrived, a few entries at a time, by whichever process comes first.

Where a process ends, another goes on behind the last entry that was dealt with. One that comes back to a file which
another has read on meanwhile passes over what that dealt with.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from itertools import chain

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext_noop

from conversations.importing import chatgpt, lines, marking, receiving, writing
from conversations.importing.chats import Bad, Chat
from conversations.importing.elements import elements, parsed
from conversations.importing.elements import lines as lines_of
from conversations.importing.source import Pieces, Unusable, chunks
from conversations.importing.writing import MESSAGES, Batch
from conversations.models import Import

logger = logging.getLogger(__name__)

ENTRIES = 50  # read before they are written
SECONDS = 0.2  # of reading, likewise

UNKNOWN = gettext_noop(
    "This is neither an export of such a site nor one of ChatGPT. Choose the JSON of an export, the zip that ChatGPT "
    "sent you, or the conversations.json inside it."
)
BROKEN = gettext_noop(
    "This file could not be read to its end, for a reason that is ours: tell whoever runs the site."
)


class Reader:
    """One file, read from its beginning on. It stands behind the entry `position`."""

    def __init__(self, file: Import) -> None:
        self.file_id = file.pk
        self.position = 0
        self._pieces = Pieces(file)
        self._entries = _entries(self._pieces)
        self._parts: Iterator[bool] = iter(())  # of what was read and is not written yet

    def step(self, file: Import) -> bool:
        """Write a part of what was read, or read on. False where another reader has to begin, or none."""
        going = next(self._parts, None)
        if going is not None or self.position > file.position:
            return bool(going)
        if not self._reach(file.position):
            return True
        batch = self._batch()
        self.position += batch.entries
        self._parts = writing.parts(file, batch, self._pieces.tell())
        return next(self._parts)

    def _reach(self, position: int) -> bool:
        """Pass over what was dealt with by another process, or before this one began. False where that takes longer."""
        deadline = time.monotonic() + SECONDS
        while self.position < position and time.monotonic() < deadline:
            next(self._entries)
            self.position += 1
        return self.position == position

    def _batch(self) -> Batch:
        """The next few entries."""
        batch = Batch()
        deadline = time.monotonic() + SECONDS
        messages = 0
        while batch.entries < ENTRIES and messages < MESSAGES and time.monotonic() < deadline:
            try:
                entry = next(self._entries, None)
            except Unusable as unusable:
                batch.ended, batch.sentence = True, str(unusable)
                break
            if entry is None:
                batch.ended = True
                break
            batch.entries += 1
            try:
                chat = _chat(entry)
                messages += len(chat.said)
                batch.chats.append(chat)
            except Bad as bad:
                batch.bad.append(bad)
        return batch


_reader: Reader | None = None  # of the thread that works in the background: there is one


def work() -> bool:
    """Read, write, index or remove a little. False where there is nothing to do at the moment. Blocks."""
    file = (
        Import.objects.filter(status=Import.Status.WAITING)
        .select_related("person", "persona__company")
        .order_by("pk")
        .first()
    )
    if file is not None:
        _advance(file)
    return any([marking.file_imported(), receiving.tidy(), file is not None])


def _advance(file: Import) -> None:
    """Take the next step with a file, or say why there is none."""
    global _reader
    try:
        if _reader is None or _reader.file_id != file.pk:
            _reader = Reader(file)
        if not _reader.step(file):
            _reader = None
    except (OperationalError, InterfaceError):  # the database is away: later
        _reader = None
        raise
    except Exception:
        logger.exception("import %d cannot be read to its end", file.pk)
        _reader = None
        writing.end(file, BROKEN)  # unless it was cancelled, and its pieces are gone


def _entries(pieces: Pieces) -> Iterator[bytes | lines.Group | Bad]:
    """The entries of a file of either kind. Raises Unusable."""
    found = chunks(pieces)
    first = next(found, b"").lstrip()
    again = chain([first], found)
    if first.startswith(b"["):
        yield from elements(again)
    elif first.startswith(b"{") and _is_export(first):
        yield from lines.groups(lines_of(again))
    elif first.startswith(b"{"):
        yield from elements(chain([b"["], again, [b"]"]))
    else:
        raise Unusable(UNKNOWN)


def _is_export(first: bytes) -> bool:
    try:
        return lines.is_export(parsed(first.partition(b"\n")[0]))
    except Bad:
        return False


def _chat(entry: bytes | lines.Group | Bad) -> Chat:
    """Raises Bad."""
    if isinstance(entry, Bad):
        raise entry
    return entry.chat() if isinstance(entry, lines.Group) else chatgpt.chat(parsed(entry))
