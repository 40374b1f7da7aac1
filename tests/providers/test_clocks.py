"""How long an answer is waited for, and that leaving it closes the connection upstream."""

import asyncio
import json
import time
from contextlib import aclosing
from dataclasses import replace

import pytest

from conversations.providers import (
    Clocks,
    ErrorKind,
    Event,
    Finished,
    FinishReason,
    ProviderError,
    TextDelta,
    chat,
)
from conversations.providers.recorded import Pace, RecordedServer, Script
from tests.providers.conftest import RawStart
from tests.providers.support import (
    ask,
    at,
    chunk,
    endpoint,
    finish,
    head,
    question,
    text,
)

TOKENS = tuple(f"t{number} " for number in range(20))
SOON = Clocks(connect=5, first_token=0.2, silence=5, total=10)
QUIET = Clocks(connect=5, first_token=5, silence=0.4, total=10)


@pytest.mark.parametrize(
    "script", [Script(header_delay=30), Script(pace=Pace(30, None))], ids=["headers", "token"]
)
async def test_first_token_clock(server: RecordedServer, script: Script) -> None:
    server.upstream.scripts.append(script)
    with pytest.raises(ProviderError) as caught:
        await ask(at(server), clocks=SOON)
    assert (caught.value.kind, caught.value.retriable) == (ErrorKind.TIMEOUT, True)
    assert await server.upstream.log.arrived(1)
    assert await server.upstream.log.requests[0].client_left(1)


async def test_silence_clock(server: RecordedServer) -> None:
    server.upstream.scripts.append(Script(pieces=TOKENS, hang_after=3))
    events = await ask(at(server), clocks=QUIET)
    assert text(events) == "t0 t1 t2 "
    assert finish(events) == Finished(FinishReason.INTERRUPTED, "nothing more came for 0.4 seconds")
    assert await server.upstream.log.requests[0].client_left(1)


@pytest.mark.parametrize(
    "filler", [b": ping\n\n", b"data: \n\n", b"data: " + json.dumps(chunk("")).encode() + b"\n\n"]
)
async def test_keep_alives_are_not_content(raw: RawStart, filler: bytes) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + b"data: " + json.dumps(chunk("kept")).encode() + b"\n\n")
        while True:
            writer.write(filler)
            await writer.drain()
            await asyncio.sleep(0.02)

    _, address = await raw(drip)
    events = await ask(endpoint("openai", address), clocks=QUIET)
    assert text(events) == "kept"
    assert finish(events).reason is FinishReason.INTERRUPTED


async def test_dripping_headers(raw: RawStart) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            writer.write(f"x-{number}: y\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.02)

    _, address = await raw(drip)
    with pytest.raises(ProviderError) as caught:
        await ask(endpoint("openai", address), clocks=SOON)
    assert caught.value.kind is ErrorKind.TIMEOUT


async def test_total_clock(server: RecordedServer) -> None:
    server.upstream.scripts.append(Script(pieces=TOKENS * 50, pace=Pace(0, 50)))
    events = await ask(at(server), clocks=replace(QUIET, total=0.5))
    assert text(events)
    assert finish(events) == Finished(FinishReason.INTERRUPTED, "the time limit of 0.5 seconds was reached")


async def test_a_slow_reader_is_not_silence(server: RecordedServer) -> None:
    server.upstream.scripts.append(Script(pieces=TOKENS, pace=Pace(0, 100)))
    events: list[Event] = []
    async for event in chat(at(server), question(), clocks=QUIET):
        if len(events) == 2:
            await asyncio.sleep(QUIET.silence + 0.1)
        events.append(event)
    assert text(events) == "".join(TOKENS)


async def test_closing_the_generator_closes_upstream(server: RecordedServer) -> None:
    server.upstream.scripts.append(Script(pieces=TOKENS, hang_after=3))
    async with aclosing(chat(at(server), question())) as events:
        async for event in events:
            if event == TextDelta("t2 "):
                break
    closed = time.monotonic()
    assert await server.upstream.log.requests[0].client_left(1)
    assert time.monotonic() - closed < 1


@pytest.mark.parametrize(
    "script", [Script(header_delay=30), Script(pieces=TOKENS, hang_after=3)], ids=["headers", "body"]
)
async def test_cancelling_closes_upstream(server: RecordedServer, script: Script) -> None:
    server.upstream.scripts.append(script)
    task = asyncio.create_task(ask(at(server)))
    assert await server.upstream.log.arrived(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await server.upstream.log.requests[0].client_left(1)
