"""The wire of OpenAI-compatible servers: llama.cpp, vLLM, Ollama, gateways. Pure, no I/O.

These servers ignore keys that they do not know, report usage only when asked, and may need no key.
"""

from typing import Any

from conversations.providers import chunks, continuing, failures, parameters
from conversations.providers.addressing import versioned
from conversations.providers.events import ChatRequest, Endpoint, ModelInfo, Parameters, ProviderError
from conversations.providers.fields import count, label, mapping, sequence
from conversations.providers.parameters import LONGEST, UNNAMED, Accepted, Range
from conversations.providers.reading import Json, Reader

RETRIED = failures.RETRIED

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "stop": "stop",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "reasoning_effort": "reasoning_effort",
}
ACCEPTED = Accepted(
    UNNAMED,
    {
        "temperature": Range(0, 2),
        "top_p": Range(0, 1, above=True),
        "max_tokens": Range(1, LONGEST, whole=True),
        "seed": Range(0, whole=True),
        "presence_penalty": Range(-2, 2),
        "frequency_penalty": Range(-2, 2),
    },
    efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
)


def chat_url(endpoint: Endpoint) -> str:
    """Return the address of the chat call."""
    return versioned(endpoint, "v1") + "/chat/completions"


def body(request: ChatRequest) -> dict[str, Any]:
    """Return the JSON body of a chat call; a stream is asked to end with its usage."""
    options = {"stream_options": {"include_usage": True}} if request.stream else {}
    return {
        "model": request.model,
        "messages": continuing.turns(request, prefix=False),
        "stream": request.stream,
        **options,
        **parameters.named(request.parameters, _NAMES),
    }


def reader() -> Reader:
    """Return a reader for one answer."""
    return chunks.ChunkReader(think_tags=True)


def failure(endpoint: Endpoint, reply: failures.Reply) -> ProviderError:
    """Turn a response that is not an answer into the error to raise."""
    return failures.failure(endpoint, reply, retried=RETRIED)


def check_parameters(chosen: Parameters) -> dict[str, str]:
    """Return a message for each field that these servers would refuse or do not know."""
    return parameters.check(chosen, ACCEPTED)


def models_url(endpoint: Endpoint, page: str | None = None) -> str:
    """Return the address of the list of models, which has one page."""
    return versioned(endpoint, "v1") + "/models"


def parse_models(payload: Json) -> tuple[list[ModelInfo], str | None]:
    """Return the models listed; the context length stands in vLLM's or in llama.cpp's key, if at all."""
    models: dict[str, ModelInfo] = {}
    for entry in map(mapping, sequence(payload.get("data"))):
        name = label(entry.get("id"))
        if name is not None:
            meta = mapping(entry.get("meta"))
            lengths = map(count, (entry.get("max_model_len"), meta.get("n_ctx"), meta.get("n_ctx_train")))
            models.setdefault(name, ModelInfo(name, next(filter(None, lengths), None)))
    return list(models.values()), None
