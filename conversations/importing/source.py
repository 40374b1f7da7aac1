"""The bytes of a file that was brought in: as it is, or the part of it that a zip wraps. What it is, is seen by what it
holds and not by what it is called.

Nothing of it is unpacked further than the next few kilobytes, and nothing is believed of what it says of itself: a zip
of a few bytes may claim any number of files of any length.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import IO

from django.utils.translation import gettext_noop

from conversations.importing.receiving import PIECE
from conversations.models import Import

CHUNK = 64 * 1024  # bytes
MOST_UNPACKED = 300_000_000  # bytes
DIRECTORY = 2 * 1024 * 1024  # bytes of the list of files in a zip
_END, _END_SIZE, _COMMENT = b"PK\x05\x06", 22, 65_535
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
_WANTED = re.compile(r"(?:.*/)?conversations(?:-\d+)?\.json", re.IGNORECASE)

DAMAGED = gettext_noop("This zip is damaged, or was not copied whole.")
NOT_INSIDE = gettext_noop(
    "There is no conversations.json in this zip. Choose the zip that ChatGPT sent you, or the JSON of an export of "
    "such a site."
)
TOO_MUCH = gettext_noop("This zip unpacks to more than 300 MB, which is more than can be read.")
TOO_MANY = gettext_noop(
    "This zip holds more files than can be looked through. Choose the conversations.json inside it."
)
LOCKED = gettext_noop(
    "This zip is locked by a password, or packed in an unusual way. Unpack it and choose the file inside."
)


class Unusable(Exception):
    """The file cannot be read any further; says why."""


class Pieces(io.RawIOBase):
    """The pieces of a file as one that can be read anywhere. At most one piece is held in memory."""

    def __init__(self, file: Import) -> None:
        self._file = file
        self._at = 0
        self._number, self._data = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        number, start = divmod(self._at, PIECE)
        if self._at >= self._file.size:
            return 0
        if number != self._number:
            data = self._file.pieces.values_list("data", flat=True).get(number=number)
            self._number, self._data = number, bytes(data)
        part = self._data[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def chunks(pieces: Pieces) -> Iterator[bytes]:
    """What is to be read, without a byte order mark. Raises Unusable, also behind the first chunk."""
    file = io.BufferedReader(pieces, CHUNK)
    packed = file.peek(4)[:4] in {b"PK\x03\x04", _END}
    found = _unpacked(file) if packed else _all(file)
    first = next(found, b"")
    return chain([first.removeprefix(b"\xef\xbb\xbf")], found)


def _all(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK), b"")


def _unpacked(packed: io.BufferedReader[Pieces]) -> Iterator[bytes]:
    """The conversations in a zip, one file behind the other: a long export has several, each an array."""
    _check_directory(packed)
    try:
        with zipfile.ZipFile(packed) as archive:
            wanted = sorted(
                (each for each in archive.infolist() if _WANTED.fullmatch(each.filename)),
                key=lambda each: each.filename,
            )
            _check(wanted)
            for info in wanted:
                with archive.open(info) as file:
                    yield from _all(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error) as error:
        raise Unusable(DAMAGED) from error
    except (RuntimeError, NotImplementedError) as error:
        raise Unusable(LOCKED) from error


def _check(wanted: list[zipfile.ZipInfo]) -> None:
    if not wanted:
        raise Unusable(NOT_INSIDE)
    if sum(each.file_size for each in wanted) > MOST_UNPACKED:
        raise Unusable(TOO_MUCH)
    # Of these two alone the module unpacks no more than it is asked for.
    if any(each.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for each in wanted):
        raise Unusable(LOCKED)


def _check_directory(packed: io.BufferedReader[Pieces]) -> None:
    """See that the list of files is short before the module reads it whole. Raises Unusable."""
    size = packed.seek(0, io.SEEK_END)
    packed.seek(max(0, size - _END_SIZE - _COMMENT - _LOCATOR_SIZE))
    tail = packed.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise Unusable(DAMAGED)
    (length,) = struct.unpack_from("<L", tail, at + 12)
    # A zip of the long kind says its lengths elsewhere; none that is taken here has to be one.
    if length > DIRECTORY or tail[max(0, at - _LOCATOR_SIZE) : at].startswith(_LOCATOR):
        raise Unusable(TOO_MANY)
