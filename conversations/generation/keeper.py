"""The one keeper of a process: it saves all running answers together, reads stop requests, sweeps, files, removes,
and reads what people bring in.

Saving is one transaction a second, however many answers run. Daphne tells an application neither of its start nor of
its end, so the keeper is started by the first thing that happens on the event loop, and nothing depends on its end.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error as DatabaseError

from conversations import (
    database,
    deleting,
    erasing,
    expiry,
    filing,
    importing,
    metrics,
    peers,
    serving,
    spending,
    traces,
)
from conversations.accounts import links, sessions
from conversations.database import aside, in_database, writing
from conversations.generation import redis_log, runner, store
from conversations.generation.sweeping import Watch

T = TypeVar("T")

logger = logging.getLogger(__name__)

SAVE_EVERY = 1.0  # seconds
SWEEP_EVERY = 5.0  # seconds
FILE_EVERY = 1.0  # seconds
LAG_EVERY = 0.5  # seconds
REMOVE_EVERY = 5.0  # seconds, while nothing is to be removed
REMOVE_SHARE = 0.2  # of the time, at most, that removing takes of the database while there is something

IMPORT_EVERY = 2.0  # seconds, while no file waits
IMPORT_SHARE = 0.5  # of the time, at most, that a file which is read takes of the database

REMOVING: dict[
    str, Callable[[], object]
] = {  # each does a small piece, and says whether there may be another
    "remove what was deleted": deleting.work,
    "erase": erasing.work,
    "remove what is too old": expiry.work,
    "clean up": traces.work,
    "clear sessions": sessions.clear,
    "forget whom invitations were for": links.forget_whom,
}

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


async def sweep(watch: Watch) -> None:
    """End what has lost its process, which is none that runs here: a database may keep those waiting."""
    beats = await in_database(store.beats)
    lost = watch.lost({pk: beat for pk, beat in beats.items() if pk not in runner.RUNS})
    if lost and (number := await writing(store.sweep, lost)):
        metrics.answers_swept.inc(number)
        logger.warning("%d answers had lost their process and are marked interrupted", number)
    if number := await writing(spending.settle_lost):
        logger.warning("%d charges of deleted answers were settled by what was reserved", number)


async def dismiss() -> None:
    """Stop answers of this process whose asker was deactivated or taken out: nobody may see them, and they cost."""
    if runner.RUNS:
        for pk in await in_database(store.forsaken, list(runner.RUNS)):
            if run := runner.RUNS.get(pk):
                run.stop(store.SHUT)


async def _keep() -> None:
    work = [_save(), _sweep(), _file(), _remove(), _import(), _watch_loop()]
    if settings.REDIS_URL:
        from conversations.lines import kept_up  # ten megabytes that a process alone can do without

        work += [
            kept_up(peers.speak, without="other processes are not told"),
            kept_up(peers.listen, without="other processes are not heard"),
            kept_up(redis_log.publish, without="others read the answers of this process from the record"),
            kept_up(redis_log.read, without="the answers of others are read from the record"),
        ]
    await asyncio.gather(*work)


async def _save() -> None:
    while True:
        await _tried("save", save())
        await asyncio.sleep(SAVE_EVERY)


async def _sweep() -> None:
    watch = Watch()
    while True:
        await _tried("look whether this process may serve", writing(serving.look))
        await _tried("sweep", sweep(watch))
        await _tried("look whose answers run", dismiss())
        await asyncio.sleep(SWEEP_EVERY)


async def _file() -> None:
    """Beside the saving, which must wait for nothing: a rule may take its time, and so may the first filing of all."""
    while True:
        await _tried("file", writing(filing.file_ended))
        await asyncio.sleep(FILE_EVERY)


async def _remove() -> None:
    """What is too old, and whoever is erased: a small batch, then a pause in which others have the database."""
    loop = asyncio.get_running_loop()
    while True:
        began, more = loop.time(), False
        for what, work in REMOVING.items():  # apart, so that one which fails keeps none of the others waiting
            more |= bool(await _tried(what, aside(work)))
        took = loop.time() - began
        await asyncio.sleep(took * (1 / REMOVE_SHARE - 1) if more else REMOVE_EVERY)


async def _import() -> None:
    """What people brought in, a little at a time, and as long a pause."""
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        more = await _tried("read what was brought in", aside(importing.work))
        took = loop.time() - began
        await asyncio.sleep(took * (1 / IMPORT_SHARE - 1) if more else IMPORT_EVERY)


async def _watch_loop() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY
        await asyncio.sleep(LAG_EVERY)
        metrics.loop_lag.observe(max(0.0, loop.time() - due))


async def _tried(what: str, work: Coroutine[Any, Any, T]) -> T | None:
    """Do `work`, and survive what it raises: it is tried again, and without a keeper every answer would be lost."""
    try:
        return await work
    except DatabaseError as error:
        await asyncio.to_thread(database.recover)
        metrics.database_failures.labels(what).inc()
        logger.error("the database keeps us waiting (to %s): %s", what, type(error).__name__)
    except Exception:
        logger.exception("failed to %s", what)
    return None
