"""What the processes of an installation tell each other: short notes over one Redis Stream, soon but not surely.

Nothing depends on the arrival of a note: who misses one finds out from the record within seconds. So nobody waits for
Redis here, and where it is out of reach notes are dropped. Without REDIS_URL there is one process, and nobody to tell.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

ME = uuid.uuid4()  # this process, for the others and for the rows that it cares for
STREAM = "chat:notes"
KEPT = 1_000  # notes, in Redis
WAITING = 200  # notes that a process cannot send
LASTS = 60  # seconds; they hold what was asked, which belongs into the record and nowhere else
MOST = 200  # entries of a stream in one reading: more would take longer than a line may be silent
BLOCK = 1.0  # seconds that one reading waits for a note

Note = dict[str, Any]
Entries = list[tuple[bytes, dict[bytes, bytes]]]  # of a stream: the entry's id, and its fields
Handler = Callable[[Note], Awaitable[None]]

_handlers: dict[str, Handler] = {}
_waiting: deque[tuple[str, ...]] = deque(maxlen=WAITING)
_bell: asyncio.Event | None = None  # of the loop that `speak` runs on


def hear(kind: str, handler: Handler) -> None:
    """Have `handler` called with each note of that kind that another process sends."""
    _handlers[kind] = handler


def tell(kind: str, note: Note) -> None:
    """Send a note to all other processes, without waiting. Call it on the event loop."""
    if settings.REDIS_URL and _bell is not None:
        _waiting.append(("from", ME.hex, "kind", kind, "note", json.dumps(note)))
        _bell.set()


async def speak(redis: Redis) -> None:
    """Send what is to be told, for as long as Redis can be reached."""
    global _bell
    _bell = bell = asyncio.Event()
    if _waiting:
        bell.set()
    while True:
        await bell.wait()
        bell.clear()
        pipe = redis.pipeline(transaction=False)
        while _waiting:
            pipe.execute_command("XADD", STREAM, "MAXLEN", "~", KEPT, "*", *_waiting.popleft())
        pipe.expire(STREAM, LASTS)
        await pipe.execute()


async def listen(redis: Redis) -> None:
    """Hand what other processes tell to whom it concerns, for as long as Redis can be reached."""
    newest: Any = await redis.xrevrange(STREAM, count=1)
    last: bytes = newest[0][0] if newest else b"0"
    while True:
        for entries in (await behind(redis, {STREAM: last}, seconds=BLOCK)).values():
            for last, fields in entries:  # noqa: B007 (kept for the next reading)
                await _hand(fields)


async def behind(redis: Redis, places: Mapping[str, bytes], *, seconds: float) -> dict[str, Entries]:
    """What streams hold behind the entries named, once that is anything, or nothing after so many seconds."""
    after: Any = dict(places)
    found: Any = await redis.xread(after, count=MOST, block=int(seconds * 1000))
    return {stream.decode(): entries for stream, entries in found}


async def _hand(fields: dict[bytes, bytes]) -> None:
    if fields[b"from"] == ME.hex.encode():
        return
    try:
        handler = _handlers[fields[b"kind"].decode()]  # a newer release may tell what this one does not know
        await handler(json.loads(fields[b"note"]))
    except Exception:
        logger.exception("a note of another process could not be followed")
