"""What is sent: the right names on each wire, nothing that was not chosen, never null."""

import json
from dataclasses import fields, replace

import pytest

from conversations.providers import (
    WIRES,
    ChatMessage,
    ChatRequest,
    ErrorKind,
    Parameters,
    ProviderError,
    WireName,
)
from conversations.providers.addressing import headers
from conversations.providers.continuing import CONTINUE_REQUEST
from tests.providers.support import ALL_WIRES, KEY, endpoint, question

FULL = Parameters(
    temperature=0.0,
    top_p=0.5,
    max_tokens=100,
    stop=("END", "STOP"),
    seed=0,
    presence_penalty=0.0,
    frequency_penalty=0.1,
    safe_prompt=False,
    k=0,
    reasoning_effort="high",
)
SHARED = {"temperature": 0.0, "max_tokens": 100, "presence_penalty": 0.0, "frequency_penalty": 0.1}
NAMED: dict[WireName, dict[str, object]] = {
    "mistral": {
        **SHARED,
        "top_p": 0.5,
        "stop": ["END", "STOP"],
        "random_seed": 0,
        "safe_prompt": False,
        "reasoning_effort": "high",
    },
    "cohere": {**SHARED, "p": 0.5, "stop_sequences": ["END", "STOP"], "seed": 0, "k": 0},
    "openai": {**SHARED, "top_p": 0.5, "stop": ["END", "STOP"], "seed": 0, "reasoning_effort": "high"},
}
ALWAYS = {"model", "messages", "stream"}


@pytest.mark.parametrize("wire", ALL_WIRES)
def test_only_what_is_set_is_sent(wire: WireName) -> None:
    body = WIRES[wire].body(question())
    assert set(body) - {"stream_options"} == ALWAYS
    assert body["messages"] == [{"role": "user", "content": "hello"}]
    for field in fields(Parameters):
        only = Parameters(**{field.name: getattr(FULL, field.name)})
        sent = WIRES[wire].body(replace(question(), parameters=only))
        assert set(sent) - {"stream_options"} - ALWAYS <= set(NAMED[wire])
        assert len(sent) - len(body) <= 1
        assert "null" not in json.dumps(sent)


@pytest.mark.parametrize("wire", ALL_WIRES)
def test_names_on_the_wire(wire: WireName) -> None:
    body = WIRES[wire].body(replace(question(), parameters=FULL))
    assert {key: value for key, value in body.items() if key not in ALWAYS | {"stream_options"}} == NAMED[
        wire
    ]


def test_usage_is_asked_for_where_it_does_not_come_by_itself() -> None:
    assert WIRES["openai"].body(question())["stream_options"] == {"include_usage": True}
    assert "stream_options" not in WIRES["openai"].body(replace(question(), stream=False))
    assert "stream_options" not in WIRES["mistral"].body(question())
    assert "stream_options" not in WIRES["cohere"].body(question())


def test_the_recorded_request() -> None:
    request = ChatRequest(
        "mistral-large-latest",
        (
            ChatMessage("user", "hello"),
            ChatMessage("assistant", "hello how can I help you"),
            ChatMessage("user", "what is Coca Cola"),
        ),
        "You are an assistant for the company Coca Cola ",
        Parameters(temperature=0.7, top_p=1, max_tokens=100),
    )
    assert WIRES["mistral"].body(request) == {
        "model": "mistral-large-latest",
        "messages": [
            {"role": "system", "content": "You are an assistant for the company Coca Cola "},
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": "hello how can I help you"},
            {"role": "user", "content": "what is Coca Cola"},
        ],
        "temperature": 0.7,
        "top_p": 1,
        "max_tokens": 100,
        "stream": True,
    }


@pytest.mark.parametrize("wire", ALL_WIRES)
def test_continuing(wire: WireName) -> None:
    request = replace(
        question(), messages=(ChatMessage("user", "a"), ChatMessage("assistant", "b")), continue_last=True
    )
    sent = WIRES[wire].body(request)["messages"]
    if wire == "mistral":
        assert sent[-1] == {"role": "assistant", "content": "b", "prefix": True}
    else:
        assert sent[-2:] == [
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": CONTINUE_REQUEST},
        ]


@pytest.mark.parametrize("wire", ALL_WIRES)
def test_nothing_to_continue_is_a_plain_question(wire: WireName) -> None:
    request = replace(
        question(), messages=(ChatMessage("user", "a"), ChatMessage("assistant", " ")), continue_last=True
    )
    assert WIRES[wire].body(request)["messages"] == [{"role": "user", "content": "a"}]


@pytest.mark.parametrize("wire", ALL_WIRES)
def test_what_no_encoder_takes_is_cleaned(wire: WireName) -> None:
    assert WIRES[wire].body(question("a\ud83c\0b"))["messages"][0]["content"] == "a\ufffdb"


