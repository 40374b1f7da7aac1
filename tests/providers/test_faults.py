"""A hostile or broken upstream costs an answer at most: never the key, the memory or the next answer."""

import asyncio
import gc
import json
import logging
import random
import tracemalloc
from pathlib import Path
from typing import cast

import pytest

from conversations.providers import (
    Clocks,
    ErrorKind,
    FinishReason,
    ProviderError,
    chat,
    complete,
    http,
    list_models,
    opening,
)
from conversations.providers.framing import LINE_LIMIT
from conversations.providers.intake import ANSWER_LIMIT, EVENTS_PER_SECOND
from conversations.providers.opening import Retries
from conversations.providers.recorded import RecordedServer, Script
from tests.providers.conftest import RawStart
from tests.providers.support import KEY, chunk, collect, endpoint, finish, head, question, sends, text

ONCE = Retries(limit=0)
SAID = b"data: " + json.dumps(chunk("kept")).encode() + b"\n\n"


async def refused(address: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await collect(chat(endpoint("openai", address), question("prompt-canary"), retries=ONCE))
    assert KEY not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
async def test_redirects_lead_nowhere(raw: RawStart, status: str) -> None:
    other, elsewhere = await raw(sends())
    for target in (elsewhere, elsewhere.replace("127.0.0.1", "localhost")):
        _, address = await raw(sends(head(f"location: {target}/v1/chat/completions", status=status)))
        assert (await refused(address)).kind is ErrorKind.BAD_RESPONSE
        with pytest.raises(ProviderError):
            await list_models(endpoint("openai", address), retries=ONCE)
    assert other.connections == 0


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "nonsense"])
async def test_packed_bodies_are_not_unpacked(raw: RawStart, status: str, coding: str) -> None:
    _, address = await raw(
        sends(head(f"content-encoding: {coding}", status=status) + b"\x1f\x8b" + b"\0" * 1000)
    )
    error = await refused(address)
    assert error.kind is (ErrorKind.BAD_RESPONSE if status.startswith("200") else ErrorKind.INVALID_REQUEST)
    assert "\0" not in error.message


async def test_identity_is_no_packing(raw: RawStart) -> None:
    _, address = await raw(sends(head("content-encoding: identity") + SAID + b"data: [DONE]\n\n"))
    assert text(await collect(chat(endpoint("openai", address), question()))) == "kept"


async def pour(writer: asyncio.StreamWriter, data: bytes, times: int) -> None:
    for _ in range(times):
        writer.write(data)
        await writer.drain()


async def test_a_huge_line_is_cut(raw: RawStart) -> None:
    async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + SAID + b"data: ")
        await pour(writer, b"x" * 65536, 3200)

    _, address = await raw(pours)
    tracemalloc.start()
    events = await collect(chat(endpoint("openai", address), question()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert text(events) == "kept"
    assert finish(events).reason is FinishReason.INTERRUPTED
    assert peak < 5_000_000


async def test_a_huge_first_line_is_cut_too(raw: RawStart) -> None:
    _, address = await raw(sends(head() + b"data: " + b"x" * (2 * LINE_LIMIT)))
    events = await collect(chat(endpoint("openai", address), question()))
    assert finish(events).reason is FinishReason.INTERRUPTED


async def test_an_endless_answer_is_cut(raw: RawStart) -> None:
    large = b"data: " + json.dumps(chunk("é" * 5000)).encode() + b"\n\n"

    async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head())
        await pour(writer, large, 10_000)

    server, address = await raw(pours)
    events = await collect(chat(endpoint("openai", address), question()))
    assert finish(events).reason is FinishReason.INTERRUPTED
    assert "512 KB" in finish(events).detail
    assert ANSWER_LIMIT - 10_000 < len(text(events).encode()) <= ANSWER_LIMIT
    assert server.connections == 1


@pytest.mark.parametrize(
    "event", [SAID, b"data: {}\n\n", b"data: nonsense\n\n"], ids=["text", "empty", "unreadable"]
)
async def test_a_flood_is_cut(raw: RawStart, event: bytes) -> None:
    async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + SAID)
        await pour(writer, event * 500, 10_000)

    _, address = await raw(pours)
    events = await collect(chat(endpoint("openai", address), question()))
    assert finish(events).reason is FinishReason.INTERRUPTED
    assert "too many events" in finish(events).detail
    assert len(events) < 10 * EVENTS_PER_SECOND


async def test_huge_error_bodies_are_not_read_whole(raw: RawStart) -> None:
    async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status="400 Bad Request", content_type="text/plain"))
        await pour(writer, b"words " * 10_000, 3000)

    _, address = await raw(pours)
    error = await refused(address)
    assert error.kind is ErrorKind.INVALID_REQUEST
    assert len(error.message) == 300


async def test_an_error_body_cut_short_still_tells(raw: RawStart) -> None:
    body = b'{"message":"too hot"}'
    _, address = await raw(sends(head("content-length: 999", status="400 Bad Request") + body))
    assert (await refused(address)).message == "too hot"


