"""What the recorded upstream says: three recordings, and short texts of its own that say what it is.

Texts and counts only; how they look on each wire is in `envelopes`, when they are sent in `app`.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from conversations.providers.continuing import CONTINUE_REQUEST
from conversations.providers.events import WireName
from conversations.providers.naming import TITLE_REQUEST


@dataclass(frozen=True, slots=True)
class Cited:
    """Words of an answer, and the documents of the request that they rest on, as the wire has these."""

    start: int
    end: int
    documents: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to be sent: pieces of text as the provider would cut them, and how it ends.

    `finish` is `stop` or `length` (`None` leaves the finish marker out), token counts are those to report.
    """

    pieces: tuple[str, ...]
    finish: str | None = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    billed: tuple[int, int] | None = None
    thinking: tuple[str, ...] = ()
    id: str = "recorded-answer"
    created: int = 1_732_548_656
    model: str = ""
    citations: tuple[Cited, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Question:
    """What the request asks, whichever wire it came by."""

    wire: WireName
    model: str
    turns: Sequence[tuple[str, str]]
    max_tokens: int | None = None
    wants_thinking: bool = False
    unfinished: str | None = None
    documents: Sequence[Mapping[str, Any]] = ()

    @property
    def text(self) -> str:
        return next((text for role, text in reversed(self.turns) if role == "user"), "")

    @property
    def for_title(self) -> bool:
        """Whether it asks for the title of a conversation, and not for an answer."""
        return ("system", TITLE_REQUEST) in self.turns


_COKE_ENDING = (
    " brands in the world, sold in more than 200 countries and known by its red label, its curved bottle "
    "and its flowing script.\n\nThe company also makes other drinks, among them Fanta, Sprite and bottled water."
)
_NOTHING_MORE = "\n\nHere the recorded answer ends: with no API key set, nothing new can be written."
_TITLES = {
    "what is coca cola": "What Coca-Cola is",
    "what is the best french cheese": "The best French cheese",
}
_THINKING = "The question is not among the recordings, so an honest answer says what this is."
_OWN_TEXT = """## A recorded answer

No API key is set, so no model has read your question. This text is a **recording**, sent over the same \
connection as a real answer. Ask *what is Coca Cola* to see a real one replayed.

- Text arrives word by word
- Code gets its colours

| Setting | Answers by |
| --- | --- |
| `MISTRAL_API_KEY` | Mistral |
| `CO_API_KEY` | Cohere |

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```

Once a key is set, answers are live."""


def read_question(wire: WireName, body: dict[str, Any]) -> Question:
    """Return what a request body asks; a body out of shape asks nothing."""
    turns = [
        (str(message.get("role")), _plain(message.get("content")))
        for message in body.get("messages") or []
        if isinstance(message, dict)
    ]
    model = str(body.get("model", ""))
    effort = body.get("reasoning_effort")
    limit = body.get("max_tokens")
    unfinished = None
    if turns and turns[-1][0] == "assistant":
        unfinished = turns[-1][1]
    elif len(turns) > 1 and turns[-1] == ("user", CONTINUE_REQUEST) and turns[-2][0] == "assistant":
        unfinished = turns[-2][1]
        turns = turns[:-1]
    return Question(
        wire,
        model,
        turns,
        max_tokens=limit if isinstance(limit, int) and not isinstance(limit, bool) else None,
        wants_thinking=effort not in {None, "none"} or "reasoning" in model or "magistral" in model,
        unfinished=unfinished,
        documents=[each for each in body.get("documents") or [] if isinstance(each, dict)],
    )


def answer(question: Question) -> Reply:
    """Return the answer to a question: a recording where there is one, else a text of our own.

    Titles are made of recordings alone: no words of ours would say better what somebody asked than their own.
    """
    if question.for_title:
        asked = question.text.partition("\n\nAnswer:")[0].removeprefix("Question:")
        return _own(question, _TITLES.get(_plainly(asked), ""))
    if question.documents and question.unfinished is None:
        return _quoting(question)
    whole = _recording(question.wire, question.text)
    if question.unfinished is not None:
        return _own(question, _rest(whole.text if whole else _OWN_TEXT, question.unfinished))
    return whole or _own(question, _OWN_TEXT)


def _quoting(question: Question) -> Reply:
    """Return an answer that repeats how the first document begins, and says so as a provider that cites would."""
    data = question.documents[0].get("data")
    words = " ".join(str(data.get("text", "") if isinstance(data, dict) else data).split()[:8])
    before = "No API key is set, so no model has read your file. It begins with: "
    cited = Cited(len(before), len(before) + len(words), (question.documents[0],))
    return replace(_own(question, before + words), citations=(cited,) if words else ())


def _recording(wire: WireName, text: str) -> Reply | None:
    match _plainly(text):
        case "what is coca cola":
            return cohere_recording() if wire == "cohere" else mistral_recording()
        case "what is the best french cheese":
            return cheese_recording()
        case _:
            return None


def _plainly(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _rest(whole: str, unfinished: str) -> str:
    """Return what follows an unfinished answer, if it is the beginning of what would have been said."""
    if whole == mistral_recording().text:
        whole += _COKE_ENDING
    rest = whole.removeprefix(unfinished) if whole.startswith(unfinished) else ""
    return rest or _NOTHING_MORE


def _own(question: Question, text: str) -> Reply:
    """Return a text of our own, a word a token, with counts estimated from the lengths of the texts."""
    pieces = re.findall(r"\s*\S+|\s+$", text)
    thinking = re.findall(r"\s*\S+", _THINKING) if question.wants_thinking else []
    prompt_tokens = sum(-(-len(turn) // 4) for _, turn in question.turns)
    kept = pieces if question.max_tokens is None else pieces[: question.max_tokens]
    return Reply(
        tuple(kept),
        finish="stop" if len(kept) == len(pieces) else "length",
        prompt_tokens=prompt_tokens,
        completion_tokens=len(thinking) + len(kept),
        billed=(prompt_tokens, len(thinking) + len(kept)) if question.wire == "cohere" else None,
        thinking=tuple(thinking),
        model=question.model,
    )


@functools.cache
def mistral_recording() -> Reply:
    """Return the streamed answer of Mistral about Coca-Cola, which its limit cut in a sentence."""
    lines = _read("mistral-chat.stream.txt").splitlines()
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    first, last = chunks[0], chunks[-1]
    return Reply(
        tuple(chunk["choices"][0]["delta"]["content"] for chunk in chunks[1:]),
        finish=last["choices"][0]["finish_reason"],
        prompt_tokens=last["usage"]["prompt_tokens"],
        completion_tokens=last["usage"]["completion_tokens"],
        id=first["id"],
        created=first["created"],
        model=first["model"],
    )


@functools.cache
def cohere_recording() -> Reply:
    """Return the streamed answer of Cohere about Coca-Cola."""
    events = [json.loads(line) for line in _read("cohere-chat.stream.jsonl").splitlines()]
    usage = events[-1]["delta"]["usage"]
    pieces = (
        each["delta"]["message"]["content"]["text"] for each in events if each["type"] == "content-delta"
    )
    return Reply(
        tuple(pieces),
        prompt_tokens=usage["tokens"]["input_tokens"],
        completion_tokens=usage["tokens"]["output_tokens"],
        billed=(usage["billed_units"]["input_tokens"], usage["billed_units"]["output_tokens"]),
        id=events[0]["id"],
    )


@functools.cache
def cheese_recording() -> Reply:
    """Return the whole answer of Mistral about French cheese."""
    whole = json.loads(_read("mistral-chat.response.json"))
    return Reply(
        tuple(re.findall(r"\s*\S+", whole["choices"][0]["message"]["content"])),
        prompt_tokens=whole["usage"]["prompt_tokens"],
        completion_tokens=whole["usage"]["completion_tokens"],
        id=whole["id"],
        created=whole["created"],
        model=whole["model"],
    )


def _read(name: str) -> str:
    recordings = resources.files("conversations.providers") / "recordings"
    return recordings.joinpath(name).read_text(encoding="utf-8")


def _plain(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
