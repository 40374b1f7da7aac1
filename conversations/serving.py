"""Which processes may serve an installation at once: one alone, or several that share PostgreSQL and Redis.

Two processes without Redis, or on SQLite, would each know only its own answers, and would sweep up or stop nothing of
the other's in time. So each holds a lock on the database for as long as it lives: alone, or together with others of
its kind. A lock goes with its process, however that ends.
"""

from __future__ import annotations

import fcntl
import logging
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

if TYPE_CHECKING:
    import psycopg

logger = logging.getLogger(__name__)

WAIT_SECONDS = 3.0  # for a process that is about to end
_LOOK_EVERY = 0.1
_LOCK = 7_164_209_335  # any number that nobody else takes on this database
ALONE = (
    "Another process serves this database, and without REDIS_URL there may be only one: "
    "each would know its own answers alone. Stop the other, or give all of them the same REDIS_URL."
)
TOGETHER = (
    "Another process serves this database without REDIS_URL, and would not know of the answers of this one. "
    "Stop it, or give it the same REDIS_URL."
)
SQLITE = (
    "Another process serves this SQLite database, and there may be only one. "
    "Stop the other, or move to PostgreSQL (DATABASE_URL) and Redis (REDIS_URL) for several."
)

ONE = "REDIS_URL is for several processes, and SQLite for one. Set DATABASE_URL to PostgreSQL, or take REDIS_URL out."

_held: Any = None  # what holds the lock: a file, or a connection of psycopg's
_serving = False
problem = ""  # why this process should not be serving, where that has come up since its start


def begin() -> bool:
    """Take this process's place; True where it is alone. Raises SystemExit with a sentence where another has it.

    A database that cannot be reached yet is waited for by `look`: the process starts, and is not ready.
    """
    global _serving
    _serving = True
    if connection.vendor == "sqlite" and settings.REDIS_URL:
        raise SystemExit(ONE)
    deadline = time.monotonic() + WAIT_SECONDS
    while not _take():
        if not problem or time.monotonic() > deadline:
            break
        time.sleep(_LOOK_EVERY)
    if problem:
        raise SystemExit(problem)
    return _held is not None and not settings.REDIS_URL


def look() -> None:
    """See that the place is still held, and take it again where a restart of the database let go of it. Blocks."""
    global _held
    if not _serving:
        return
    if _held is not None and connection.vendor == "postgresql":
        try:
            _held.execute("SELECT 1")
        except _driver().Error:
            _held.close()
            _held = None
    if _held is None and not _take() and problem:
        logger.critical(problem)


def _take() -> bool:
    """Try to take the lock. False where another has it, which is then the `problem`, or where there is no database."""
    global _held, problem
    _held, problem = _of_file() if connection.vendor == "sqlite" else _of_server()
    return _held is not None


def _of_file() -> tuple[IO[str] | None, str]:
    try:
        file = Path(f"{connection.settings_dict['NAME']}.serving").open("a")  # noqa: SIM115 (kept open)
    except OSError as error:
        logger.error("the database's folder cannot be written to: %s", error.strerror)
        return None, ""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None, SQLITE
    return file, ""


def _of_server() -> tuple[psycopg.Connection | None, str]:
    """A connection beside the pool, which holds the lock while it lives."""
    shared = "_shared" if settings.REDIS_URL else ""
    try:
        own = _driver().connect(**{**connection.get_connection_params(), "autocommit": True})
        row = own.execute(f"SELECT pg_try_advisory_lock{shared}(%s)", [_LOCK]).fetchone()
    except _driver().Error as error:
        logger.error("the database cannot be reached: %s", str(error).strip().partition("\n")[0])
        return None, ""
    if row and row[0]:
        return own, ""
    own.close()
    return None, TOGETHER if shared else ALONE


def _driver() -> Any:
    """The database's module: psycopg is ten megabytes that SQLite can do without."""
    return connection.Database  # type: ignore[attr-defined]
