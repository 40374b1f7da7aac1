"""The life of an answer, from the request in the database to its end there: start, stop, follow, keep.

This is the whole surface. A generation runs whether or not anybody looks; `follow` is how anybody looks, from any
offset and at any time, and shows the same text whether it comes out of the running log or out of the database.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from conversations.database import in_database, writing
from conversations.generation import keeper, store
from conversations.generation.log import Cursor
from conversations.generation.runner import RUNS, Run
from conversations.models import Generation

__all__ = ["Cursor", "Piece", "follow", "keep", "start", "stop"]

POLL_SECONDS = 0.5  # for an answer that another process writes
STOP_WAIT_SECONDS = 2.0


@dataclass(slots=True)
class Piece:
    """What came since the last piece. With `ended` it is the last, and the end is in the database."""

    text: str
    reasoning: str
    ended: bool


def keep() -> None:
    """Have the answers of this process kept. Call it from the event loop, as often as you like."""
    keeper.ensure()


async def start(generation: Generation) -> None:
    """Run a pending generation in this process. Harmless for one that runs or has ended."""
    keep()
    if generation.pk not in RUNS:
        RUNS[generation.pk] = Run(generation)


async def stop(conversation_id: uuid.UUID) -> None:
    """Stop the live answer of a conversation, whichever process runs it. Waits for its end where that is this one.

    What runs here is stopped before anything is written: a database that is busy must not keep a paid call going.
    """
    ids = await in_database(store.live_ids, conversation_id)
    runs = [RUNS[pk] for pk in ids if pk in RUNS]
    for run in runs:
        run.stop()
    if runs:
        await asyncio.wait([run.task for run in runs], timeout=STOP_WAIT_SECONDS)
    else:
        await writing(store.request_stop, conversation_id)


async def follow(generation_id: uuid.UUID, after: Cursor = Cursor()) -> AsyncIterator[Piece]:  # noqa: B008 (frozen)
    """Pieces of an answer behind `after`, the last one with `ended`. A deleted generation ends at once."""
    cursor = after
    while True:
        if run := RUNS.get(generation_id):
            while not run.log.finished:
                await run.log.news(cursor)
                text, reasoning = run.log.text.since(cursor.text), run.log.reasoning.since(cursor.reasoning)
                if text or reasoning:
                    cursor = cursor.advanced(text, reasoning)
                    yield Piece(text, reasoning, ended=False)
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
        await asyncio.sleep(POLL_SECONDS)
