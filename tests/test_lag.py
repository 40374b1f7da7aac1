"""Hostile answers through the real socket: the event loop goes on, and what is shown ends as what is stored.

A loop is late where its own thread computes, and where another thread of the process does not let go of the
interpreter. Both are counted in processor time, which the rest of the machine does not add to.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
import time
from collections.abc import AsyncIterator

import pytest

from conversations import generation
from conversations.database import in_database
from conversations.providers.recorded import RecordedUpstream, Script
from conversations.rendering.markdown import render
from tests.conftest import Cast
from tests.rendering.corpus import BOMBS, DEFINITIONS, HOSTILE
from tests.rendering.dom import Element, Page, parse
from tests.rendering.test_hostile import MID
from tests.test_access import cookie_of, socket
from tests.test_posting import start

LATE = 0.1  # seconds
TRIES = 3  # a machine that has much else to do can leave the loop's thread aside while another of ours runs
TICK = 0.002

SLOW = {
    name: BOMBS[name]
    for name in (
        "blown table",
        "wide table",
        "long table",
        "quotes",
        "footnotes",
        "gaps in code",
        "short rows",
    )
}


class Lag:
    """The longest that a loop was kept from its next turn, in seconds of processor time."""

    def __init__(self) -> None:
        self.own = self.process = 0.0

    async def measure(self) -> None:
        while True:
            own, process = time.thread_time(), time.process_time()
            await asyncio.sleep(TICK)
            self.own = max(self.own, time.thread_time() - own)
            self.process = max(self.process, time.process_time() - process)


@contextlib.asynccontextmanager
async def measured() -> AsyncIterator[Lag]:
    lag = Lag()
    task = asyncio.create_task(lag.measure())
    yield lag
    task.cancel()


async def played(cast: Cast, upstream: RecordedUpstream, script: Script) -> tuple[str, list[str]]:
    """An answer by `script`, and the frames that its page gets."""
    upstream.scripts.append(script)
    turn = await in_database(start, cast)
    page = socket(f"/ws/c/{turn.conversation.pk}/", await in_database(cookie_of, cast.member))
    assert (await page.connect())[0]
    await generation.start(turn.generation)
    frames: list[str] = []
    while not frames or "data-status" not in frames[-1]:
        frames.append(await page.receive_from(30))
        await page.send_to(text_data=f'{{"taken": {len(frames)}}}')
    await page.disconnect()
    return str(turn.answer.pk), frames


def rename(tree: Element, message: str) -> None:
    """Give the tail the id that it has on the page of the tests."""
    for element in tree.walk():
        if element.attributes.get("id") == f"tail-{message[:8]}":
            element.attributes["id"] = f"tail-{MID[:8]}"


@pytest.mark.parametrize("name", SLOW)
async def test_a_bomb_does_not_stop_the_others(live_cast: Cast, running: RecordedUpstream, name: str) -> None:
    text = SLOW[name]
    script = Script(pieces=tuple(text[at : at + 700] for at in range(0, len(text), 700)))
    late = []
    for _ in range(TRIES):
        async with measured() as lag:
            await played(live_cast, running, script)
        late.append(max(lag.own, lag.process))
        if late[-1] < LATE:
            return
    raise AssertionError(late)


async def test_what_arrives_byte_by_byte_ends_as_what_is_stored(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    """The provider's bytes are cut at each place there is, within characters, escapes and events."""
    text = "\n\n".join([*HOSTILE, *DEFINITIONS]).replace(
        "\ud83d \udc00", ""
    )  # no encoder sends half a character
    message, frames = await played(live_cast, running, Script(pieces=(text,), sizes=(1,)))
    page = Page(MID)
    for frame in frames:
        for element in parse(frame).children:
            if isinstance(element, Element):
                swap = str(element.attributes.get("hx-swap-oob")).replace(message, MID)
                style, _, target = swap.replace(f"tail-{message[:8]}", f"tail-{MID[:8]}").partition(":")
                if target.startswith(("#text-", "#tail-")):
                    rename(element, message)
                    page.swap(style, target, element.children)
    assert page.answer.html() == parse(render(text)).html()
    source = re.search(r"<template data-source>(.*?)</template>", frames[-1], re.DOTALL)
    assert source is not None
    assert html.unescape(source[1]) == text.replace("\x00", "")
