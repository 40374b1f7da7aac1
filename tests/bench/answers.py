"""The hot path: so many answers at once, read through the product, through the bare relay, and directly.

Definitions, the same for all three. Times are in milliseconds where a name ends in `_ms`:
- delivered: tokens that were shown, by the seconds from the first question to the last token.
- first token: how long after the upstream wrote an answer's first token it was there to be seen; `sent_to_first` is
  from the question instead.
- delay: the same of every token.
- processor time by 1,000 tokens, of the server's processes and their Redis: `cpu` from the first question to the last
  end, `cpu_stream` while all answers were running, so without the forms and pages that begin and end them.
- sockets: how many a page needed; more than one where the server refused one or lost it.
- lost: tokens that were never shown; faults: frames after which the page showed anything but the answer's beginning.
- whole: answers that ended as they should, the same to the letter on the page and in the database.
- others: processors that were busy meanwhile with what is no part of this (PostgreSQL counts among them).
- memory: of the server's processes, in megabytes (1,000,000 bytes); idle is after one page, before anybody signed in.
"""

from __future__ import annotations

import json
import math
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from typing import Any

from tests.bench.figures import percentile
from tests.bench.processes import Child, Sampler, cpu, machine, memory
from tests.bench.product import PERSONA, Product, Setting, addresses, people, redis_pids
from tests.bench.script import Ask

CHATS = 10  # a person
HEADSTART = 0.5  # seconds between the word to go and the first question

Row = dict[str, float]
Rows = dict[str, Row]


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked, spread evenly over `ramp` seconds, by so many processes that play the people."""

    asks: tuple[Ask, ...]
    ramp: float
    mode: str = "next"  # of the product: the next question of an open page, or the "first" of a chat
    drivers: int = 1
    drop: tuple[float, float] | None = (
        None  # seconds: lines are lost behind the last question, and for how long
    )

    @property
    def limit(self) -> float:
        """Seconds after which it is given up."""
        return 60 + len(self.asks) / 2 + 5 * max(ask.tokens / (ask.rate or 100) for ask in self.asks)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a load: by answer what its reader saw, when the upstream wrote it, what the server used."""

    load: Load
    answers: list[dict[str, Any]]
    stamps: dict[int, tuple[list[float], list[float]]]  # by key: when each token was written, and how late
    sampler: Sampler
    idle: int
    driver_cpu: float
    lost_at: float  # seconds of the monotonic clock: when all lines were lost, where they were
    others: float  # processors that were busy with what is not ours


def many(answers: int, tokens: int, rate: float, ramp: float, **further: Any) -> Load:
    """The same answer, so many times."""
    asks = (Ask(key, "prose", tokens, rate) for key in range(1, answers + 1))
    return Load(tuple(asks), ramp, **further)


def compared(setting: Setting, load: Load) -> Rows:
    """The three ways to read the answers, in one run. What has no server of ours, or no page, has no such figures."""
    no_page = dict.fromkeys(("faults", "connects"), math.nan)
    no_server = dict.fromkeys(("cpu", "cpu_stream", "peak_mb", "above_idle_mb"), math.nan)
    return {
        "direct": figures(directly(setting, load)) | no_page | no_server,
        "relay": figures(through_relay(setting, load)) | no_page,
        "product": figures(through_product(setting, load)),
    }


def directly(setting: Setting, load: Load) -> Seen:
    """From the upstream itself."""
    return _seen(setting, load, {"target": "direct", "bases": [setting.upstream]}, pids=[])


def through_relay(setting: Setting, load: Load) -> Seen:
    """From the bare relay, in a process of its own."""
    with Child("tests.bench.relay", setting.upstream) as child:
        base = f"http://127.0.0.1:{child.hear(30)['port']}"
        return _seen(setting, load, {"target": "relay", "bases": [base]}, pids=[child.pid])


