"""How asynchronous code reaches the database: one bounded pool of threads, and nothing else.

Channels and Django send all such calls of a process through a single thread, where one slow query holds up
every socket. Nothing here knows a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 4
executor = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="database")


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a thread that may query, and give back what it gives back."""
    call = partial(_with_fresh_connection, partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(executor, call)


def _with_fresh_connection(call: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()
