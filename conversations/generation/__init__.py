"""The life of an answer, from the request in the database to its end there: start, stop, follow, keep.

This is the whole surface. A generation runs whether or not anybody looks; `follow` is how anybody looks, from any
offset and at any time, and shows the same text whether it comes out of the running log or out of the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import Error as DatabaseError

from conversations import peers
from conversations.database import in_database, writing
from conversations.generation import keeper, store
from conversations.generation.log import AnswerLog, Cursor
from conversations.generation.redis_log import mirrored
from conversations.generation.runner import RUNS, Run
from conversations.models import Generation

__all__ = [
    "Cursor",
    "Piece",
    "follow",
    "form",
    "forsake",
    "keep",
    "leave",
    "leaving",
    "place",
    "start",
    "stop",
    "sweep_all",
]

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.5  # without news of an answer that another process writes, until the record is asked
STOP_WAIT_SECONDS = 2.0
LAST_WORDS_SECONDS = 0.2  # for the sockets and for the other processes to be given the ends
END_WAIT_SECONDS = 3.0
END = Cursor(sys.maxsize, sys.maxsize)

FORM_SECONDS = 0.05  # between two looks whether one is done
_leaving = False
_forms: set[object] = set()
_forsaking: set[asyncio.Task[None]] = set()
_places: set[object] = set()
_taking = threading.Lock()


@dataclass(slots=True)
class Piece:
    """What came since the last piece. With `ended` it is the last, and the end is in the database.

    `at` is when its last text came to this process, in seconds of the monotonic clock; None for what was kept.
    """

    text: str
    reasoning: str
    ended: bool
    at: float | None = None


async def _stop_here(note: peers.Note) -> None:
    if run := RUNS.get(uuid.UUID(note["generation"])):
        run.stop(note.get("sentence", store.STOPPED))


peers.hear("stop", _stop_here)


def keep() -> None:
    """Have the answers of this process kept. Call it from the event loop, as often as you like."""
    keeper.ensure()


async def start(generation: Generation) -> None:
    """Run a pending generation in this process. Harmless for one that runs or has ended."""
    keep()
    if generation.pk not in RUNS:
        RUNS[generation.pk] = Run(generation)


async def stop(conversation_id: uuid.UUID, sentence: str = store.STOPPED) -> None:
    """Stop the live answer of a conversation, whichever process runs it. Waits for its end where that is this one.
    `sentence` says why, for the person.

    What runs here is stopped before anything is written: a database that is busy must not keep a paid call going.
    """
    ids = await in_database(store.live_ids, conversation_id)
    runs = [RUNS[pk] for pk in ids if pk in RUNS]
    for run in runs:
        run.stop(sentence)
    if runs:
        await asyncio.wait([run.task for run in runs], timeout=STOP_WAIT_SECONDS)
        return
    await writing(store.request_stop, conversation_id, sentence)
    for pk in ids:
        peers.tell("stop", {"generation": str(pk), "sentence": sentence})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_WAIT_SECONDS):
                async for _ in follow(pk, END):
                    pass


def forsake(conversation_id: uuid.UUID) -> None:
    """Stop the live answer of a conversation that whoever asked may no longer see. Waits for nothing."""
    task = asyncio.create_task(_forsake(conversation_id), context=contextvars.Context())
    _forsaking.add(task)
    task.add_done_callback(_forsaking.discard)


async def _forsake(conversation_id: uuid.UUID) -> None:
    try:
        await stop(conversation_id, store.SHUT)
    except DatabaseError as error:  # the keeper looks for such answers too
        logger.error("an answer that nobody may see runs on: %s", type(error).__name__)


async def leave(seconds: float) -> None:
    """Let the answers of this process end, for so long at most; what runs on then is interrupted. No new ones begin."""
    global _leaving
    _leaving = True
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while (RUNS or _forms) and (
        left := deadline - loop.time()
    ) > 0:  # a form that is being kept begins one yet
        tasks = [run.task for run in RUNS.values()]
        await (asyncio.wait(tasks, timeout=left) if tasks else asyncio.sleep(FORM_SECONDS))
    for run in list(RUNS.values()):
        run.stop(store.RESTARTED, Generation.Status.INTERRUPTED)
    if tasks := [run.task for run in RUNS.values()]:
        await asyncio.wait(tasks, timeout=END_WAIT_SECONDS)
    await asyncio.sleep(LAST_WORDS_SECONDS)


@contextlib.contextmanager
def form() -> Iterator[None]:
    """Around a form that may ask for an answer: a process that is to end waits for it. From any thread."""
    token = object()
    _forms.add(token)
    try:
        yield
    finally:
        _forms.discard(token)


@contextlib.contextmanager
def place() -> Iterator[bool]:
    """Around the making of an answer until it runs: whether this process has a place for it. From any thread.

    Where many begin at once, one may be counted twice for the moment in which it runs and its form has not ended.
    """
    token, most = object(), settings.PROCESS_ANSWERS_AT_ONCE
    with _taking:
        free = not most or len(RUNS) + len(_places) < most
        if free:
            _places.add(token)
    try:
        yield free
    finally:
        _places.discard(token)


def leaving() -> bool:
    """Whether this process is about to end, and takes no more questions."""
    return _leaving


def sweep_all() -> int:
    """End every live answer in the database, where no other process can be running one. Blocks."""
    return store.sweep_all()


async def follow(generation_id: uuid.UUID, after: Cursor = Cursor()) -> AsyncIterator[Piece]:  # noqa: B008 (frozen)
    """Pieces of an answer behind `after`, the last one with `ended`. A deleted generation ends at once."""
    cursor, mirror, mirroring = after, None, False
    async with contextlib.AsyncExitStack() as held:
        while True:
            if run := RUNS.get(generation_id):
                while not run.log.finished:
                    await run.log.news(cursor)
                    if piece := _news(run.log, cursor):
                        cursor = cursor.advanced(piece.text, piece.reasoning)
                        yield piece
            # What ran here left its end; it is in the database, where other processes' are read.
            stored = (run.end if run else None) or await in_database(store.read, generation_id)
            if stored is None:
                yield Piece("", "", ended=True)
                return
            text, reasoning = stored.text[cursor.text :], stored.reasoning[cursor.reasoning :]
            if text or reasoning or stored.ended:
                cursor = cursor.advanced(text, reasoning)
                yield Piece(text, reasoning, ended=stored.ended)
            if stored.ended:
                return
            if not mirroring:  # from here on it is another process's, and read to its end
                mirroring, mirror = True, await held.enter_async_context(mirrored(generation_id))
            while piece := await _told(mirror, cursor):
                cursor = cursor.advanced(piece.text, piece.reasoning)
                yield piece


async def _told(log: AnswerLog | None, cursor: Cursor) -> Piece | None:
    """What another process adds to its log; None once it is the record that should be asked."""
    if log is None or log.finished:
        await asyncio.sleep(POLL_SECONDS)
        return None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(POLL_SECONDS):
            await log.news(cursor)
            return None if log.finished else _news(log, cursor)
    return None


def _news(log: AnswerLog, cursor: Cursor) -> Piece | None:
    """What a log holds behind `cursor`, where that is anything."""
    text, reasoning = log.text.since(cursor.text), log.reasoning.since(cursor.reasoning)
    return Piece(text, reasoning, ended=False, at=log.at) if text or reasoning else None
