"""The wire of Mistral's chat API: address, body, ranges, models, errors. Pure, no I/O.

Facts are those of Mistral's API reference and its Python SDK. The API refuses unknown keys and null
values, so a body holds what was chosen and nothing else; usage comes unasked.
"""

from typing import Any

from conversations.providers import capabilities, chunks, continuing, failures, parameters
from conversations.providers.addressing import versioned
from conversations.providers.events import ChatRequest, Endpoint, ModelInfo, Parameters, ProviderError
from conversations.providers.fields import count, label, mapping, sequence
from conversations.providers.parameters import LONGEST, Accepted, Range
from conversations.providers.reading import Json, Reader

RETRIED = failures.RETRIED

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "stop": "stop",
    "seed": "random_seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "safe_prompt": "safe_prompt",
    "reasoning_effort": "reasoning_effort",
}
ACCEPTED = Accepted(
    "Mistral",
    {
        "temperature": Range(0, 1.5),
        "top_p": Range(0, 1, above=True),
        "max_tokens": Range(1, LONGEST, whole=True),
        "seed": Range(0, whole=True),
        "presence_penalty": Range(-2, 2),
        "frequency_penalty": Range(-2, 2),
    },
    efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
    safe_prompt=True,
)


def chat_url(endpoint: Endpoint) -> str:
    """Return the address of the chat call."""
    return versioned(endpoint, "v1") + "/chat/completions"


def body(request: ChatRequest) -> dict[str, Any]:
    """Return the JSON body of a chat call."""
    return {
        "model": request.model,
        "messages": continuing.turns(request, prefix=True),
        "stream": request.stream,
        **parameters.named(request.parameters, _NAMES),
    }


def reader() -> Reader:
    """Return a reader for one answer."""
    return chunks.ChunkReader(think_tags=False)


def failure(endpoint: Endpoint, reply: failures.Reply) -> ProviderError:
    """Turn a response that is not an answer into the error to raise."""
    return failures.failure(endpoint, reply, retried=RETRIED)


def check_parameters(chosen: Parameters) -> dict[str, str]:
    """Return a message for each field that Mistral would refuse or does not know."""
    return parameters.check(chosen, ACCEPTED)


def models_url(endpoint: Endpoint, page: str | None = None) -> str:
    """Return the address of the list of models, which has one page."""
    return versioned(endpoint, "v1") + "/models"


def parse_models(payload: Json) -> tuple[list[ModelInfo], str | None]:
    """Return the models that can chat; a model listed again under an alias appears once."""
    models: dict[str, ModelInfo] = {}
    aliases: set[str] = set()
    for entry in map(mapping, sequence(payload.get("data"))):
        name = label(entry.get("id"))
        able = mapping(entry.get("capabilities"))
        if name is None or entry.get("archived") is True or able.get("completion_chat") is not True:
            continue
        others = {other for other in map(label, sequence(entry.get("aliases"))) if other}
        if name in aliases or name in models or others & models.keys():
            continue
        aliases |= others
        able_to = capabilities.worded(key for key, value in able.items() if value is True)
        models[name] = ModelInfo(name, count(entry.get("max_context_length")), able_to)
    return list(models.values()), None
