"""What a provider repeats of a request does not get further."""

import pytest

from conversations.providers import ChatMessage, ChatRequest
from conversations.providers.echoes import without

SYSTEM = 'You are "Ada",\n\tan assistant of the house.'


def request(system: str = SYSTEM, *texts: str) -> ChatRequest:
    messages = tuple(ChatMessage("user", text) for text in texts)
    return ChatRequest(model="m", system=system, messages=messages)


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Nothing of it", "Nothing of it"),
        ("", ""),
        (f"Bad: {SYSTEM}", "Bad: […]"),
        (f"Bad: {SYSTEM[10:40]} and so on", "Bad: […] and so on"),
        ("Bad: You are an assistant", "Bad: You are an assistant"),
        (r"Bad: You are \"Ada\",\n\tan assistant of the house. End", "Bad: […] End"),
        ("an assistant of the house. an assistant of the house.", "[…][…]"),
    ],
)
def test_the_system_prompt(message: str, left: str) -> None:
    assert without(message, request()) == left


def test_the_last_question() -> None:
    asked = request("", "What was before, I asked myself", "What does the secret plan say?")
    assert without("invalid: What does the secret plan say?", asked) == "invalid: […]"


def test_a_short_prompt_is_taken_out_whole_and_a_shorter_one_left() -> None:
    assert without("It says Be brief.", request("Be brief.")) == "It says […]"
    assert without("It says Hi.", request("Hi.")) == "It says Hi."