@pytest.mark.parametrize(
    ("wire", "base", "chat", "models"),
    [
        ("mistral", "https://h", "https://h/v1/chat/completions", "https://h/v1/models"),
        ("mistral", "https://h/v1/", "https://h/v1/chat/completions", "https://h/v1/models"),
        ("openai", "http://h:8080", "http://h:8080/v1/chat/completions", "http://h:8080/v1/models"),
        ("openai", "http://h/v1", "http://h/v1/chat/completions", "http://h/v1/models"),
        ("openai", "http://h/api/v3/", "http://h/api/v3/chat/completions", "http://h/api/v3/models"),
        ("openai", " http://h/openai ", "http://h/openai/v1/chat/completions", "http://h/openai/v1/models"),
        ("cohere", "https://h", "https://h/v2/chat", "https://h/v1/models?endpoint=chat&page_size=1000"),
        ("cohere", "https://h/v2/", "https://h/v2/chat", "https://h/v1/models?endpoint=chat&page_size=1000"),
        ("cohere", "https://h/v1", "https://h/v2/chat", "https://h/v1/models?endpoint=chat&page_size=1000"),
    ],
)
def test_addresses(wire: WireName, base: str, chat: str, models: str) -> None:
    assert WIRES[wire].chat_url(endpoint(wire, base)) == chat
    assert WIRES[wire].models_url(endpoint(wire, base)) == models


def test_cohere_page_token_is_escaped() -> None:
    assert WIRES["cohere"].models_url(endpoint("cohere", "https://h"), "a&b").endswith("&page_token=a%26b")


def test_headers() -> None:
    assert headers(endpoint(), accept="text/event-stream") == {
        "Accept": "text/event-stream",
        "Accept-Encoding": "identity",
        "Authorization": f"Bearer {KEY}",
    }
    assert "Authorization" not in headers(endpoint(key=""), accept="*/*")


@pytest.mark.parametrize("key", ["a\nb", "a\0", "clé", "\u2028"])
def test_a_key_that_no_header_carries_is_refused(key: str) -> None:
    with pytest.raises(ProviderError) as caught:
        headers(endpoint(key=key), accept="*/*")
    assert caught.value.kind is ErrorKind.AUTH
    assert key not in str(caught.value)


def test_the_key_is_absent_from_representations() -> None:
    assert KEY not in repr(endpoint())
    assert KEY not in str(endpoint())


GOOD: dict[WireName, list[Parameters]] = {
    "mistral": [Parameters(), Parameters(temperature=1.5, top_p=1, max_tokens=1, seed=0, safe_prompt=True)],
    "cohere": [Parameters(temperature=1, top_p=0.99, k=500, seed=2**64 - 1, stop=("a",) * 5)],
    "openai": [Parameters(temperature=2, top_p=1, presence_penalty=-2, reasoning_effort="minimal")],
}
BAD: list[tuple[WireName, Parameters, str]] = [
    ("mistral", Parameters(temperature=1.6), "temperature"),
    ("mistral", Parameters(temperature=-0.1), "temperature"),
    ("mistral", Parameters(temperature=float("nan")), "temperature"),
    ("mistral", Parameters(top_p=0), "top_p"),
    ("mistral", Parameters(max_tokens=0), "max_tokens"),
    ("mistral", Parameters(seed=-1), "seed"),
    ("mistral", Parameters(k=1), "k"),
    ("mistral", Parameters(presence_penalty=2.1), "presence_penalty"),
    ("mistral", Parameters(reasoning_effort="extreme"), "reasoning_effort"),
    ("mistral", Parameters(stop=("",)), "stop"),
    ("cohere", Parameters(temperature=1.1), "temperature"),
    ("cohere", Parameters(top_p=1), "top_p"),
    ("cohere", Parameters(top_p=0), "top_p"),
    ("cohere", Parameters(k=501), "k"),
    ("cohere", Parameters(seed=2**64), "seed"),
    ("cohere", Parameters(frequency_penalty=-1), "frequency_penalty"),
    ("cohere", Parameters(stop=("a",) * 6), "stop"),
    ("cohere", Parameters(safe_prompt=True), "safe_prompt"),
    ("cohere", Parameters(reasoning_effort="high"), "reasoning_effort"),
    ("openai", Parameters(safe_prompt=False), "safe_prompt"),
    ("openai", Parameters(k=1), "k"),
    ("openai", Parameters(temperature=float("inf")), "temperature"),
    ("openai", Parameters(max_tokens=True), "max_tokens"),
]


@pytest.mark.parametrize("wire", ALL_WIRES)
def test_good_parameters(wire: WireName) -> None:
    for parameters in GOOD[wire]:
        assert WIRES[wire].check_parameters(parameters) == {}


@pytest.mark.parametrize(("wire", "parameters", "field"), BAD)
def test_bad_parameters(wire: WireName, parameters: Parameters, field: str) -> None:
    complaints = WIRES[wire].check_parameters(parameters)
    assert list(complaints) == [field]
    assert complaints[field].endswith(".")


@pytest.mark.parametrize(
    ("wire", "parameters", "message"),
    [
        ("mistral", Parameters(temperature=3), "Enter a number from 0 to 1.5."),
        ("mistral", Parameters(top_p=0), "Enter a number above 0 and up to 1."),
        ("mistral", Parameters(max_tokens=0), "Enter 1 or more."),
        ("cohere", Parameters(safe_prompt=True), "Cohere does not know this setting. Leave it empty."),
    ],
)
def test_what_bad_parameters_say(wire: WireName, parameters: Parameters, message: str) -> None:
    assert list(WIRES[wire].check_parameters(parameters).values()) == [message]
