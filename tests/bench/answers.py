"""The hot path: so many answers at once, read through the product, through the bare relay, and directly.

Definitions, the same for all three. Times are in milliseconds where a name ends in `_ms`:
- delivered: tokens that were shown, by the seconds from the first question to the last token, of the `offered` rate.
- first token: how long after the upstream wrote an answer's first token it was there to be seen; `sent_to_first` is
  from the question instead.
- delay: the same of every token.
- processor time by 1,000 tokens, of the server's processes: `cpu` from the first question to the last end, `cpu_stream`
  while all answers were running, so without the forms and pages that begin and end them.
- lost: tokens that were never shown; faults: frames after which the page showed anything but the answer's beginning.
- whole: answers that ended as they should, the same to the letter on the page and in the database.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, astuple, dataclass
from typing import Any

from tests.bench.figures import percentile
from tests.bench.processes import Child, Sampler, memory
from tests.bench.product import PERSONA, Product, Server, people
from tests.bench.script import Ask

PEOPLE = 20  # at most; their conversations are spread evenly
HEADSTART = 0.5  # seconds between the word to go and the first question


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: `answers` over `ramp` seconds, each of `tokens` at `rate` a second."""

    answers: int
    tokens: int
    rate: float
    ramp: float
    kind: str = "prose"
    mode: str = "next"  # of the driver's product: the next question of an open page, or the first
    drivers: int = 1

    @property
    def limit(self) -> float:
        """Seconds after which it is given up."""
        return 120 + self.answers + 5 * self.tokens / (self.rate or 100)

    def asks(self) -> list[Ask]:
        """Every question."""
        return [Ask(key + 1, self.kind, self.tokens, self.rate) for key in range(self.answers)]


def direct(load: Load, upstream: str) -> dict[str, float]:
    """The upstream itself."""
    return _measured(load, upstream, {"target": "direct", "bases": [upstream]}, pids=[])


def relay(load: Load, upstream: str) -> dict[str, float]:
    """The bare relay, in a process of its own."""
    with Child("tests.bench.relay", upstream) as child:
        base = f"http://127.0.0.1:{child.hear(30)['port']}"
        return _measured(load, upstream, {"target": "relay", "bases": [base]}, pids=[child.pid])


def through(
    product: Product, load: Load, upstream: str, *, processes: int, crossed: bool
) -> dict[str, float]:
    """The product. Where its lines are `crossed`, each page has its socket at another process than its forms."""
    signed_up = people(product, min(PEOPLE, load.answers))
    with product.running(processes) as servers:
        job = {"target": "product", **addresses(servers, crossed=crossed), "people": signed_up}
        for server in servers:
            server.wait("/accounts/login/")
        pids = [server.pid for server in servers]
        return _measured(
            load, upstream, job | {"persona": PERSONA, "mode": load.mode}, pids=pids, product=product
        )


def addresses(servers: Sequence[Server], *, crossed: bool) -> dict[str, list[str]]:
    """Where forms go and where sockets go."""
    bases = [server.url for server in servers]
    return {"bases": bases, "lines": bases[1:] + bases[:1] if crossed else bases}


def _measured(
    load: Load, upstream: str, job: dict[str, Any], *, pids: list[int], product: Product | None = None
) -> dict[str, float]:
    idle = memory(pids)
    told, sampler = _driven(load, job, pids)
    answers = [answer for each in told for answer in each["answers"]]
    stamps = _stamps(upstream)
    if product is not None:
        kept = json.loads(
            product.inside("texts", told=json.dumps([answer["mid"] for answer in answers if answer["mid"]]))
        )
        for answer, ask in zip(answers, _in_order(load, answers), strict=True):
            answer["whole"] = answer["whole"] and kept.get(answer["mid"]) == ask.text()
    return _figures(load, answers, stamps, sampler) | {
        "driver_cpu": max(each["cpu"] for each in told),
        "idle_mb": idle / 1e6,
        "peak_mb": sampler.peak / 1e6,
        "above_idle_mb": (sampler.peak - idle) / 1e6,
    }


