"""What payloads mean on each wire, and that no payload, however odd, breaks the reading."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.providers import (
    Event,
    Finished,
    FinishReason,
    ProviderError,
    ReasoningDelta,
    ResponseStarted,
    TextDelta,
    UsageReport,
    WireName,
)
from conversations.providers.framing import EVENT_LIMIT
from conversations.providers.thinking import ThinkTags
from tests.providers.payloads import block, delta, ending, sse
from tests.providers.support import ALL_WIRES, chunk, finish, recording, taken, text, thinking

THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ([delta(content=[THOUGHT]), delta(content="a")], [ReasoningDelta("hm"), TextDelta("a")]),
        ([delta(content=[THOUGHT, {"type": "text", "text": "a"}])], [ReasoningDelta("hm"), TextDelta("a")]),
        ([delta(content=[{"type": "thinking", "thinking": "hm"}])], [ReasoningDelta("hm")]),
        (
            [delta(content=[{"type": "reference", "reference_ids": [1]}, 3, None, "x"]), delta(content="a")],
            [TextDelta("a")],
        ),
        ([delta(role="assistant", content=None), delta(content="a"), delta()], [TextDelta("a")]),
        ([delta(1, content="other"), delta(content="a")], [TextDelta("a")]),
        ([delta(content="<think>no</think>")], [TextDelta("<think>no</think>")]),
        ([delta(content="\ud83c"), delta(content="\udf0d")], [TextDelta("🌍")]),
        ([delta(content="a\0b"), delta(content="\0")], [TextDelta("ab")]),
        ([delta(content="a", p="xxxx"), b"", b"not json", b"[1]", b"7", b"null"], [TextDelta("a")]),
        ([delta(content="a", tool_calls=[{"id": "null"}])], [TextDelta("a")]),
        ([b'{"choices":[{"delta":{"content":"a"}}],"n":' + b"9" * 5000 + b"}"], [TextDelta("a")]),
        ([b'{"choices":[{"delta":{"content":"a"}}],"n":NaN,"m":-Infinity}'], [TextDelta("a")]),
        ([b"[" * 100_000, delta(content="a")], [TextDelta("a")]),
        ([b'{"choices":[{"delta":{"content":"x","content":"a"}}]}'], [TextDelta("a")]),
    ],
)
def test_mistral_deltas(payloads: list[Any], expected: list[Event]) -> None:
    events = taken("mistral", [sse(*payloads, chunk("", "stop"))])
    assert events[1:-1] == expected
    assert finish(events).reason is FinishReason.COMPLETE


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ([delta(reasoning_content="hm"), delta(content="a")], [ReasoningDelta("hm"), TextDelta("a")]),
        ([delta(reasoning="hm"), delta(content="a")], [ReasoningDelta("hm"), TextDelta("a")]),
        (
            [delta(content="<thi"), delta(content="nk>hm</th"), delta(content="ink>\n\na")],
            [ReasoningDelta("hm"), TextDelta("a")],
        ),
        ([delta(content="so <think>a</think>")], [TextDelta("so <think>a</think>")]),
        ([delta(content="<table>")], [TextDelta("<table>")]),
        ([delta(content="a"), {**delta(), "choices": [], "usage": None}], [TextDelta("a")]),
        ([delta(content="a"), {"timings": {}}], [TextDelta("a")]),
    ],
)
def test_openai_deltas(payloads: list[Any], expected: list[Event]) -> None:
    events = taken("openai", [sse(*payloads, delta(), chunk(None, "stop"))])
    assert events[1:-1] == expected
    assert finish(events) == Finished(FinishReason.COMPLETE)


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        (
            [block({"type": "text", "text": "a"}, "content-start"), block({"text": "b"})],
            [TextDelta("a"), TextDelta("b")],
        ),
        ([block({"type": "text"}, "content-start"), block({"text": "b"})], [TextDelta("b")]),
        ([block({"thinking": "hm"}), block({"text": "a"}, index=1)], [ReasoningDelta("hm"), TextDelta("a")]),
        ([{"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "hm"}}}], [ReasoningDelta("hm")]),
        (
            [
                {"type": "debug", "prompt": "x"},
                {"type": "citation-start"},
                {"type": "new"},
                block({"text": "a"}),
            ],
            [TextDelta("a")],
        ),
        ([{"type": "content-delta"}, {"type": "content-delta", "delta": 3}, block({"text": 3})], []),
    ],
)
def test_cohere_deltas(payloads: list[Any], expected: list[Event]) -> None:
    start = {"type": "message-start", "id": "c1"}
    events = taken("cohere", [sse(start, *payloads, ending(finish_reason="COMPLETE"))])
    assert events[0] == ResponseStarted("c1", None)
    assert events[1:-1] == expected
    assert finish(events).reason is FinishReason.COMPLETE


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain"])
def test_whole_answers(content_type: str) -> None:
    events = taken("mistral", [recording("mistral-chat.response.json")], content_type)
    assert text(events).startswith("There are many excellent French cheeses")
    assert "Comté" in text(events)
    assert events[-2:] == [UsageReport(15, 65), Finished(FinishReason.COMPLETE)]
    assert events[0] == ResponseStarted("cmpl-e5cc70bb28c444948073e77776eb30ef", "mistral-large-latest")


def test_whole_answer_with_thinking() -> None:
    message = {"role": "user", "content": [THOUGHT, {"type": "text", "text": "a"}]}
    body = json.dumps({"id": "c1", "choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    events = taken("mistral", [body], "application/json")
    assert (thinking(events), text(events)) == ("hm", "a")


@pytest.mark.parametrize(
    ("content", "expected"),
    [([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}], "a"), ("a", "a"), (None, "")],
)
def test_cohere_whole_answer(content: object, expected: str) -> None:
    usage = {"tokens": {"input_tokens": 5, "output_tokens": 1}}
    body = {"id": "c1", "finish_reason": "COMPLETE", "message": {"content": content}, "usage": usage}
    events = taken("cohere", [json.dumps(body).encode()], "application/json")
    assert text(events) == expected
    assert events[-2] == UsageReport(5, 1)


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        ("<think>hm</think>a", ("hm", "a")),
        (" \n<think>hm</think>\n\na b", ("hm", "a b")),
        ("<think></think>a", ("", "a")),
        ("<think>h</m</thinkx</think>a</think>", ("h</m</thinkx", "a</think>")),
        ("<think>unended </thi", ("unended </thi", "")),
        ("<thi", ("", "<thi")),
        ("  a", ("", "  a")),
        ("<b>a", ("", "<b>a")),
        ("   ", ("", "   ")),
        ("", ("", "")),
    ],
)
def test_think_tags_at_every_cut(whole: str, expected: tuple[str, str]) -> None:
    for first in range(len(whole) + 1):
        for second in range(first, len(whole) + 1):
            tags = ThinkTags()
            deltas = [
                each
                for part in (whole[:first], whole[first:second], whole[second:])
                if part
                for each in tags.feed(part)
            ]
            deltas += tags.flush()
            assert (thinking(deltas), text(deltas)) == expected


def test_a_tag_that_never_ends_is_text() -> None:
    assert text(taken("openai", [sse(delta(content="<thi"))])) == "<thi"


def test_an_event_too_large_at_the_very_end() -> None:
    body = sse(delta(content="kept"), done=False) + b"data: x\n" * (EVENT_LIMIT // 2 - 1) + b"data: yyy"
    events = taken("openai", [body])
    assert text(events) == "kept"
    assert finish(events).reason is FinishReason.INTERRUPTED


@pytest.mark.parametrize("wire", ALL_WIRES)
@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["One ", "two", " three"], " three"),
        (["One two three"], " three"),
        ([" three"], " three"),
        (["One"], "One"),
        (["One ", "three"], "One three"),
        (["One two"], ""),
    ],
)
def test_a_repeated_beginning_is_dropped(wire: WireName, pieces: list[str], expected: str) -> None:
    if wire == "cohere":
        body = sse(*(block({"text": piece}) for piece in pieces), ending(finish_reason="COMPLETE"))
    else:
        body = sse(*(chunk(piece) for piece in pieces), chunk(None, "stop"))
    assert text(taken(wire, [body], repetition="One two")) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "type",
    "index",
    "delta",
    "message",
    "content",
    "text",
    "thinking",
    "choices",
    "usage",
    "finish_reason",
]
KEYS += [
    "id",
    "model",
    "error",
    "object",
    "detail",
    "tokens",
    "billed_units",
    "code",
    "tool_plan",
    "input_tokens",
]
VALUES = JSON | st.sampled_from(
    ["content-delta", "content-start", "message-start", "message-end", "stop", "thinking"]
)
OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4),
    lambda inner: st.dictionaries(
        st.sampled_from(KEYS), inner | st.lists(inner, max_size=2) | VALUES, max_size=4
    ),
    max_leaves=12,
)


@given(st.sampled_from(ALL_WIRES), st.lists(OBJECTS | JSON, max_size=4))
def test_no_payload_breaks_the_reading(wire: WireName, payloads: list[object]) -> None:
    try:
        events = taken(wire, [sse(*payloads)])
    except ProviderError:
        return
    finish(events)
    assert all(isinstance(event, ResponseStarted) == (number == 0) for number, event in enumerate(events))
    for event in events:
        if isinstance(event, TextDelta | ReasoningDelta):
            assert event.text.encode()
