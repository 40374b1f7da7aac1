"""A cold start: how long until the server answers, and what it has in memory when it has served its first page."""

from __future__ import annotations

from statistics import median

from tests.bench.answers import Rows
from tests.bench.processes import cpu, memory
from tests.bench.product import SIGN_IN, Server, Setting

STARTS = 3
COLUMNS = (
    ("alive", "{alive_s:.2f} s"),
    ("first page", "{page_s:.2f} s"),
    ("CPU until then", "{cpu_s:.2f} s"),
    ("memory when alive", "{alive_mb:.0f} MB"),
    ("memory, idle", "{idle_mb:.0f} MB"),
)


def measure(setting: Setting) -> Rows:
    """Start one process a few times; the median of each figure. Seconds are from the start of the process."""
    starts = [_start(setting) for _ in range(STARTS)]
    return {"product": {name: median(start[name] for start in starts) for name in starts[0]}}


def _start(setting: Setting) -> dict[str, float]:
    with Server(setting.product) as server:
        alive = server.wait()
        at_first = memory([server.pid])
        page = server.wait(SIGN_IN)
        return {
            "alive_s": alive,
            "page_s": page,
            "cpu_s": cpu([server.pid]),
            "alive_mb": at_first / 1e6,
            "idle_mb": memory([server.pid]) / 1e6,
        }
