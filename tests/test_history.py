"""What of a conversation is sent when it is too long for the model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conversations.estimates import estimated_tokens
from conversations.generation.history import MAX_MESSAGES, fitting
from conversations.providers import ChatMessage

TURNS = st.lists(st.text(max_size=300), min_size=1, max_size=30).map(
    lambda texts: [
        ChatMessage(role="user" if (len(texts) - index) % 2 else "assistant", text=text)
        for index, text in enumerate(texts)
    ]
)


@given(TURNS, st.integers(min_value=16, max_value=4_000), st.integers(min_value=0, max_value=500))
def test_the_newest_turns_fit_and_begin_with_a_question(
    messages: list[ChatMessage], context_length: int, answer_tokens: int
) -> None:
    kept, left_out = fitting(
        "Be brief.", messages, context_length=context_length, answer_tokens=answer_tokens
    )
    assert list(kept) == messages[left_out:]
    assert kept[-1] == messages[-1]
    assert kept[0].role == "user" or left_out == 0
    total = sum(estimated_tokens(message.text) for message in kept) + estimated_tokens("Be brief.")
    assert total <= context_length - answer_tokens or len(kept) == 1


def test_nothing_is_left_out_where_all_fits() -> None:
    messages = [ChatMessage(role="user", text="hello")] * 3
    assert fitting("", messages, context_length=32_768, answer_tokens=1_024) == (tuple(messages), 0)


def test_the_number_of_messages_is_limited_too() -> None:
    messages = [
        ChatMessage(role="user" if number % 2 == 0 else "assistant", text="") for number in range(901)
    ]
    kept, left_out = fitting("", messages, context_length=10**9, answer_tokens=0)
    assert len(kept) in {MAX_MESSAGES - 1, MAX_MESSAGES}
    assert kept[0].role == "user"
    assert left_out == 901 - len(kept)


def test_an_answer_to_be_continued_is_sent_with_its_question() -> None:
    messages = [ChatMessage(role="user", text="x" * 900), ChatMessage(role="assistant", text="y" * 900)]
    assert fitting("", messages, context_length=100, answer_tokens=0) == (tuple(messages), 0)