def through_product(setting: Setting, load: Load, **further: Any) -> Seen:
    """From the product, started for it. `further` goes to the driver's job."""
    signed_up = people(setting.product, -(-len(load.asks) // CHATS))
    with setting.running() as servers:
        job = {"target": "product", **addresses(setting, servers), "people": signed_up, **further}
        pids = [server.pid for server in servers]
        job |= {"persona": PERSONA, "mode": load.mode, "drop": load.drop}
        seen = _seen(setting, load, job, pids=pids, helping=redis_pids(setting.product))
    _check_kept(setting.product, seen)
    return seen


def _check_kept(product: Product, seen: Seen) -> None:
    """An answer that the database has in other words is not whole."""
    ids = [answer["mid"] for answer in seen.answers if answer["mid"]]
    kept = json.loads(product.inside("texts", told=json.dumps(ids)))
    asks = {ask.key: ask for ask in seen.load.asks}
    for answer in seen.answers:
        answer["whole"] = answer["whole"] and kept.get(answer["mid"]) == asks[answer["key"]].text()


def _seen(
    setting: Setting, load: Load, job: dict[str, Any], *, pids: list[int], helping: Sequence[int] = ()
) -> Seen:
    """Have the drivers do it, and read what the server uses meanwhile."""
    number, count = load.drivers, len(load.asks)
    at = [index * load.ramp / count for index in range(count)]
    idle = memory(pids)
    with ExitStack() as stack:
        drivers = [stack.enter_context(Child("tests.bench.driver")) for _ in range(number)]
        for index, driver in enumerate(drivers):
            part = {"asks": [astuple(ask) for ask in load.asks[index::number]], "at": at[index::number]}
            driver.say(job | part | {"limit": load.limit})
        with Sampler(pids, helping=helping) as sampler:
            for driver in drivers:
                driver.hear(load.limit)
            ours = [*pids, *helping, setting.upstream_pid, *(driver.pid for driver in drivers)]
            since, others = time.monotonic(), machine() - cpu(ours)
            go = since + HEADSTART
            for driver in drivers:
                driver.say({"go": go})
            told = [driver.hear(3 * load.limit) for driver in drivers]
            others = (machine() - cpu(ours) - others) / (time.monotonic() - since)
    answers = [answer for each in told for answer in each["answers"]]
    for reason in {answer["failed"] for answer in answers} - {""}:
        print(f"An answer was given up: {reason}", file=sys.stderr)  # noqa: T201
    none: tuple[list[float], list[float]] = ([], [])
    stamps = {answer["key"]: none for answer in answers} | _stamps(setting.upstream)
    spent, lost_at = max(each["cpu"] for each in told), told[0]["lost_at"]
    return Seen(load, answers, stamps, sampler, idle, spent, lost_at, others)


def _stamps(upstream: str) -> dict[int, tuple[list[float], list[float]]]:
    with urllib.request.urlopen(f"{upstream}/stamps", timeout=60) as reply:
        return {int(key): (written, late) for key, (written, late) in json.load(reply).items()}


# -- What it comes to -----------------------------------------------------------------------------------------


def figures(seen: Seen) -> Row:
    """The figures of the definitions above, and what tells whether the measurement itself was the limit."""
    delays, firsts, waits = _waits(seen)
    late = [each for answer in seen.answers for each in seen.stamps[answer["key"]][1]]
    began = min(answer["posted"] for answer in seen.answers)
    last = max((answer["shown"][-1] for answer in seen.answers if answer["shown"]), default=began + 1)
    over = max(answer["over"] for answer in seen.answers)
    expected = sum(ask.tokens for ask in seen.load.asks)
    return {
        "offered": sum(ask.rate for ask in seen.load.asks),
        "delivered": len(delays) / (last - began),
        "first_p50_ms": percentile(firsts, 50) * 1e3,
        "first_p95_ms": percentile(firsts, 95) * 1e3,
        "sent_to_first_p95_ms": percentile(waits, 95) * 1e3,
        "delay_p50_ms": percentile(delays, 50) * 1e3,
        "delay_p95_ms": percentile(delays, 95) * 1e3,
        "cpu": seen.sampler.cpu_between(began, over) / expected * 1e3,
        "cpu_stream": _cpu_of_stream(seen),
        "lost": expected - len(delays),
        "faults": sum(answer["faults"] for answer in seen.answers),
        "whole": sum(answer["whole"] and answer["status"] == "done" for answer in seen.answers),
        "answers": len(seen.answers),
        "connects": sum(answer["connects"] for answer in seen.answers) / len(seen.answers),
        "idle_mb": seen.idle / 1e6,
        "peak_mb": seen.sampler.peak / 1e6,
        "above_idle_mb": (seen.sampler.peak - seen.idle) / 1e6,
        "bytes_per_token": sum(answer["bytes"] for answer in seen.answers) / max(len(delays), 1),
        "frames_per_token": sum(answer["frames"] for answer in seen.answers) / max(len(delays), 1),
        "upstream_late_p95_ms": percentile(late, 95) * 1e3,
        "driver_cpu": seen.driver_cpu,
        "seconds": over - began,
        "others": seen.others,
    }


def _waits(seen: Seen) -> tuple[list[float], list[float], list[float]]:
    """Seconds: of each token behind its writing, of each first token likewise, of each first behind its question."""
    delays, firsts, waits = [], [], []
    for answer in seen.answers:
        written, _ = seen.stamps[answer["key"]]
        of_it = [shown - wrote for shown, wrote in zip(answer["shown"], written, strict=False)]
        delays += of_it
        firsts += of_it[:1]
        waits += [shown - answer["posted"] for shown in answer["shown"][:1]]
    return delays, firsts, waits


def _cpu_of_stream(seen: Seen) -> float:
    """Processor seconds by 1,000 tokens while every answer was running; NaN where there was no such time."""
    start = max((answer["shown"][0] for answer in seen.answers if answer["shown"]), default=0.0)
    written = [seen.stamps[answer["key"]][0] for answer in seen.answers]
    end = min(moments[-1] if moments else 0.0 for moments in written)
    inside = sum(start <= moment < end for moments in written for moment in moments)
    return seen.sampler.cpu_between(start, end) / inside * 1e3 if inside else math.nan
