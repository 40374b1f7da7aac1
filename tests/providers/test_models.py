"""The lists of models, as each provider writes them."""

import asyncio
import json

import pytest

from conversations.providers import Clocks, ErrorKind, ModelInfo, ProviderError, WireName, list_models
from conversations.providers import stream as stream_module
from conversations.providers.opening import Retries
from conversations.providers.recorded import RecordedServer, Script
from tests.providers.conftest import RawStart
from tests.providers.support import ALL_WIRES, endpoint, head


def mistral(name: object, **more: object) -> dict[str, object]:
    return {
        "id": name,
        "max_context_length": 32768,
        "capabilities": {"completion_chat": True, "vision": False},
        **more,
    }


MISTRAL = {
    "data": [
        mistral("large-2", aliases=["large-latest"]),
        mistral("large-latest", aliases=["large-2"]),
        mistral("large-2"),
        mistral("embed", capabilities={"completion_chat": False}),
        mistral("old", archived=True),
        mistral("tuned", archived=False, capabilities={"completion_chat": True, "reasoning": True}),
        mistral(None),
        mistral(["x"]),
        mistral("odd", max_context_length="many", capabilities={"completion_chat": True}, aliases=None),
        mistral("none", capabilities=None),
        "text",
        None,
    ]
}
COHERE = {
    "models": [
        {
            "name": "a",
            "endpoints": ["chat", "rerank"],
            "context_length": 128000.0,
            "features": ["vision", "tools", None],
        },
        {"name": "b", "endpoints": ["embed"], "context_length": 512},
        {"name": "c", "features": None},
        {"name": "d", "is_deprecated": True},
        {"endpoints": ["chat"]},
        7,
    ]
}
OPENAI = {
    "data": [
        {"id": "vllm", "max_model_len": 4096},
        {"id": "llama", "meta": {"n_ctx": 2048, "n_ctx_train": 8192}},
        {"id": "llama-2", "meta": {"n_ctx_train": 8192}},
        {"id": "ollama", "meta": None},
        {"id": "vllm"},
        {"object": "model"},
    ],
    "models": [{"name": "llama"}],
}
EXPECTED: dict[WireName, list[ModelInfo]] = {
    "mistral": [
        ModelInfo("large-2", 32768, ("chat",)),
        ModelInfo("tuned", 32768, ("chat", "reasoning")),
        ModelInfo("odd", None, ("chat",)),
    ],
    "cohere": [ModelInfo("a", 128000, ("tools", "vision")), ModelInfo("c")],
    "openai": [
        ModelInfo("vllm", 4096),
        ModelInfo("llama", 2048),
        ModelInfo("llama-2", 8192),
        ModelInfo("ollama"),
    ],
}


def listing(value: object) -> Script:
    return Script(raw=json.dumps(value).encode(), headers={"content-type": "application/json"})


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_lists(server: RecordedServer, wire: WireName) -> None:
    server.upstream.scripts.append(listing({"mistral": MISTRAL, "cohere": COHERE, "openai": OPENAI}[wire]))
    assert await list_models(endpoint(wire, server.base_url(wire))) == EXPECTED[wire]
    seen = server.upstream.log.requests[0]
    assert (seen.method, seen.path) == ("GET", f"/{wire}/v1/models")
    assert "content-type" not in seen.headers


@pytest.mark.parametrize("wire", ALL_WIRES)
async def test_the_recorded_upstream_lists_too(server: RecordedServer, wire: WireName) -> None:
    assert await list_models(endpoint(wire, server.base_url(wire)))


async def test_cohere_pages(server: RecordedServer) -> None:
    server.upstream.scripts += [
        listing({"models": [{"name": "a"}], "next_page_token": "p&2"}),
        listing({"models": [{"name": "b"}], "next_page_token": None}),
    ]
    assert await list_models(endpoint("cohere", server.base_url("cohere"))) == [
        ModelInfo("a"),
        ModelInfo("b"),
    ]
    queries = [seen.query for seen in server.upstream.log.requests]
    assert queries == ["endpoint=chat&page_size=1000", "endpoint=chat&page_size=1000&page_token=p%262"]


async def test_endless_pages_end(server: RecordedServer) -> None:
    server.upstream.choose = lambda seen: listing({"models": [], "next_page_token": "more"})
    assert await list_models(endpoint("cohere", server.base_url("cohere"))) == []
    assert len(server.upstream.log.requests) == 20


@pytest.mark.parametrize("raw", [b"", b"[]", b"<html>", b'{"data": ' + b"[" * 100_000])
async def test_unreadable_lists(server: RecordedServer, raw: bytes) -> None:
    server.upstream.scripts.append(Script(raw=raw))
    with pytest.raises(ProviderError) as caught:
        await list_models(endpoint("mistral", server.base_url("mistral")))
    assert caught.value.kind is ErrorKind.BAD_RESPONSE


async def test_a_list_without_end(server: RecordedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_LIST_LIMIT", 1000)
    server.upstream.scripts.append(listing({"data": [], "x": "y" * 1000}))
    with pytest.raises(ProviderError) as caught:
        await list_models(endpoint("mistral", server.base_url("mistral")))
    assert caught.value.kind is ErrorKind.BAD_RESPONSE


@pytest.mark.parametrize(("cut", "kind"), [(True, ErrorKind.NETWORK), (False, ErrorKind.TIMEOUT)])
async def test_a_list_that_stops(raw: RawStart, cut: bool, kind: ErrorKind) -> None:
    async def stops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head("content-length: 999", content_type="application/json") + b'{"data": [')
        if not cut:
            await reader.read()

    _, address = await raw(stops)
    with pytest.raises(ProviderError) as caught:
        await list_models(endpoint("openai", address), clocks=Clocks(first_token=0.2))
    assert (caught.value.kind, caught.value.retriable) == (kind, True)


async def test_a_server_without_a_list(server: RecordedServer) -> None:
    server.upstream.scripts.append(Script(status=404, raw=b"{}"))
    with pytest.raises(ProviderError) as caught:
        await list_models(endpoint("openai", server.base_url("openai")), retries=Retries(limit=0))
    assert caught.value.status == 404
