"""What ends an answer on each wire: finish reasons, usage, errors inside a 200, and nothing at all."""

import pytest

from conversations.providers import (
    ErrorKind,
    Event,
    Finished,
    FinishReason,
    ProviderError,
    UsageReport,
    WireName,
)
from conversations.providers.intake import EMPTY
from tests.providers.payloads import block, delta, ending, sse
from tests.providers.support import ALL_WIRES, chunk, finish, taken, text


@pytest.mark.parametrize(
    ("wire", "value", "reason"),
    [
        ("mistral", "stop", FinishReason.COMPLETE),
        ("mistral", "length", FinishReason.LENGTH),
        ("mistral", "model_length", FinishReason.CONTEXT),
        ("mistral", "tool_calls", FinishReason.TOOL),
        ("mistral", "error", FinishReason.ERROR),
        ("openai", "content_filter", FinishReason.FILTERED),
        ("openai", "function_call", FinishReason.TOOL),
        ("openai", "abort", FinishReason.CANCELLED),
        ("openai", "banana", FinishReason.UNKNOWN),
        ("openai", {"odd": 1}, FinishReason.UNKNOWN),
        ("cohere", "COMPLETE", FinishReason.COMPLETE),
        ("cohere", "STOP_SEQUENCE", FinishReason.COMPLETE),
        ("cohere", "MAX_TOKENS", FinishReason.LENGTH),
        ("cohere", "TOOL_CALL", FinishReason.TOOL),
        ("cohere", "ERROR", FinishReason.ERROR),
        ("cohere", "TIMEOUT", FinishReason.TIMEOUT),
        ("cohere", "ERROR_TOXIC", FinishReason.FILTERED),
        ("cohere", "ERROR_LIMIT", FinishReason.CONTEXT),
        ("cohere", "USER_CANCEL", FinishReason.CANCELLED),
        ("cohere", "NEW_ONE", FinishReason.UNKNOWN),
        ("cohere", None, FinishReason.UNKNOWN),
    ],
)
def test_finish_reasons(wire: WireName, value: object, reason: FinishReason) -> None:
    if wire == "cohere":
        body = sse(block({"text": "a"}), ending(finish_reason=value))
    else:
        body = sse(chunk("a"), chunk(None, value))
    end = finish(taken(wire, [body]))
    assert end.reason is reason
    assert end.detail == (value if reason is FinishReason.UNKNOWN and isinstance(value, str) else "")


def test_cohere_error_brings_its_words_without_the_key() -> None:
    body = sse(block({"text": "a"}), ending(finish_reason="ERROR", error="out of luck with key-canary-7f3a"))
    assert finish(taken("cohere", [body])) == Finished(FinishReason.ERROR, "out of luck with [key]")


def test_last_text_may_come_with_the_finish() -> None:
    events = taken("mistral", [sse(chunk("a"), chunk("b", "length"))])
    assert text(events) == "ab"
    assert finish(events).reason is FinishReason.LENGTH


@pytest.mark.parametrize("value", ["", None])
def test_empty_finish_reason_is_none(value: str | None) -> None:
    end = finish(taken("openai", [sse(chunk("a", value), done=False)]))
    assert end.reason is FinishReason.INTERRUPTED


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (sse(chunk("a"), done=True), FinishReason.COMPLETE),
        (sse(chunk("a"), chunk(None, "stop"), done=False), FinishReason.COMPLETE),
        (sse(chunk("a"), done=False), FinishReason.INTERRUPTED),
        (sse(chunk(""), done=False), FinishReason.INTERRUPTED),
        (sse(chunk("a"), done=False) + b'data: {"cut', FinishReason.INTERRUPTED),
    ],
)
def test_what_counts_as_the_end(body: bytes, reason: FinishReason) -> None:
    assert finish(taken("openai", [body])).reason is reason


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        ("mistral", sse(chunk(""), chunk("", "stop"))),
        ("openai", sse(chunk(None), chunk(None, "stop"))),
        ("openai", sse(delta(content="<think>hm</think>"), chunk(None, "stop"))),
        ("cohere", sse({"type": "message-start", "id": "c1"}, ending(finish_reason="COMPLETE"))),
    ],
)
def test_an_empty_answer_says_so(wire: WireName, body: bytes) -> None:
    assert finish(taken(wire, [body])) == Finished(FinishReason.COMPLETE, EMPTY)


@pytest.mark.parametrize("wire", ALL_WIRES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data: [DONE]\n\n",
        b"data: nonsense\n\n",
        b"<html></html>",
        b"hello",
        b"{}",
        b"[]",
        b": only\n\n",
    ],
)
def test_no_answer_is_an_error(wire: WireName, body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        taken(wire, [body])
    assert caught.value.kind is ErrorKind.BAD_RESPONSE


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4.0, "total_tokens": 7}, [UsageReport(3, 4)]),
        ({"prompt_tokens": 3}, [UsageReport(3, 0)]),
        ({"prompt_tokens": -3, "completion_tokens": "4"}, []),
        ({"prompt_tokens": True, "completion_tokens": 1e300}, []),
        ({"prompt_tokens": float("nan"), "completion_tokens": float("inf")}, []),
        ({"prompt_tokens": 10**18, "completion_tokens": None}, []),
        ([1], []),
        ("many", []),
    ],
)
def test_usage_is_neutral_where_it_is_odd(usage: object, expected: list[Event]) -> None:
    apart = sse(chunk("a"), chunk(None, "stop"), {"id": "c1", "choices": [], "usage": usage})
    assert taken("openai", [apart])[2:-1] == expected
    together = sse(chunk("a"), chunk(None, "stop", usage=usage))
    assert taken("mistral", [together])[2:-1] == expected


def test_cohere_usage_keeps_real_and_billed_apart() -> None:
    usage = {"tokens": {"input_tokens": 186.0}, "billed_units": {"input_tokens": 21, "output_tokens": 124.0}}
    events = taken("cohere", [sse(block({"text": "a"}), ending(finish_reason="COMPLETE", usage=usage))])
    assert events[-2] == UsageReport(186, 124, 21, 124)


ERRORS: list[tuple[bytes, str]] = [
    (sse({"error": {"message": "boom", "code": 400}}), "boom"),
    (sse({"error": "boom"}), "boom"),
    (sse({"object": "error", "message": "boom", "code": "3000"}), "boom"),
    (sse({"message": "boom"}), "boom"),
    (sse({"detail": "boom"}), "boom"),
    (b'error: {"code":500,"message":"boom"}\n\n', "boom"),
    (b'{"error":"boom"}\n', "boom"),
    (b'{\n "error": {\n  "message": "boom"\n }\n}', "boom"),
]


@pytest.mark.parametrize("wire", ALL_WIRES)
@pytest.mark.parametrize(("body", "message"), ERRORS)
def test_an_error_in_a_200_is_an_error(wire: WireName, body: bytes, message: str) -> None:
    with pytest.raises(ProviderError) as caught:
        taken(wire, [body])
    assert caught.value.message == message


@pytest.mark.parametrize("wire", ALL_WIRES)
@pytest.mark.parametrize(("body", "message"), ERRORS[:-1])
def test_an_error_after_text_ends_the_answer(wire: WireName, body: bytes, message: str) -> None:
    said = sse(block({"text": "kept"}) if wire == "cohere" else chunk("kept"), done=False)
    events = taken(wire, [said + body])
    assert text(events) == "kept"
    assert finish(events) == Finished(FinishReason.ERROR, message)