@pytest.mark.parametrize(
    ("patience", "clock", "kind"),
    [(0.1, 10.0, ErrorKind.AUTH), (10.0, 0.1, ErrorKind.TIMEOUT)],
    ids=["the status is told", "the clock is kept"],
)
async def test_an_error_body_that_never_ends_is_left(
    raw: RawStart, monkeypatch: pytest.MonkeyPatch, patience: float, clock: float, kind: ErrorKind
) -> None:
    monkeypatch.setattr(opening, "_ERROR_BODY_TIME", patience)
    left = asyncio.Event()

    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head("content-length: 999", status="401 Unauthorized"))
        await reader.read()
        left.set()

    _, address = await raw(hangs)
    with pytest.raises(ProviderError) as caught:
        await collect(chat(endpoint("openai", address), question(), clocks=Clocks(first_token=clock)))
    assert caught.value.kind is kind
    await asyncio.wait_for(left.wait(), 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\nshort",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>Sign in</html>",
        b"HTTP/1.1 200 OK\r\nretry-after: \xff\r\nmistral-correlation-id: \xfe\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_broken_http(raw: RawStart, answer: bytes) -> None:
    server, address = await raw(sends(answer))
    assert (await refused(address)).kind in {ErrorKind.NETWORK, ErrorKind.BAD_RESPONSE}
    assert server.connections == 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "not a url",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:99999",
        "http://[::",
        "http://a..b",
        "http://a\0b",
        "http://" + "a" * 300,
        "http://exa mple",
        "http://no-such-host.invalid",
    ],
)
async def test_broken_addresses(address: str) -> None:
    error = await refused(address)
    assert error.kind is ErrorKind.NETWORK
    await http.close()


async def test_a_failed_handshake_is_not_repeated() -> None:
    connections = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        writer.write(b"this is not TLS")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(ProviderError) as caught:
        await collect(chat(endpoint("openai", f"https://127.0.0.1:{port}"), question()))
    assert caught.value.kind is ErrorKind.NETWORK
    assert len(connections) == 1
    await http.close()
    server.close()


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
async def test_an_answer_before_the_question_is_read(status: str) -> None:
    """A server that stops reading must not hold back whoever closes the connection."""
    left = asyncio.Event()

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        cast(asyncio.ReadTransport, writer.transport).pause_reading()
        body = SAID + b"data: [DONE]\n\n"
        writer.write(head(f"content-length: {len(body)}", status=status) + body)
        await left.wait()
        writer.transport.abort()

    server = await asyncio.start_server(hasty, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    answer = chat(endpoint("openai", address), question("x" * 20_000_000))
    async with asyncio.timeout(2):
        if status.startswith("200"):
            assert text(await collect(answer)) == "kept"
        else:
            with pytest.raises(ProviderError, match="HTTP 400"):
                await collect(answer)
    left.set()
    await http.close()
    server.close()


async def test_cookies_are_not_kept(raw: RawStart) -> None:
    answer = head("set-cookie: company=a; path=/") + SAID + b"data: [DONE]\n\n"
    server, address = await raw(sends(answer))
    for _ in range(2):
        await collect(chat(endpoint("openai", address), question()))
    assert len(server.requests) == 2
    assert all(b"cookie" not in request.lower() for request in server.requests)


async def test_environment_proxies_are_not_used(
    server: RecordedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    answer = await complete(endpoint("mistral", server.base_url("mistral")), question())
    assert answer.finish.reason is FinishReason.COMPLETE


async def test_addresses_are_not_logged(server: RecordedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await complete(endpoint("mistral", server.base_url("mistral")), question("prompt-canary"))
    assert "127.0.0.1" not in caplog.text
    assert "prompt-canary" not in caplog.text
    assert KEY not in caplog.text


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_500_cancels_then_service(server: RecordedServer) -> None:
    where = endpoint("mistral", server.base_url("mistral"))
    await collect(chat(where, question()))
    tasks, files = len(asyncio.all_tasks()), descriptors()
    server.upstream.choose = lambda seen: Script(header_delay=60)
    chance = random.Random(7)

    async def leave() -> None:
        task = asyncio.create_task(collect(chat(where, question())))
        for _ in range(chance.randrange(25)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for _ in range(10):
        await asyncio.gather(*(leave() for _ in range(50)))
    server.upstream.choose = None
    answers = await asyncio.gather(*(collect(chat(where, question())) for _ in range(20)))
    assert all(finish(events).reason is FinishReason.COMPLETE for events in answers)
    for seen in server.upstream.log.requests:
        assert await asyncio.to_thread(seen.over.wait, 5)
    await http.close()
    gc.collect()
    async with asyncio.timeout(5):
        # The server's ends close when its thread gets to it, and a descriptor sends no event.
        while len(asyncio.all_tasks()) > tasks or descriptors() > files:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_connection_serves_again(raw: RawStart) -> None:
    body = SAID + b"data: [DONE]\n\n"
    response = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for last in (False, True):
            writer.write(response + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
            if not last:
                await reader.readuntil(b"\r\n\r\n")

    server, address = await raw(twice)
    for _ in range(2):
        assert text(await collect(chat(endpoint("openai", address), question()))) == "kept"
    assert server.connections == 1


def test_a_client_of_a_past_loop_is_replaced(tmp_path: Path) -> None:
    async def once() -> object:
        return await http.shared_client()

    first = asyncio.run(once())

    async def again() -> object:
        client = await http.shared_client()
        assert await http.shared_client() is client
        await http.close()
        return client

    assert asyncio.run(again()) is not first
