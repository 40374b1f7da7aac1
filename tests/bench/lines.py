"""Sockets: what idle ones cost, and how soon readers whose line was lost have everything again."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import astuple
from typing import Any

from tests.bench.answers import CHATS, Row, Rows, Seen, figures, many, through_product
from tests.bench.figures import percentile
from tests.bench.processes import Child, cpu, memory
from tests.bench.product import PERSONA, Setting, addresses, people

CONVERSATIONS, TABS = 100, 10
SETTLED = 30.0  # seconds that idle sockets are watched: of two beats, and several rechecks
LOST, OFF = 1.0, 2.0  # seconds behind the last question, and without a line

IDLE_COLUMNS = (
    ("sockets", "{sockets:,.0f}"),
    ("opened in", "{opened_s:.1f} s"),
    ("memory before", "{before_mb:.0f} MB"),
    ("with them", "{with_mb:.0f} MB"),
    ("more", "{more_mb:.1f} MB"),
    ("CPU while idle", "{cpu_share:.1%} of a core"),
)
CATCH_UP_COLUMNS = (
    ("sockets", "{answers:.0f}"),
    ("missed, p50", "{missed_p50:.0f} tokens"),
    ("has everything, p50", "{caught_p50_ms:.0f} ms"),
    ("p95", "{caught_p95_ms:.0f} ms"),
    ("last", "{caught_last_ms:.0f} ms"),
    ("sockets a page", "{connects:.2f}"),
    ("others", "{others:.2f} CPUs"),
    ("lost", "{lost:.0f}"),
    ("faults", "{faults:.0f}"),
    ("whole", "{whole:.0f} of {answers:.0f}"),
)


def idle(setting: Setting) -> Rows:
    """Open the sockets of many pages on which nothing happens, and see what the server has more of."""
    signed_up = people(setting.product, CONVERSATIONS // CHATS)
    asks = many(CONVERSATIONS, 1, 0, 0).asks
    limit = 300.0
    with setting.running() as servers, Child("tests.bench.driver") as driver:
        pids = [server.pid for server in servers]
        job: dict[str, Any] = {"target": "idle", "people": signed_up, "persona": PERSONA}
        job |= addresses(setting, servers)
        job |= {"asks": [astuple(ask) for ask in asks], "at": [0.0] * len(asks), "tabs": TABS}
        driver.say(job | {"mode": "next", "drop": None, "limit": limit, "hold": True})
        driver.hear(limit)
        before, began = memory(pids), time.monotonic()
        driver.say({"go": began})
        sockets = driver.hear(limit)["open"]
        opened, spent = time.monotonic(), cpu(pids)
        time.sleep(SETTLED)
        share = (cpu(pids) - spent) / (time.monotonic() - opened)
        after = memory(pids)
        driver.say({})
        driver.hear(limit)
    return {
        "product": {
            "sockets": sockets,
            "opened_s": opened - began,
            "before_mb": before / 1e6,
            "with_mb": after / 1e6,
            "more_mb": (after - before) / 1e6,
            "cpu_share": share,
        }
    }


def catch_up(setting: Setting) -> Rows:
    """Lose 200 lines at once in the middle of their answers, and have them all come back at one moment."""
    seen = through_product(setting, many(200, 250, 10, 4, drop=(LOST, OFF)))
    return {"product": figures(seen) | _caught(seen)}


def _caught(seen: Seen) -> Row:
    """From the moment at which all come back, until each has what had been written by then."""
    lost, back = seen.lost_at, seen.lost_at + OFF
    took, missed = [], []
    for answer in seen.answers:
        written = seen.stamps[answer["key"]][0]
        there = bisect_left(written, back)
        missed.append(there - bisect_left(written, lost))
        took.append(answer["shown"][there - 1] - back if len(answer["shown"]) >= there else float("inf"))
    return {
        "missed_p50": percentile(missed, 50),
        "caught_p50_ms": percentile(took, 50) * 1e3,
        "caught_p95_ms": percentile(took, 95) * 1e3,
        "caught_last_ms": max(took) * 1e3,
    }
