"""Talking to providers of chat models: one request in, a stream of typed events out.

Pure Python over httpx, without models, views or settings; of Django only the language of sentences. `chat`, `complete`
and `list_models` ask; `WIRES` is the table of what differs between providers; the sentences are for people.
"""

from conversations.providers.documents import quoted
from conversations.providers.events import (
    DEFAULT_CLOCKS,
    Answer,
    ChatMessage,
    ChatRequest,
    Citation,
    Clocks,
    Document,
    Endpoint,
    ErrorKind,
    Event,
    Finished,
    FinishReason,
    ModelInfo,
    Parameters,
    ProviderError,
    ReasoningDelta,
    ResponseStarted,
    TextDelta,
    UsageReport,
    WireName,
)
from conversations.providers.naming import title_request
from conversations.providers.sentences import error_sentence, finish_sentence
from conversations.providers.stream import chat, complete, list_models
from conversations.providers.wires import WIRES

__all__ = [
    "DEFAULT_CLOCKS",
    "WIRES",
    "Answer",
    "ChatMessage",
    "ChatRequest",
    "Citation",
    "Clocks",
    "Document",
    "Endpoint",
    "ErrorKind",
    "Event",
    "FinishReason",
    "Finished",
    "ModelInfo",
    "Parameters",
    "ProviderError",
    "ReasoningDelta",
    "ResponseStarted",
    "TextDelta",
    "UsageReport",
    "WireName",
    "chat",
    "complete",
    "error_sentence",
    "finish_sentence",
    "list_models",
    "quoted",
    "title_request",
]
