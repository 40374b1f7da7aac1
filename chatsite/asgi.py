"""A process that serves: its place beside others, its memory, its threads, its end.

Any ASGI server can run it; it relies on no lifespan event, because Daphne sends none.
"""

import gc
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.checks import run_checks
from django.db import DatabaseError, connection

from chatsite import application as served
from chatsite import leaving, sending
from conversations import generation, serving, trace

logger = logging.getLogger(__name__)

trace.begin()
sending.mend()


def _begin() -> None:
    """Take this process's place. Alone, nobody else can be writing what is still marked as being written."""
    alone = serving.begin()
    try:
        for problem in run_checks(tags=["upstreams"], databases=["default"]):
            logger.warning("%s %s", problem.msg, problem.hint)
        if alone and (lost := generation.sweep_all()):
            logger.warning(
                "%d answers were cut off when the last process ended, and are marked interrupted", lost
            )
    except DatabaseError as error:
        logger.error("what the last process left cannot be swept up: %s", type(error).__name__)
    except Exception:  # one row that is wrong is no reason to serve nobody
        logger.exception("what the last process left cannot be swept up")
    finally:
        connection.close()


# In a thread of its own: some servers load this on their event loop, where Django lets nobody query.
with ThreadPoolExecutor(1) as beginning:
    beginning.submit(_begin).result()

# What is loaded by now stays for good, and what an answer leaves behind is freed by its counts: looking through all of
# it each time some hundred objects were made takes a fifth of the processor's time while answers stream. Requests are
# cycles, though (a request has a user, which is found by asking the request), and most of them are alive when the
# collector first passes: with 20 of each generation they lay there for an hour, 50 MB of them. With five, all that is
# not frozen is looked through every few minutes.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 5, 5)

# The event loop streams; each time it has waited for a socket, it asks the threads that make pages for the interpreter
# back. With Python's five milliseconds for each of them, a burst of questions holds up every answer that runs.
sys.setswitchinterval(0.002)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one request or socket."""
    leaving.ensure()
    await served.application(scope, receive, send)
