"""Providers that misbehave, in every way that is known, and what a person then sees and the record then holds."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from conversations.providers.recorded import UNPACED, Pace, Script
from tests.bench.processes import memory
from tests.e2e.acts import answer, ask, shows
from tests.e2e.conftest import Providers
from tests.e2e.site import sign_in_at
from tests.faults.acts import Stopwatch, agrees
from tests.faults.installation import Answer, Installation

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SLOWEST = 15.0  # seconds until an answer that cannot be had has ended, with the clocks of these tests
WORDS = tuple(f"word{number} " for number in range(20))
HUGE = 200 * 2**20
GREW = 8 * 2**20  # bytes by which a process may grow over an answer that is not to be had


@dataclass(frozen=True)
class Fault:
    """A script, how its answer ends, how many words are kept, and how often the provider is asked."""

    script: Script
    status: str
    words: int
    says: str
    asked: int = 1


def event(delta: Any, **more: Any) -> bytes:
    """One event of the wire, as it stands in a body."""
    payload = {"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": None}], **more}
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def body(*events: bytes, done: bool = True) -> bytes:
    """A body of a word, those events, and its end."""
    end = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    return event({"role": "assistant", "content": "word0 "}) + b"".join(events) + (end if done else b"")


REFUSAL = b'{"message": "Not now."}'
STREAM = {"content-type": "text/event-stream"}
SPLIT = [event({"content": "\ud83d"}), event({"content": "\ude00 "})]

FAULTS = {
    "hangs before the first word": Fault(
        Script(pieces=WORDS, hang_after=0), "failed", 0, "did not answer in time"
    ),
    "hangs after one": Fault(Script(pieces=WORDS, hang_after=1), "interrupted", 1, "nothing more came"),
    "hangs in the middle": Fault(Script(pieces=WORDS, hang_after=10), "interrupted", 10, "nothing more came"),
    "headers that do not come": Fault(
        Script(pieces=WORDS, header_delay=30), "failed", 0, "did not answer in time"
    ),
    "cut in the middle": Fault(Script(pieces=WORDS, cut_after=900), "interrupted", -1, "connection"),
    "ends without an end": Fault(Script(pieces=WORDS, finish=None), "interrupted", 20, "before the end"),
    "a line of a megabyte": Fault(
        Script(raw=body(event({"content": "x" * 2**20})), headers=STREAM),
        "interrupted",
        1,
        "too large a piece",
    ),
    "a line of 200 megabytes": Fault(
        Script(raw=body(b"data: " + b"x" * HUGE), headers=STREAM), "interrupted", 1, "too large a piece"
    ),
    "a bomb": Fault(
        Script(raw=gzip.compress(b"\0" * (64 * 2**20)), headers={**STREAM, "content-encoding": "gzip"}),
        "failed",
        0,
        "",
    ),
    "a flood": Fault(
        Script(pieces=tuple(repeat("word " * 40, 100_000)), pace=UNPACED),
        "interrupted",
        -1,
        "512 KB",
    ),
    "without an end": Fault(
        Script(pieces=tuple(repeat("word " * 200, 1_000)), pace=Pace(0, 500)), "interrupted", -1, "512 KB"
    ),
    "not JSON": Fault(
        Script(raw=body(b"data: {no json\n\n", b"data: [1, 2\n\n"), headers=STREAM), "done", 1, ""
    ),
    "other types": Fault(
        Script(raw=body(event(7), event({"content": 7}), b'data: {"choices": "none"}\n\n'), headers=STREAM),
        "done",
        1,
        "",
    ),
    "not a number": Fault(
        Script(raw=body(b'data: {"choices": [], "usage": {"prompt_tokens": NaN}}\n\n'), headers=STREAM),
        "done",
        1,
        "",
    ),
    "surrogates apart": Fault(Script(raw=body(*SPLIT), headers=STREAM), "done", 2, ""),
    "half a surrogate": Fault(Script(raw=body(event({"content": "\ud83d"})), headers=STREAM), "done", 2, ""),
    "zeros": Fault(Script(raw=body(event({"content": "a\0b"})), headers=STREAM), "done", 2, ""),
    "sends elsewhere": Fault(
        Script(status=307, headers={"location": "http://127.0.0.1:9/"}), "failed", 0, ""
    ),
    "too many requests, an hour": Fault(
        Script(status=429, headers={"retry-after": "3600"}), "failed", 0, "Too many"
    ),
    "an error, always": Fault(Script(status=500), "failed", 0, "", asked=3),
    "busy, always": Fault(Script(status=503, headers={"retry-after-ms": "100"}), "failed", 0, "", asked=3),
}


AT_ONCE = 12  # pages: a machine that has more to open than it can is no fault of a provider's
# The provider of these tests has other things to do while it sends these.
LARGE = ("a line of 200 megabytes", "a bomb", "a flood", "without an end")


@dataclass(frozen=True)
class Seen:
    """What became of a fault: the answer as it is kept, and how often the provider was asked."""

    kept: Answer
    asked: int


Outcomes = dict[str, Seen | BaseException]
_OUTCOMES: dict[bool, Outcomes] = {}


async def outcomes(context: BrowserContext, installation: Installation, providers: Providers) -> Outcomes:
    """All faults, before one installation, each on a page of its own, many at once but for the large ones."""
    places = asyncio.Semaphore(AT_ONCE)

    async def outcome(name: str) -> Seen:
        fault = FAULTS[name]
        question = providers.on(name, fault.script)
        async with places:
            tab = await context.new_page()
            await tab.goto(installation.url)
            watch = Stopwatch()
            await ask(tab, question)
            await expect(answer(tab)).to_have_attribute("data-status", fault.status)
            assert watch.seconds < SLOWEST, f"{name}: {watch.seconds} s"
            kept = await agrees(tab, installation)
            await tab.close()
        return Seen(kept, len(providers.asked(question)))

    providers.forget()
    await (await sign_in_at(context, installation.url, "member")).close()
    found: Outcomes = {}
    small = [name for name in FAULTS if name not in LARGE]
    for together in (small, *([name] for name in LARGE)):
        seen = await asyncio.gather(*map(outcome, together), return_exceptions=True)
        found |= zip(together, seen, strict=True)
    return found


@pytest.mark.parametrize("name", FAULTS)
async def test_a_provider(
    context: BrowserContext, installation: Installation, all_providers: Providers, name: str
) -> None:
    """Ends with what had come, and a sentence; page, record and provider agree."""
    if installation.together not in _OUTCOMES:
        _OUTCOMES[installation.together] = await outcomes(context, installation, all_providers)
    fault, seen = FAULTS[name], _OUTCOMES[installation.together][name]
    if isinstance(seen, BaseException):
        raise seen
    assert fault.says in seen.kept.sentence
    if fault.words >= 0:
        assert len(seen.kept.text.split()) == fault.words
    else:
        assert seen.kept.text
    assert seen.asked == fault.asked


async def test_a_line_of_200_megabytes_costs_no_memory(
    page: Page, installation: Installation, providers: Providers
) -> None:
    question = providers.on("how large?", FAULTS["a line of 200 megabytes"].script)
    pids = [each.pid for each in installation.servers]
    before = memory(pids)
    await ask(page, question)
    await expect(answer(page)).to_have_attribute("data-status", "interrupted")
    assert memory(pids) - before < GREW * len(pids)


async def test_busy_for_a_moment(page: Page, installation: Installation, providers: Providers) -> None:
    """It is asked again once, before a word has come, and only one answer is paid for."""
    question = providers.on(
        "once",
        Script(status=429, raw=REFUSAL, headers={"retry-after": "1"}),
        Script(pieces=WORDS),
    )
    await ask(page, question)
    await shows(page, "word19 ")
    await expect(answer(page)).to_have_attribute("data-status", "done")
    await agrees(page, installation)
    refused, answered = providers.asked(question)
    assert (refused.tokens, answered.tokens) == (1, len(WORDS))  # the body of a refusal counts as one


async def test_keep_alives_for_ever(page: Page, installation: Installation, providers: Providers) -> None:
    """They are no words, and the clocks do not count them."""
    events = event({"role": "assistant", "content": "word0 "}) + b": still here\n\n" * 200
    question = providers.on(
        "alive",
        Script(raw=events, headers=STREAM, sizes=(len(events) - 200 * 14, 14), pace=Pace(0, 10), finish=None),
    )
    watch = Stopwatch()
    await ask(page, question)
    await expect(answer(page)).to_have_attribute("data-status", "interrupted")
    assert watch.seconds < SLOWEST
    kept = await agrees(page, installation)
    assert kept.text.split() == ["word0"]
