"""Values that cross the border between an upstream provider and the rest of the product.

Here live the events of one answer, the request that asks for it, and the one error that says why
there is none. No I/O, no parsing, no wording for people: that is `stream`, the wire modules and
`sentences`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

WireName = Literal["mistral", "cohere", "openai"]


class FinishReason(StrEnum):
    """How an answer ended, in one vocabulary for all providers."""

    COMPLETE = "complete"
    LENGTH = "length"
    CONTEXT = "context"
    TOOL = "tool"
    FILTERED = "filtered"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    ERROR = "error"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"


class ErrorKind(StrEnum):
    """Why there is no answer, in one vocabulary for all providers."""

    AUTH = "auth"
    BILLING = "billing"
    FORBIDDEN = "forbidden"
    MODEL_NOT_FOUND = "model_not_found"
    INVALID_REQUEST = "invalid_request"
    CONTEXT_LENGTH = "context_length"
    RATE_LIMITED = "rate_limited"
    BLOCKED = "blocked"
    UNAVAILABLE = "unavailable"
    NETWORK = "network"
    TIMEOUT = "timeout"
    BAD_RESPONSE = "bad_response"
    ADDRESS = "address"
    KEY = "key"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """The first event of every answer, sent once, together with the first thing the provider said.

    `request_id` is the provider's correlation header where it sends one, else the id in the body.
    `model` is the model that the provider says answers; Cohere does not say.
    """

    request_id: str | None
    model: str | None


# The two of which there is one a token: making a frozen one would take three times as long.
@dataclass(slots=True)
class TextDelta:
    """The next piece of the answer: never empty, free of NUL and of unpaired surrogates."""

    text: str


@dataclass(slots=True)
class ReasoningDelta:
    """The next piece of the model's thinking, cleaned like the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """What some words of the answer rest on: `text` from `start` to `end` of its characters, as the provider says, and
    the names of what it was sent."""

    start: int
    end: int
    text: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Token counts as the provider reports them, sent at most once, just before `Finished`.

    The billed counts differ from the real ones at Cohere and are `None` elsewhere.
    """

    prompt_tokens: int
    completion_tokens: int
    billed_prompt_tokens: int | None = None
    billed_completion_tokens: int | None = None

    @property
    def charged(self) -> tuple[int, int]:
        """The tokens in and out that are paid for."""
        billed_in, billed_out = self.billed_prompt_tokens, self.billed_completion_tokens
        return (
            self.prompt_tokens if billed_in is None else billed_in,
            self.completion_tokens if billed_out is None else billed_out,
        )


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every answer, sent exactly once.

    `detail` is a short phrase: the cause for `interrupted`, the provider's words for `error`, its
    unknown value for `unknown`, a remark on an empty answer for `complete`; else empty.
    """

    reason: FinishReason
    detail: str = ""


Event = ResponseStarted | TextDelta | ReasoningDelta | Citation | UsageReport | Finished


class ProviderError(Exception):
    """There is no answer, or it broke before anything of it arrived.

    `status` is the HTTP status (`None` when no response came), `retry_after` the provider's wish in
    seconds, `message` at most 300 characters of the provider's own words with keys taken out, and
    `retriable` says whether the same request may succeed later.
    """

    def __init__(
        self,
        kind: ErrorKind,
        provider: str,
        message: str = "",
        *,
        status: int | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        retriable: bool = False,
    ) -> None:
        super().__init__(kind, provider, message)
        self.kind = kind
        self.provider = provider
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.request_id = request_id
        self.retriable = retriable

    def __str__(self) -> str:
        """For logs: without the provider's own words, which may quote what was asked."""
        status = "no response" if self.status is None else f"HTTP {self.status}"
        return f"{self.provider}: {self.kind} ({status})"


@dataclass(frozen=True, slots=True)
class Document:
    """A file of text that goes with a question. `id` is what it is called among those of a request."""

    id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of the conversation as it is sent upstream: what was said, and the files that go with it."""

    role: Literal["user", "assistant"]
    text: str
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameters:
    """What somebody chose for the model; `None` (and an empty `stop`) is not sent.

    The ranges differ by provider: ask the wire's `check_parameters` before saving.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    safe_prompt: bool | None = None
    k: int | None = None
    reasoning_effort: str | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question with its history.

    With `continue_last` the last message is an unfinished answer of the assistant, to be carried on
    from its last character; the events then hold the new part only.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    system: str = ""
    parameters: Parameters = field(default_factory=Parameters)
    stream: bool = True
    continue_last: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask and with which key.

    `base_url` may carry the API version and a trailing slash or not. The key stays out of `repr`. Unless it is
    `local`, a server that the site names as its own, it is called by https and at public addresses only.
    """

    wire: WireName
    label: str
    base_url: str
    api_key: str = field(default="", repr=False)
    local: bool = False


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long to wait, in seconds.

    `connect` for a connection, `first_token` from the request to the first text or thinking (retries
    included), `silence` between two pieces of content (keep-alives do not count), `total` for all.
    """

    connect: float = 5.0
    first_token: float = 60.0
    silence: float = 45.0
    total: float = 600.0


DEFAULT_CLOCKS = Clocks()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, asked for without streaming."""

    text: str
    reasoning: str
    usage: UsageReport | None
    finish: Finished
    request_id: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A chat model that a provider lists; `context_length` in tokens where it is told."""

    id: str
    context_length: int | None = None
    capabilities: tuple[str, ...] = ()
