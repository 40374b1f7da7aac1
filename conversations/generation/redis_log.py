"""The answer log between processes: each answer as a Redis Stream, written by who runs it, mirrored by who reads it.

Each entry says from which character on it goes, so an answer may be sent again from its beginning whenever it is not
known what arrived, and a mirror takes only what it lacks. Where Redis is out of reach, mirrors stand still and their
readers read the record. Nothing that runs an answer ever waits for Redis.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings

from conversations import peers
from conversations.generation.log import AnswerLog, Cursor
from conversations.generation.pace import TICK

if TYPE_CHECKING:
    from redis.asyncio import Redis

LASTS = 120  # seconds that a stream stays without a word of its writer
REFRESH = 30.0  # seconds between two of these words
AFTERLIFE = 60  # seconds that an ended one stays, for who is about to read its last words
BLOCK = 0.1  # seconds that one reading waits: so long may a new mirror wait to be among those read


@dataclass(slots=True)
class _Published:
    """An answer of this process, and how much of it Redis has been sent."""

    log: AnswerLog
    sent: Cursor = field(default_factory=Cursor)
    said_at: float | None = None  # when its stream was last told to stay, in the loop's seconds


@dataclass(slots=True, eq=False)
class Mirror:
    """An answer of another process, as far as it was read."""

    log: AnswerLog = field(default_factory=AnswerLog)
    last: bytes = b"0"
    readers: int = 0

    def take(self, entries: peers.Entries) -> None:
        """Add what `entries` hold beyond what is here. Where something is missing, the record has to fill in."""
        for entry, fields in entries:
            self.last = entry
            if b"end" in fields:
                self.log.finish()
                return
            text_at, reasoning_at = map(int, fields[b"at"].split())
            here = self.log.cursor
            if text_at <= here.text and reasoning_at <= here.reasoning:
                self.log.append(
                    text=fields[b"text"].decode()[here.text - text_at :],
                    reasoning=fields[b"reasoning"].decode()[here.reasoning - reasoning_at :],
                )


_published: dict[uuid.UUID, _Published] = {}
_changed: dict[uuid.UUID, None] = {}
_mirrors: dict[uuid.UUID, Mirror] = {}
_bell: asyncio.Event | None = None  # rung when there is something to send; of the loop that `publish` runs on
_wanted: asyncio.Event | None = None  # rung when there is something to read


def share(generation_id: uuid.UUID, log: AnswerLog) -> None:
    """Have what is and will be written into `log` sent to the other processes, up to its end."""
    if not settings.REDIS_URL:
        return
    _published[generation_id] = _Published(log)

    log.told = partial(_note_change, generation_id)
    log.told()


@contextlib.asynccontextmanager
async def mirrored(generation_id: uuid.UUID) -> AsyncIterator[AnswerLog | None]:
    """The log of an answer that another process may be writing; None where there is no other."""
    if not settings.REDIS_URL:
        yield None
        return
    mirror = _mirrors.setdefault(generation_id, Mirror())
    mirror.readers += 1
    if _wanted is not None:
        _wanted.set()
    try:
        yield mirror.log
    finally:
        mirror.readers -= 1
        if not mirror.readers and _mirrors.get(generation_id) is mirror:
            del _mirrors[generation_id]


async def publish(redis: Redis) -> None:
    """Send what is new of this process's answers, all together, for as long as Redis can be reached."""
    global _bell
    _bell = bell = asyncio.Event()
    _start_over()
    while True:
        await bell.wait()
        bell.clear()
        changed = list(_changed)
        _changed.clear()
        await _send(redis, changed)
        await asyncio.sleep(TICK)


async def read(redis: Redis) -> None:
    """Fill the mirrors of this process, all together, for as long as Redis can be reached."""
    global _wanted
    _wanted = wanted = asyncio.Event()
    while True:
        if not _mirrors:
            wanted.clear()
            await wanted.wait()
        await _fill(redis)
        await asyncio.sleep(TICK)


def _note_change(generation_id: uuid.UUID) -> None:
    _changed[generation_id] = None
    if _bell is not None:
        _bell.set()


def _key(generation_id: uuid.UUID) -> str:
    return f"chat:answer:{generation_id}"


async def _send(redis: Redis, changed: Iterable[uuid.UUID]) -> None:
    now = asyncio.get_running_loop().time()
    pipe = redis.pipeline(transaction=False)
    for pk in changed:
        answer = _published.get(pk)
        if answer is None:
            continue
        if answer.said_at is None or now - answer.said_at >= LASTS:  # its stream is new, or gone
            answer.sent = Cursor()
        log, sent = answer.log, answer.sent
        text, reasoning = log.text.since(sent.text), log.reasoning.since(sent.reasoning)
        if text or reasoning:
            at = f"{sent.text} {sent.reasoning}"
            pipe.execute_command("XADD", _key(pk), "*", "at", at, "text", text, "reasoning", reasoning)
            answer.sent = sent.advanced(text, reasoning)
        if log.finished:
            pipe.execute_command("XADD", _key(pk), "*", "end", "1")
            pipe.expire(_key(pk), AFTERLIFE)
            del _published[pk]
        elif answer.sent != Cursor() and (answer.said_at is None or now - answer.said_at >= REFRESH):
            pipe.expire(_key(pk), LASTS)  # there is a stream only once there is a word
            answer.said_at = now
    if len(pipe):
        await pipe.execute()


def _start_over() -> None:
    """After a failure: what has ended is in the record, and of the rest it is not known what arrived."""
    _changed.clear()
    for pk, answer in list(_published.items()):
        if answer.log.finished:
            del _published[pk]
        else:
            answer.said_at = None
            _note_change(pk)


async def _fill(redis: Redis) -> None:
    wanted = {_key(pk): mirror for pk, mirror in _mirrors.items() if not mirror.log.finished}
    if not wanted:
        return
    places = {key: mirror.last for key, mirror in wanted.items()}
    for key, entries in (await peers.behind(redis, places, seconds=BLOCK)).items():
        wanted[key].take(entries)
