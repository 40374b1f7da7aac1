"""Whether a file is what the provider's fine-tuning takes, by the shape that it publishes and nothing of ours.

Written from "Text Fine-tuning: Dataset Format" of Mistral's documentation and from the checks of its own
`mistral-finetune` and `mistral-common`: one JSON object a line with `messages`; roles `system` (once, first), `user`
and `assistant`; contents that are texts and not empty; the last word is the assistant's; `weight` 0 or 1 on
assistant messages alone. Turns that take turns are stricter than what is published, and what chat templates ask for.
"""

from __future__ import annotations

import json
from typing import Any


class Misshapen(AssertionError):
    """A line that the provider would refuse, and why."""


def check_examples(data: bytes) -> list[dict[str, Any]]:
    """The samples of a file. Raises Misshapen."""
    samples = _samples(data, {"messages"})
    for sample in samples:
        _check_messages(sample["messages"], last="assistant")
        if sample["messages"][-1].get("weight", 1) != 1:
            raise Misshapen("nothing is learned from it")
    return samples


def check_pairs(data: bytes) -> list[dict[str, Any]]:
    """The pairs of a file: a context that ends with a question, and two answers to it. Raises Misshapen."""
    samples = _samples(data, {"messages", "chosen", "rejected"})
    for sample in samples:
        _check_messages(sample["messages"], last="user")
        for side in ("chosen", "rejected"):
            if set(sample[side]) != {"role", "content"} or sample[side]["role"] != "assistant":
                raise Misshapen(f"{side} is no answer")
            _check_content(sample[side])
        if sample["chosen"] == sample["rejected"]:
            raise Misshapen("there is nothing to prefer")
    return samples


def _samples(data: bytes, keys: set[str]) -> list[dict[str, Any]]:
    text = data.decode("utf-8")
    if text and not text.endswith("\n"):
        raise Misshapen("the last line has no end")
    samples = []
    for line in text.splitlines():  # the strictest reader: it knows more ends of a line than JSON does
        sample = json.loads(line)
        if not isinstance(sample, dict) or set(sample) != keys:
            raise Misshapen(f"not {keys}: {line[:80]}")
        samples.append(sample)
    return samples


def _check_messages(messages: Any, *, last: str) -> None:
    if not isinstance(messages, list) or not messages:
        raise Misshapen("no messages")
    for message in messages:
        allowed = {"role", "content"} | ({"weight"} if message.get("role") == "assistant" else set())
        if not {"role", "content"} <= set(message) <= allowed:
            raise Misshapen(f"keys {set(message)}")
        if message["role"] not in {"system", "user", "assistant"}:
            raise Misshapen(f"role {message['role']}")
        _check_content(message)
        if type(message.get("weight", 1)) is not int or message.get("weight", 1) not in {0, 1}:
            raise Misshapen("weight")
    roles = [message["role"] for message in messages]
    turns = roles[1:] if roles[0] == "system" else roles
    if turns != [("user", "assistant")[index % 2] for index in range(len(turns))] or turns[-1:] != [last]:
        raise Misshapen(f"order {roles}")


def _check_content(message: dict[str, Any]) -> None:
    if not isinstance(message["content"], str) or not message["content"].strip():
        raise Misshapen("no content")
