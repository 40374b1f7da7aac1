"""A file on its way to somebody, in pieces that are made while they are sent.

It cannot raise behind its first piece: Daphne would answer that with a second response, fail at it, and look after no
other request again. So what breaks off says so in its last line.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator

from conversations.database import in_database

logger = logging.getLogger(__name__)

PIECE = 64 * 1024  # bytes that are sent at once, but for a message that has more by itself
SECONDS = 0.1  # that a thread of the database is kept for one piece


async def streamed(more: Callable[[], bytes], broken: bytes) -> AsyncIterator[bytes]:
    """What `more` gives until it gives nothing; `broken` where it raises."""
    try:
        while piece := await in_database(more):
            yield piece
    except Exception:
        logger.exception("an export broke off")
        yield broken


def gathered(parts: Iterator[str]) -> bytes:
    """The next parts, as many as make a piece; nothing at the end."""
    piece = bytearray()
    deadline = time.monotonic() + SECONDS
    for part in parts:
        piece += part.encode("utf-8", "replace")
        if piece and (len(piece) >= PIECE or time.monotonic() > deadline):
            break
    return bytes(piece)
