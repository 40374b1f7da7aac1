"""The table of wires, and what each of its modules has to offer.

Another provider is another module of pure functions and a line in the table; an OpenAI-compatible one
needs neither, only an endpoint.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from conversations.providers import cohere, mistral, openai
from conversations.providers.events import (
    ChatRequest,
    Endpoint,
    ModelInfo,
    Parameters,
    ProviderError,
    WireName,
)
from conversations.providers.failures import Reply
from conversations.providers.parameters import Accepted
from conversations.providers.reading import Json, Reader


class Wire(Protocol):
    """A wire module: a request into an address and a body, and payloads back into values."""

    RETRIED: frozenset[int]
    ACCEPTED: Accepted

    def chat_url(self, endpoint: Endpoint) -> str:
        """Return the address of the chat call."""

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """Return the JSON body of a chat call: what was chosen, never null."""

    def reader(self) -> Reader:
        """Return a reader for one answer."""

    def failure(self, endpoint: Endpoint, reply: Reply) -> ProviderError:
        """Turn a response that is not an answer into the error to raise."""

    def check_parameters(self, chosen: Parameters) -> dict[str, str]:
        """Return a message for each field that would be refused or is not known."""

    def models_url(self, endpoint: Endpoint, page: str | None = None) -> str:
        """Return the address of a page of the list of models."""

    def parse_models(self, payload: Json) -> tuple[list[ModelInfo], str | None]:
        """Return the chat models of a page, and the token of the next page if there is one."""


WIRES: Mapping[WireName, Wire] = {"mistral": mistral, "cohere": cohere, "openai": openai}
