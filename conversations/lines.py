"""Lines to Redis: opened, and opened again, for what needs one. Only who has a REDIS_URL imports this."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from conversations import metrics

logger = logging.getLogger(__name__)

PATIENCE = 3.0  # seconds; a Redis that says nothing for longer is out of reach
RETRY = 0.5  # seconds between two tries to reach it
SAY_EVERY = 10.0  # seconds between two lines in the log about that


def client() -> Redis:
    """A client for the running loop, to be closed by its user. It tries everything once: who uses it knows more."""
    made: Redis = Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
    return made


async def kept_up(work: Callable[[Redis], Coroutine[Any, Any, None]], *, without: str) -> None:
    """Do `work` for as long as the process lives, anew whenever it fails. `without` says what is amiss meanwhile."""
    said_at: float | None = None
    while True:
        try:
            async with client() as redis:
                await work(redis)
        except (RedisError, OSError, TimeoutError) as error:
            metrics.redis_failures.inc()
            now = asyncio.get_running_loop().time()
            if said_at is None or now - said_at >= SAY_EVERY:
                said_at = now
                logger.error("Redis cannot be reached (%s): %s", type(error).__name__, without)
        except Exception:
            logger.exception("what needs Redis failed: %s", without)
        await asyncio.sleep(RETRY)
