"""A long JSON text entry by entry: what is taken apart at once is one entry, however long the whole is.

The standard parser wants the whole text and does not let go of the interpreter before it is through, so the entries are
found first, by nothing but brackets and quotation marks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from django.utils.translation import gettext_noop

from conversations.importing.chats import Bad
from conversations.importing.source import Unusable

MOST: Final = 8 * 1024 * 1024  # bytes of an entry: some 60 ms of the parser's
MOST_SIGNS: Final = 500_000  # brackets and commas of an entry: what the parser's time and memory really go by
DEEPEST: Final = 100  # brackets within one another

ENDLESS: Final = 8  # times as much, and nobody looks for the end of an entry any more

CUT = gettext_noop("This file ends in the middle: it was not written or copied whole.")
TOO_LONG = gettext_noop("It is longer than 8 MB, or made of too many parts.")
NO_END = gettext_noop("An entry of this file has no end.")
TOO_DEEP = gettext_noop("It is nested too deeply.")

_OUTSIDE = re.compile(rb'["\[\]{},]')
_INSIDE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_QUOTE, _COMMA = b'"', b","


def elements(chunks: Iterator[bytes]) -> Iterator[bytes | Bad]:
    """The elements of an array that arrives in `chunks`, or of several arrays in a row, each as its text.

    What cannot be one is a `Bad` in its place. Raises Unusable where the text has no end, or an element.
    """
    splitter = _Splitter()
    for chunk in chunks:
        yield from splitter.feed(chunk)
    if not splitter.is_through:
        raise Unusable(CUT)


class _Splitter:
    """Where in the text it is, within how many brackets and whether within quotation marks; and the entry so far."""

    def __init__(self) -> None:
        self._buffer, self._at = bytearray(), 0  # the text of the entry, and how far it was looked through
        self._depth = 0
        self._quoted = False
        self._signs = self._deepest = self._dropped = 0  # of the entry; the last in bytes

    @property
    def is_through(self) -> bool:
        return self._depth == 0 and not self._quoted

    def feed(self, chunk: bytes) -> Iterator[bytes | Bad]:
        """What ends in the next part of the text. Raises Unusable."""
        self._buffer += chunk
        while sign := self._next_sign():
            before = self._depth
            self._depth = max(0, before + (sign in b"[{") - (sign in b"]}"))
            ends = before == 1 and (self._depth == 0 or sign == _COMMA)
            if ends and (entry := self._entry(self._at - 1)) is not None:
                yield entry
            if ends or before == 0:
                self._drop()
                self._signs = self._deepest = self._dropped = 0
            self._signs += 1
            self._deepest = max(self._deepest, self._depth)
        self._shorten()

    def _next_sign(self) -> bytes:
        """The next bracket or comma outside of quotation marks; nothing where the text does not go so far yet."""
        while not self._quoted or self._unquoted():
            found = _OUTSIDE.search(self._buffer, self._at)
            self._at = found.end() if found else len(self._buffer)
            if found is None or found[0] != _QUOTE:
                return found[0] if found else b""
            self._quoted = True
        return b""

    def _unquoted(self) -> bool:
        """Go on behind the end of a string. False where that has not come yet."""
        if found := _INSIDE.match(self._buffer, self._at):
            self._at = found.end()
        if self._buffer[self._at : self._at + 1] != _QUOTE:
            return False
        self._at, self._quoted = self._at + 1, False
        return True

    def _entry(self, end: int) -> bytes | Bad | None:
        if self._dropped:
            return Bad(TOO_LONG)
        if self._deepest > DEEPEST:
            return Bad(TOO_DEEP)
        return bytes(self._buffer[:end]).strip() or None

    def _shorten(self) -> None:
        """Keep no text that nobody will look at. Raises Unusable where it does not end."""
        if self._dropped or len(self._buffer) > MOST or self._signs > MOST_SIGNS:
            self._dropped += max(1, self._at)
            self._drop()
        if self._dropped > ENDLESS * MOST or self._signs > ENDLESS * MOST_SIGNS:
            raise Unusable(NO_END)

    def _drop(self) -> None:
        del self._buffer[: self._at]
        self._at = 0


def parsed(text: bytes) -> Any:
    """The value of a JSON text. Of a name that an object has twice, the last value counts. Raises Bad."""
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Bad(gettext_noop("It is no valid JSON.")) from error


def lines(chunks: Iterator[bytes]) -> Iterator[bytes | Bad]:
    """The lines of a text that arrives in `chunks`, without those that are blank."""
    buffer, dropped = bytearray(), False
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            text = bytes(buffer + line).strip()
            if dropped or len(text) > MOST:
                yield Bad(TOO_LONG)
            elif text:
                yield text
            buffer, dropped = bytearray(), False
        buffer += rest
        if len(buffer) > MOST:
            buffer, dropped = bytearray(), True
    if text := bytes(buffer).strip():
        yield text


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
