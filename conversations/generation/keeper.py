"""The one keeper of a process: it saves all running answers together, reads stop requests, sweeps, and files.

Saving is one transaction a second, however many answers run. Daphne tells an application neither of its start nor of
its end, so the keeper is started by the first thing that happens on the event loop, and nothing depends on its end.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Coroutine
from typing import Any

from django.db import Error as DatabaseError

from conversations import filing
from conversations.database import writing
from conversations.generation import runner, store

logger = logging.getLogger(__name__)

SAVE_EVERY = 1.0  # seconds
SWEEP_EVERY = 10.0  # seconds
FILE_EVERY = 1.0  # seconds

_keeper: asyncio.Task[None] | None = None


def ensure() -> None:
    """Have a keeper run on this event loop. Costs an attribute look-up where one does."""
    global _keeper
    if _keeper is None or _keeper.done() or _keeper.get_loop() is not asyncio.get_running_loop():
        _keeper = asyncio.create_task(_keep(), context=contextvars.Context())


async def close() -> None:
    """End the keeper of this event loop, where one is to end before its process does."""
    if _keeper is not None and not _keeper.done() and _keeper.get_loop() is asyncio.get_running_loop():
        _keeper.cancel()
        await asyncio.wait([_keeper])


async def save() -> None:
    """Save what is new of every running answer. Stop those that somebody asked to stop, deleted or swept away."""
    runs = [
        (run, run.log.cursor, progress) for run in list(runner.RUNS.values()) if (progress := run.progress())
    ]
    if not runs:
        return
    running_on = await writing(store.save, [progress for _, _, progress in runs], runner.LEASE)
    for run, cursor, _ in runs:
        run.saved = cursor
        if run.generation_id not in running_on:
            run.stop()


async def _keep() -> None:
    await asyncio.gather(_save_and_sweep(), _file())


async def _save_and_sweep() -> None:
    swept_at = 0.0
    while True:
        await _tried("saving", save())
        if time.monotonic() - swept_at >= SWEEP_EVERY:
            swept_at = time.monotonic()
            await _tried("sweeping", _sweep())
        await asyncio.sleep(SAVE_EVERY)


async def _file() -> None:
    """Beside the saving, which must wait for nothing: a rule may take its time, and so may the first filing of all."""
    while True:
        await _tried("filing", writing(filing.file_ended))
        await asyncio.sleep(FILE_EVERY)


async def _sweep() -> None:
    if lost := await writing(store.sweep):
        logger.warning("%d answers had lost their process and are marked interrupted", lost)


async def _tried(what: str, work: Coroutine[Any, Any, object]) -> None:
    """Do `work`, and survive what it raises: it is tried again, and without a keeper every answer would be lost."""
    try:
        await work
    except DatabaseError as error:
        logger.error("%s has to wait: %s", what, type(error).__name__)
    except Exception:
        logger.exception("%s failed", what)