def _driven(load: Load, job: dict[str, Any], pids: list[int]) -> tuple[list[Any], Sampler]:
    """Have the drivers do it, and read what the server uses meanwhile."""
    asks = load.asks()
    at = [index * load.ramp / load.answers for index in range(load.answers)]
    with ExitStack() as stack:
        drivers = [stack.enter_context(Child("tests.bench.driver")) for _ in range(load.drivers)]
        for index, driver in enumerate(drivers):
            part = {
                "asks": [astuple(ask) for ask in asks[index :: load.drivers]],
                "at": at[index :: load.drivers],
            }
            driver.say(job | part | {"limit": load.limit})
        sampler = Sampler(pids)
        with sampler:
            for driver in drivers:
                driver.hear(load.limit)
            go = time.monotonic() + HEADSTART
            for driver in drivers:
                driver.say({"go": go})
            return [driver.hear(load.limit) for driver in drivers], sampler


def _stamps(upstream: str) -> dict[int, Any]:
    with urllib.request.urlopen(f"{upstream}/stamps", timeout=60) as reply:
        return {int(key): value for key, value in json.load(reply).items()}


def _in_order(load: Load, answers: list[dict[str, Any]]) -> list[Ask]:
    asks = {ask.key: ask for ask in load.asks()}
    return [asks[answer["key"]] for answer in answers]


def _figures(
    load: Load, answers: list[dict[str, Any]], stamps: dict[int, Any], sampler: Sampler
) -> dict[str, float]:
    delays, firsts, waits, late = [], [], [], []
    for answer in answers:
        written, lateness = stamps[answer["key"]]
        of_it = [shown - wrote for shown, wrote in zip(answer["shown"], written, strict=False)]
        delays += of_it
        firsts += of_it[:1]
        waits += [shown - answer["posted"] for shown in answer["shown"][:1]]
        late += lateness
    began = min(answer["posted"] for answer in answers)
    last = max((answer["shown"][-1] for answer in answers if answer["shown"]), default=began + 1)
    over = max(answer["over"] for answer in answers)
    expected = load.answers * load.tokens
    return {
        "offered": load.answers * load.rate,
        "delivered": len(delays) / (last - began),
        "first_p50_ms": percentile(firsts, 50) * 1e3,
        "first_p95_ms": percentile(firsts, 95) * 1e3,
        "sent_to_first_p95_ms": percentile(waits, 95) * 1e3,
        "delay_p50_ms": percentile(delays, 50) * 1e3,
        "delay_p95_ms": percentile(delays, 95) * 1e3,
        "cpu": sampler.cpu_between(began, over) / expected * 1e3,
        "cpu_stream": _cpu_of_stream(answers, stamps, sampler),
        "lost": expected - len(delays),
        "faults": sum(answer["faults"] for answer in answers),
        "whole": sum(answer["whole"] and answer["status"] == "done" for answer in answers),
        "answers": load.answers,
        "bytes_per_token": sum(answer["bytes"] for answer in answers) / max(len(delays), 1),
        "frames_per_token": sum(answer["frames"] for answer in answers) / max(len(delays), 1),
        "upstream_late_p95_ms": percentile(late, 95) * 1e3,
        "seconds": over - began,
    }


def _cpu_of_stream(answers: list[dict[str, Any]], stamps: dict[int, Any], sampler: Sampler) -> float:
    """Processor seconds by 1,000 tokens while every answer was running; 0 where there was no such time."""
    start = max((answer["shown"][0] for answer in answers if answer["shown"]), default=0.0)
    end = min(stamps[answer["key"]][0][-1] for answer in answers)
    inside = sum(start <= moment < end for answer in answers for moment in stamps[answer["key"]][0])
    return sampler.cpu_between(start, end) / inside * 1e3 if inside else 0.0


def described(load: Load) -> dict[str, Any]:
    """The load, to be told with its results."""
    return asdict(load)
