"""The recorded upstream says what was recorded, in the wire's own form, and is honest about the rest."""

import asyncio
import hashlib
import json
import threading
from dataclasses import replace

import httpx
import pytest

from conversations.providers import (
    ChatMessage,
    ChatRequest,
    Endpoint,
    Finished,
    FinishReason,
    Parameters,
    UsageReport,
    WireName,
    chat,
    http,
)
from conversations.providers.recorded import Pace, RecordedServer, RecordedUpstream, base_url, serve
from tests.providers.support import (
    ALL_WIRES,
    MISTRAL_TEXT,
    collect,
    endpoint,
    finish,
    question,
    recording,
    text,
    thinking,
)

SHA256 = {
    "mistral-chat.stream.txt": "1bb81603667fbafe687ca03fb2cf5d0dca428b9dc60beb41d57e0e243a3556fa",
    "cohere-chat.stream.jsonl": "e222644a3087d9d9a4be44adbbd39fd929c3cb9c63a14fc03da1d64c3f878deb",
    "mistral-chat.response.json": "936c38955bbe38f49359ac1cac0727be6497f0dd68c49bec441505f485993e75",
}
COKE = question("what is coca cola").messages


def at(server: RecordedServer, wire: WireName) -> Endpoint:
    return endpoint(wire, server.base_url(wire))


async def post(
    server: RecordedServer, path: str, body: object, accept: str = "text/event-stream"
) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        address = server.base_url("mistral").removesuffix("/mistral") + path
        return await client.post(address, json=body, headers={"accept": accept})


def asked(text: str = "What is Coca-Cola?", **more: object) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


@pytest.mark.parametrize("name", SHA256)
def test_recordings_are_untouched(name: str) -> None:
    assert hashlib.sha256(recording(name)).hexdigest() == SHA256[name]


async def test_mistral_bytes(server: RecordedServer) -> None:
    response = await post(server, "/mistral/v1/chat/completions", asked(stream=True))
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.content.rstrip() == recording("mistral-chat.stream.txt").rstrip()


async def test_cohere_bytes(server: RecordedServer) -> None:
    lines = await post(server, "/cohere/v2/chat", asked(stream=True), accept="application/json")
    assert lines.headers["content-type"] == "application/stream+json"
    assert lines.content.rstrip() == recording("cohere-chat.stream.jsonl").rstrip()
    events = await post(server, "/cohere/v2/chat", asked(stream=True))
    assert events.text.startswith('event: message-start\ndata: {"id":')
    assert events.text.endswith("data: [DONE]\n\n")


async def test_openai_usage_comes_when_asked_for(server: RecordedServer) -> None:
    path = "/openai/v1/chat/completions"
    without = await post(server, path, asked(stream=True))
    assert "usage" not in without.text
    asked_for = await post(server, path, asked(stream=True, stream_options={"include_usage": True}))
    chunks = [json.loads(line[6:]) for line in asked_for.text.splitlines() if line.startswith("data: {")]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == 100


@pytest.mark.parametrize("spelling", ["what is coca cola", "What is Coca-Cola?", "  WHAT IS… coca  COLA!"])
async def test_spelling_does_not_matter(server: RecordedServer, spelling: str) -> None:
    assert text(await collect(chat(at(server, "mistral"), question(spelling)))) == MISTRAL_TEXT


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_cheese(server: RecordedServer, wire: WireName) -> None:
    events = await collect(chat(at(server, wire), question("What is the best French cheese?")))
    assert "Comté" in text(events)
    assert finish(events).reason is FinishReason.COMPLETE
    usage = next(event for event in events if isinstance(event, UsageReport))
    assert (usage.prompt_tokens, usage.completion_tokens) == (15, 65)


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_other_questions_get_an_honest_answer(server: RecordedServer, wire: WireName) -> None:
    events = await collect(chat(at(server, wire), question("Who are you?")))
    said = text(events)
    assert "No API key is set" in said
    for form in ("## ", "\n- ", "| --- |", "```python\n"):
        assert form in said
    usage = next(event for event in events if isinstance(event, UsageReport))
    assert usage.prompt_tokens == 3
    assert finish(events) == Finished(FinishReason.COMPLETE)


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_max_tokens(server: RecordedServer, wire: WireName) -> None:
    request = replace(question(), parameters=Parameters(max_tokens=5))
    events = await collect(chat(at(server, wire), request))
    assert text(events) == "## A recorded answer\n\nNo"
    assert finish(events).reason is FinishReason.LENGTH
    assert next(event for event in events if isinstance(event, UsageReport)).completion_tokens == 5


