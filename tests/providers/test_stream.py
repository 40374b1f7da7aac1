"""One answer over real HTTP: its events, and how it ends."""

import asyncio
import json
from dataclasses import replace

import pytest

from conversations.providers import (
    ChatMessage,
    ChatRequest,
    ErrorKind,
    Event,
    Finished,
    FinishReason,
    Parameters,
    ProviderError,
    ResponseStarted,
    WireName,
    complete,
)
from conversations.providers import stream as stream_module
from conversations.providers.recorded import RecordedServer, Script
from tests.providers.conftest import RawStart
from tests.providers.support import (
    ALL_WIRES,
    COHERE_END,
    COHERE_TEXT,
    KEY,
    MISTRAL_END,
    MISTRAL_TEXT,
    ask,
    at,
    chunk,
    endpoint,
    finish,
    head,
    question,
    sends,
    text,
)

COKE = question("What is Coca-Cola?")
TOKENS = tuple(f"t{number} " for number in range(20))


@pytest.mark.parametrize(
    ("wire", "expected", "end"),
    [
        ("mistral", MISTRAL_TEXT, MISTRAL_END),
        ("cohere", COHERE_TEXT, COHERE_END),
        ("openai", MISTRAL_TEXT, MISTRAL_END),
    ],
)
@pytest.mark.parametrize(
    "script",
    [
        Script(),
        Script(crlf=True),
        Script(comment="keep-alive"),
        Script(sizes=(1, 7, 1000)),
        Script(sizes=(13,)),
        Script(crlf=True, comment="PROCESSING", sizes=(501, 3)),
    ],
    ids=["plain", "crlf", "comments", "growing reads", "small reads", "all"],
)
async def test_recordings(
    server: RecordedServer, wire: WireName, expected: str, end: list[Event], script: Script
) -> None:
    server.upstream.scripts.append(script)
    events = await ask(at(server, wire), COKE)
    assert text(events) == expected
    assert events[-2:] == end
    assert isinstance(events[0], ResponseStarted)
    assert sum(isinstance(event, ResponseStarted) for event in events) == 1


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_complete_with_thinking(server: RecordedServer, wire: WireName) -> None:
    server.upstream.scripts.append(Script(pieces=("a", "b"), thinking=("h", "m")))
    answer = await complete(at(server, wire), question())
    assert (answer.reasoning, answer.text) == ("hm", "ab")


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_complete(server: RecordedServer, wire: WireName) -> None:
    answer = await complete(at(server, wire), COKE)
    assert answer.text == (COHERE_TEXT if wire == "cohere" else MISTRAL_TEXT)
    assert [answer.usage, answer.finish] == (COHERE_END if wire == "cohere" else MISTRAL_END)
    assert answer.request_id
    seen = server.upstream.log.requests[0]
    assert seen.body["stream"] is False
    assert seen.headers["accept"] == "application/json"


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_what_is_sent(server: RecordedServer, wire: WireName) -> None:
    await ask(at(server, wire), replace(COKE, system="You are “nice”."))
    seen = server.upstream.log.requests[0]
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["accept"] == "text/event-stream"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["content-type"] == "application/json"
    assert "cookie" not in seen.headers
    assert seen.body["messages"][0] == {"role": "system", "content": "You are “nice”."}


async def test_a_long_conversation_arrives_whole(server: RecordedServer) -> None:
    long = "é" * 1_000_000
    await ask(at(server), question(long))
    seen = server.upstream.log.requests[0]
    assert seen.body["messages"][0]["content"] == long
    assert int(seen.headers["content-length"]) > 2_000_000
    assert "transfer-encoding" not in seen.headers


async def test_no_key_no_header(server: RecordedServer) -> None:
    await ask(replace(at(server), api_key=""))
    assert "authorization" not in server.upstream.log.requests[0].headers


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_thinking_and_surrogates(server: RecordedServer, wire: WireName) -> None:
    server.upstream.scripts.append(
        Script(pieces=("\ud83c", "\udf0d", "\0", "é"), thinking=("\ud83c", "\udf0d"))
    )
    events = await ask(at(server, wire))
    assert [type(event).__name__ for event in events[1:-2]] == ["ReasoningDelta", "TextDelta", "TextDelta"]
    assert [event.text for event in events if hasattr(event, "text")] == ["🌍", "🌍", "é"]


