"""Plain sentences for the person who waits for an answer: what happened, what was kept, what to do.

Only words of our own appear here, and the provider's where they say what is wrong with the request. No
key, no address, no prompt: errors were cleaned of keys where they were made, addresses go here.
"""

import re

from conversations.providers.events import ErrorKind, FinishReason, ProviderError

_FINISHES = {
    FinishReason.LENGTH: "The answer was cut at its length limit. Continue it, or ask for a shorter one.",
    FinishReason.CONTEXT: "The conversation no longer fits this model. Start a new chat.",
    FinishReason.TOOL: "The model asked for a tool that this site does not have. Ask in another way.",
    FinishReason.FILTERED: "{provider} withheld the answer because of its content rules. Ask in another way.",
    FinishReason.TIMEOUT: "{provider} ran out of time. The text so far is kept. Try again or ask for less.",
    FinishReason.CANCELLED: "The answer was stopped. The text so far is kept.",
    FinishReason.ERROR: "{provider} stopped with an error{detail}. The text so far is kept. Try again.",
    FinishReason.INTERRUPTED: (
        "The answer was interrupted{detail}. The text so far is kept. Continue it or try again."
    ),
    FinishReason.UNKNOWN: "The answer ended for an unknown reason{detail}. The text so far is kept. Try again.",
}
_EMPTY = "{provider} sent an empty answer. Try again or ask in another way."

_ERRORS = {
    ErrorKind.AUTH: "The API key was refused. Please ask your administrator to check the key for {provider}.",
    ErrorKind.BILLING: "Billing limit reached at {provider}. Please tell your administrator.",
    ErrorKind.FORBIDDEN: (
        "{provider} does not allow this model or request with the key in use. Please tell your administrator."
    ),
    ErrorKind.MODEL_NOT_FOUND: (
        "{provider} does not know this model or address. Please ask your administrator to check both."
    ),
    ErrorKind.INVALID_REQUEST: (
        "{provider} did not accept the request{detail}. Change the question, or tell your administrator."
    ),
    ErrorKind.CONTEXT_LENGTH: "The conversation no longer fits this model. Start a new chat.",
    ErrorKind.RATE_LIMITED: "Too many requests to {provider}. Try again {wait}.",
    ErrorKind.BLOCKED: "The request was blocked by the rules of {provider}. Ask in another way.",
    ErrorKind.UNAVAILABLE: "{provider} is not available at the moment. Try again {wait}.",
    ErrorKind.NETWORK: "{provider} could not be reached, or the connection broke. Try again in a moment.",
    ErrorKind.TIMEOUT: "{provider} did not answer in time. Try again, or ask for less.",
    ErrorKind.BAD_RESPONSE: (
        "{provider} sent something that is not an answer. Try again, or tell your administrator."
    ),
    ErrorKind.ADDRESS: (
        "This site does not call the address of {provider}. Nothing was sent there. Please tell your administrator."
    ),
    ErrorKind.KEY: (
        "The key for {provider} cannot be opened. Nothing was sent. Please ask your administrator to set it anew."
    ),
    ErrorKind.ENDPOINT: (
        "This persona's provider is not one of your company's. Nothing was sent. Please tell your administrator."
    ),
}
_STOPPED = "{provider} stopped the request. Nothing of an answer had come; try again."
_CLIENT_CLOSED = 499

_ADDRESS = re.compile(r"\S*(?:\w+://|www\.)\S+")


def finish_sentence(reason: FinishReason, detail: str, provider_label: str) -> str:
    """Return how an answer ended, or nothing when it ended well.

    Takes the reason and the detail of a `Finished`; a `complete` with a detail is an empty answer.
    """
    if reason is FinishReason.COMPLETE:
        return _EMPTY.format(provider=provider_label) if detail else ""
    return _FINISHES[reason].format(provider=provider_label, detail=_detail(detail))


def error_sentence(error: ProviderError) -> str:
    """Return why there is no answer and what helps."""
    sentence = _STOPPED if error.status == _CLIENT_CLOSED else _ERRORS[error.kind]
    return sentence.format(
        provider=error.provider, detail=_detail(error.message), wait=_wait(error.retry_after)
    )


def _detail(words: str) -> str:
    """Return words as they stand in a sentence: no address, no full stop that it brings itself."""
    words = " ".join(_ADDRESS.sub("", words).split()).rstrip(" .")
    return f" ({words})" if words else ""


def _wait(seconds: float | None) -> str:
    """Return a wait in the largest unit that says it well, rounded up."""
    if seconds is None:
        return "in a moment"
    unit, size = next(
        ((unit, size) for unit, size in (("hour", 3600), ("minute", 60)) if seconds > size), ("second", 1)
    )
    number = max(1, -int(-seconds // size))
    return f"in {number} {unit}" + ("s" if number != 1 else "")