@pytest.mark.parametrize(
    ("wire", "request_"),
    [
        ("mistral", replace(question(), parameters=Parameters(reasoning_effort="high"))),
        ("openai", replace(question(), parameters=Parameters(reasoning_effort="low"))),
        ("mistral", question(model="magistral-medium-latest")),
        ("cohere", question(model="command-a-reasoning-08-2025")),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_thinking_comes_first(
    server: RecordedServer, wire: WireName, request_: ChatRequest, stream: bool
) -> None:
    events = await collect(chat(at(server, wire), replace(request_, stream=stream)))
    assert thinking(events).startswith("The question")
    assert type(events[1]).__name__ == "ReasoningDelta"
    assert "No API key is set" in text(events)


async def test_no_thinking_when_not_wanted(server: RecordedServer) -> None:
    request = replace(question(), parameters=Parameters(reasoning_effort="none"))
    assert thinking(await collect(chat(at(server, "mistral"), request))) == ""


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_a_recorded_answer_can_be_continued(server: RecordedServer, wire: WireName) -> None:
    first = text(await collect(chat(at(server, wire), ChatRequest("m", COKE))))
    stopped = first[: len(first) // 2]
    for said in (stopped, first):
        messages = (*COKE, ChatMessage("assistant", said))
        events = await collect(chat(at(server, wire), ChatRequest("m", messages, continue_last=True)))
        more = text(events)
        assert more
        assert finish(events) == Finished(FinishReason.COMPLETE)
        assert (said + more).startswith(first)
        if wire != "cohere":
            assert "one of the most recognizable brands in the world" in said + more


async def test_what_was_never_said_cannot_be_continued(server: RecordedServer) -> None:
    messages = (ChatMessage("user", "hi"), ChatMessage("assistant", "something else"))
    events = await collect(chat(at(server, "cohere"), ChatRequest("m", messages, continue_last=True)))
    assert "the recorded answer ends" in text(events)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/mistral/v1/chat", {}, 404),
        ("/elsewhere/v1/chat/completions", {}, 404),
        ("/mistral/v1/chat/completions", {}, 400),
        ("/mistral/v1/chat/completions", {"messages": "x"}, 400),
        ("/mistral/v1/chat/completions", [], 400),
        ("/mistral/v1/chat/completions", {"messages": [], "max_tokens": True}, 200),
        ("/mistral/v1/chat/completions", {"messages": [3, {"role": 1, "content": [{"text": "x"}, 2]}]}, 200),
    ],
)
async def test_odd_requests(server: RecordedServer, path: str, body: object, status: int) -> None:
    assert (await post(server, path, body)).status_code == status


def test_one_shared_server_on_loopback_only() -> None:
    with_threads: list[str] = []
    threads = [threading.Thread(target=lambda: with_threads.append(base_url("mistral"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(with_threads)) == 1
    assert with_threads[0].startswith("http://127.0.0.1:")
    assert base_url("cohere") == with_threads[0].replace("/mistral", "/cohere")


async def test_pace() -> None:
    server = serve(RecordedUpstream(pace=Pace(first_token=0.1, rate=200)))
    request = replace(question(), parameters=Parameters(max_tokens=20))
    loop = asyncio.get_running_loop()
    start = loop.time()
    times = [
        loop.time() - start async for event in chat(at(server, "mistral"), request) if hasattr(event, "text")
    ]
    await http.close()
    server.close()
    assert times[0] >= 0.1
    assert times[-1] - times[0] >= 19 / 200 * 0.9
    assert times == sorted(times)


def test_the_human_pace_is_the_default() -> None:
    assert RecordedUpstream().pace == Pace(0.3, 40.0)