@pytest.mark.parametrize("wire", ALL_WIRES)
@pytest.mark.parametrize("pieces", [("new",), ("old text", "new"), ("old ", "text", "new")])
async def test_continuing_yields_the_new_part(
    server: RecordedServer, wire: WireName, pieces: tuple[str, ...]
) -> None:
    server.upstream.scripts.append(Script(pieces=pieces))
    request = ChatRequest(
        "m", (ChatMessage("user", "a"), ChatMessage("assistant", "old text")), continue_last=True
    )
    assert text(await ask(at(server, wire), request)) == "new"


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_error_inside_the_stream(server: RecordedServer, wire: WireName) -> None:
    boom = {"error": {"message": "boom", "type": "server_error", "code": 503}}
    server.upstream.scripts += [
        Script(pieces=TOKENS, error=boom, error_after=3),
        Script(pieces=TOKENS, error=boom),
    ]
    events = await ask(at(server, wire))
    assert text(events) == "t0 t1 t2 "
    assert finish(events) == Finished(FinishReason.ERROR, "boom")
    with pytest.raises(ProviderError) as caught:
        await ask(at(server, wire))
    assert (caught.value.kind, caught.value.status) == (ErrorKind.UNAVAILABLE, 503)
    assert len(server.upstream.log.requests) == 2


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_clean_end_without_a_marker(server: RecordedServer, wire: WireName) -> None:
    server.upstream.scripts += [Script(finish=None), Script(pieces=TOKENS, finish=None)]
    assert finish(await ask(at(server, wire), COKE)).reason is FinishReason.INTERRUPTED
    events = await ask(at(server, wire))
    assert text(events) == "".join(TOKENS)
    assert finish(events).reason is FinishReason.INTERRUPTED


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_connection_cut(server: RecordedServer, wire: WireName) -> None:
    server.upstream.scripts += [Script(pieces=TOKENS, cut_after=1500), Script(pieces=TOKENS, cut_after=30)]
    events = await ask(at(server, wire))
    assert "".join(TOKENS).startswith(text(events))
    assert text(events)
    assert finish(events).reason is FinishReason.INTERRUPTED
    with pytest.raises(ProviderError) as caught:
        await ask(at(server, wire))
    assert caught.value.kind is ErrorKind.NETWORK
    assert caught.value.retriable
    assert len(server.upstream.log.requests) == 2


async def test_finish_marker_before_a_cut_counts(raw: RawStart) -> None:
    body = b"".join(
        b"data: " + json.dumps(each).encode() + b"\n\n" for each in (chunk("a"), chunk(None, "stop"))
    )
    chunked = head("transfer-encoding: chunked") + b"%x\r\n%b\r\n" % (len(body), body)
    _, address = await raw(sends(chunked))
    assert finish(await ask(endpoint("openai", address))) == Finished(FinishReason.COMPLETE)


async def test_a_server_that_stays_after_the_finish(raw: RawStart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_AFTER_FINISH", 0.05)

    async def stays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = b"".join(
            b"data: " + json.dumps(each).encode() + b"\n\n" for each in (chunk("a"), chunk(None, "stop"))
        )
        writer.write(head() + body)
        await reader.read()

    _, address = await raw(stays)
    assert finish(await ask(endpoint("openai", address))) == Finished(FinishReason.COMPLETE)


async def test_parameters_reach_the_wire(server: RecordedServer) -> None:
    await ask(at(server, "cohere"), replace(question(), parameters=Parameters(top_p=0.5, stop=("x",))))
    body = server.upstream.log.requests[0].body
    assert body["p"] == 0.5
    assert body["stop_sequences"] == ["x"]
    assert None not in body.values()


async def test_parallel_answers(server: RecordedServer) -> None:
    answers = await asyncio.gather(*(ask(at(server, wire), COKE) for wire in ALL_WIRES * 67))
    assert len(answers) == 201
    assert {text(events) for events in answers} == {MISTRAL_TEXT, COHERE_TEXT}


async def test_a_reading_tells_whether_the_connection_held_more(raw: RawStart) -> None:
    long = "x" * 40_000  # more than one reading takes
    body = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in (chunk(long), chunk("", "stop")))
    _, address = await raw(sends(head(), body + b"data: [DONE]\n\n"))
    batches = [batch async for batch in stream_module.batches(endpoint("openai", address), COKE)]
    assert batches[0].more
    assert not batches[-1].more
    assert text([event for batch in batches for event in batch.events]) == long
