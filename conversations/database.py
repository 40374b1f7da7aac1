"""How asynchronous code reaches the database: three bounded pools of threads, and nothing else.

Channels and Django send all such calls of a process through a single thread, where one slow query holds up
every socket. Nothing here knows a model.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection
from django.utils import translation

P = ParamSpec("P")
T = TypeVar("T")

THREADS, WRITERS = 4, 2
executor = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="database")
# What writes may wait for a lock, as long as the database lets it; what only reads must not wait behind it.
writers = ThreadPoolExecutor(max_workers=WRITERS, thread_name_prefix="database-writer")
# What may take its time, one after the other: nobody waits for it, and it keeps no thread from anybody.
background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database-background")


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a thread that may query, and give back what it gives back."""
    return await _in(executor, partial(function, *args, **kwargs))


async def writing(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for a function that writes."""
    return await _in(writers, partial(function, *args, **kwargs))


async def aside(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for a function that nobody waits for."""
    return await _in(background, partial(function, *args, **kwargs))


async def _in(pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    work = partial(_with_fresh_connection, translation.get_language(), call)
    return await asyncio.get_running_loop().run_in_executor(pool, work)


def recover() -> None:
    """After a failure: part with the connections that a restart of the database broke, before they fail others too."""
    with contextlib.suppress(Exception):  # whatever a database that is away makes of it: it is tried again
        if pool := getattr(connection, "pool", None):
            pool.check()


def _with_fresh_connection(language: str | None, call: Callable[[], T]) -> T:
    close_old_connections()
    try:
        with translation.override(language):  # some of what is asked for is shown as it comes
            return call()
    finally:
        close_old_connections()
