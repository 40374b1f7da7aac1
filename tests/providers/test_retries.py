"""Which requests are repeated, how often and after what wait: never one that may have been paid for."""

import json

import pytest

from conversations.providers import (
    Clocks,
    ErrorKind,
    FinishReason,
    ProviderError,
    WireName,
)
from conversations.providers.recorded import RecordedServer, Script
from tests.providers.conftest import RawStart
from tests.providers.support import (
    ALL_WIRES,
    MISTRAL_END,
    MISTRAL_TEXT,
    Waits,
    ask,
    at,
    endpoint,
    finish,
    question,
    sends,
    text,
)

COKE = question("What is Coca-Cola?")
TINY = Clocks(connect=5, first_token=5, silence=0.15, total=5)


RETRIED: list[tuple[WireName, int]] = [("cohere", 409)]
RETRIED += [(wire, status) for wire in ALL_WIRES for status in (408, 429, 500, 502, 503, 504)]
FINAL: list[tuple[WireName, int]] = [("mistral", 409), ("cohere", 498), ("cohere", 499), ("cohere", 501)]
FINAL += [(wire, status) for wire in ALL_WIRES for status in (400, 401, 402, 403, 404, 422)]


@pytest.mark.parametrize(("wire", "status"), RETRIED)
async def test_retried_statuses(server: RecordedServer, wire: WireName, status: int) -> None:
    server.upstream.scripts += [Script(status=status, raw=b"{}"), Script(status=status, raw=b"{}")]
    waits = Waits()
    assert finish(await ask(at(server, wire), waits=waits)).reason is FinishReason.COMPLETE
    assert waits == [0.5, 1.0]
    assert len(server.upstream.log.requests) == 3


@pytest.mark.parametrize(("wire", "status"), FINAL)
async def test_final_statuses(server: RecordedServer, wire: WireName, status: int) -> None:
    server.upstream.scripts.append(Script(status=status, raw=b"{}"))
    with pytest.raises(ProviderError) as caught:
        await ask(at(server, wire))
    assert caught.value.status == status
    assert len(server.upstream.log.requests) == 1


async def test_retries_end(server: RecordedServer) -> None:
    server.upstream.scripts += [Script(status=503, raw=b"{}")] * 5
    waits = Waits()
    with pytest.raises(ProviderError) as caught:
        await ask(at(server), waits=waits)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert len(server.upstream.log.requests) == 3
    assert len(waits) == 2


async def test_short_retry_after_is_honoured(server: RecordedServer) -> None:
    server.upstream.scripts.append(Script(status=429, raw=b"{}", headers={"retry-after": "2"}))
    waits = Waits()
    assert finish(await ask(at(server), waits=waits)).reason is FinishReason.COMPLETE
    assert waits == [2.0]


@pytest.mark.parametrize("value", ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"])
async def test_long_retry_after_is_told(server: RecordedServer, value: str) -> None:
    server.upstream.scripts.append(Script(status=429, raw=b"{}", headers={"retry-after": value}))
    waits = Waits()
    with pytest.raises(ProviderError) as caught:
        await ask(at(server), waits=waits)
    assert caught.value.kind is ErrorKind.RATE_LIMITED
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 3600
    assert waits == []


async def test_a_wait_beyond_the_clock_is_not_begun(server: RecordedServer) -> None:
    server.upstream.scripts.append(Script(status=429, raw=b"{}", headers={"retry-after": "9"}))
    waits = Waits()
    with pytest.raises(ProviderError):
        await ask(at(server), clocks=TINY, waits=waits)
    assert waits == []


async def test_refused_connections_are_retried() -> None:
    waits = Waits()
    with pytest.raises(ProviderError) as caught:
        await ask(endpoint(base_url="http://127.0.0.1:9"), waits=waits)
    assert (caught.value.kind, caught.value.status) == (ErrorKind.NETWORK, None)
    assert waits == [0.5, 1.0]


async def test_a_request_that_was_sent_is_not_repeated(raw: RawStart) -> None:
    server, address = await raw(sends())
    with pytest.raises(ProviderError) as caught:
        await ask(endpoint(base_url=address))
    assert caught.value.kind is ErrorKind.NETWORK
    assert server.connections == 1


@pytest.mark.parametrize("status", [400, 422])
async def test_usage_is_not_insisted_on(server: RecordedServer, status: int) -> None:
    refusal = {"error": {"message": "Unknown parameter: stream_options", "type": "invalid_request_error"}}
    server.upstream.scripts.append(Script(status=status, raw=json.dumps(refusal).encode()))
    events = await ask(at(server, "openai"), COKE)
    assert text(events) == MISTRAL_TEXT
    assert events[-1] == MISTRAL_END[-1]
    first, second = server.upstream.log.requests
    assert "stream_options" in first.body
    assert "stream_options" not in second.body


async def test_usage_is_asked_for_without_once_only(server: RecordedServer) -> None:
    refusal = Script(status=400, raw=b'{"error":"stream_options"}')
    server.upstream.scripts += [refusal, refusal]
    with pytest.raises(ProviderError):
        await ask(at(server, "openai"))
    assert len(server.upstream.log.requests) == 2
