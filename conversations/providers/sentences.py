"""Plain sentences for the person who waits for an answer: what happened, what was kept, what to do.

Only words of our own appear here, and the provider's where they say what is wrong with the request. No
key, no address, no prompt: errors were cleaned of keys where they were made, addresses go here.
"""

import math
import re

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.providers.events import ErrorKind, FinishReason, ProviderError
from conversations.providers.marking import gettext_noop

_FINISHES = {
    FinishReason.LENGTH: gettext_noop(
        "The answer was cut at its length limit. Continue it, or ask for a shorter one."
    ),
    FinishReason.CONTEXT: gettext_noop("The conversation no longer fits this model. Start a new chat."),
    FinishReason.TOOL: gettext_noop(
        "The model asked for a tool that this site does not have. Ask in another way."
    ),
    FinishReason.FILTERED: gettext_noop(
        "{provider} withheld the answer because of its content rules. Ask in another way."
    ),
    FinishReason.TIMEOUT: gettext_noop(
        "{provider} ran out of time. The text so far is kept. Try again or ask for less."
    ),
    FinishReason.CANCELLED: gettext_noop("The answer was stopped. The text so far is kept."),
    FinishReason.ERROR: gettext_noop(
        "{provider} stopped with an error{detail}. The text so far is kept. Try again."
    ),
    FinishReason.INTERRUPTED: gettext_noop(
        "The answer was interrupted{detail}. The text so far is kept. Continue it or try again."
    ),
    FinishReason.UNKNOWN: gettext_noop(
        "The answer ended for an unknown reason{detail}. The text so far is kept. Try again."
    ),
}
_EMPTY = gettext_noop("{provider} sent an empty answer. Try again or ask in another way.")

_ERRORS = {
    ErrorKind.AUTH: gettext_noop(
        "The API key was refused. Please ask your administrator to check the key for {provider}."
    ),
    ErrorKind.BILLING: gettext_noop("Billing limit reached at {provider}. Please tell your administrator."),
    ErrorKind.FORBIDDEN: gettext_noop(
        "{provider} does not allow this model or request with the key in use. Please tell your administrator."
    ),
    ErrorKind.MODEL_NOT_FOUND: gettext_noop(
        "{provider} does not know this model or address. Please ask your administrator to check both."
    ),
    ErrorKind.INVALID_REQUEST: gettext_noop(
        "{provider} did not accept the request{detail}. Change the question, or tell your administrator."
    ),
    ErrorKind.CONTEXT_LENGTH: gettext_noop("The conversation no longer fits this model. Start a new chat."),
    ErrorKind.RATE_LIMITED: gettext_noop("Too many requests to {provider}. Try again {wait}."),
    ErrorKind.BLOCKED: gettext_noop(
        "The request was blocked by the rules of {provider}. Ask in another way."
    ),
    ErrorKind.UNAVAILABLE: gettext_noop("{provider} is not available at the moment. Try again {wait}."),
    ErrorKind.NETWORK: gettext_noop(
        "{provider} could not be reached, or the connection broke. Try again in a moment."
    ),
    ErrorKind.TIMEOUT: gettext_noop("{provider} did not answer in time. Try again, or ask for less."),
    ErrorKind.BAD_RESPONSE: gettext_noop(
        "{provider} sent something that is not an answer. Try again, or tell your administrator."
    ),
    ErrorKind.ADDRESS: gettext_noop(
        "This site does not call the address of {provider}. Nothing was sent there. Please tell your administrator."
    ),
    ErrorKind.KEY: gettext_noop(
        "The key for {provider} cannot be opened. Nothing was sent. Please ask your administrator to set it anew."
    ),
    ErrorKind.ENDPOINT: gettext_noop(
        "This persona's provider is not one of your company's. Nothing was sent. Please tell your administrator."
    ),
}
_STOPPED = gettext_noop("{provider} stopped the request. Nothing of an answer had come; try again.")
_CLIENT_CLOSED = 499

_ADDRESS = re.compile(r"\S*(?:\w+://|www\.)\S+")


def finish_sentence(reason: FinishReason, detail: str, provider_label: str) -> str:
    """Return how an answer ended, or nothing when it ended well.

    Takes the reason and the detail of a `Finished`; a `complete` with a detail is an empty answer.
    """
    if reason is FinishReason.COMPLETE:
        return _(_EMPTY).format(provider=provider_label) if detail else ""
    return _(_FINISHES[reason]).format(provider=provider_label, detail=_detail(detail))


def error_sentence(error: ProviderError) -> str:
    """Return why there is no answer and what helps."""
    sentence = _STOPPED if error.status == _CLIENT_CLOSED else _ERRORS[error.kind]
    return _(sentence).format(
        provider=error.provider, detail=_detail(error.message), wait=_wait(error.retry_after)
    )


def _detail(words: str) -> str:
    """Return words as they stand in a sentence: no address, no full stop that it brings itself."""
    words = " ".join(_ADDRESS.sub("", words).split()).rstrip(" .")
    return f" ({words})" if words else ""


def _wait(seconds: float | None) -> str:
    """Return a wait in the largest unit that says it well, rounded up."""
    if seconds is None:
        return _("in a moment")
    if seconds > 3600:
        number = _whole(seconds / 3600)
        wait = ngettext("in %(number)s hour", "in %(number)s hours", number)
    elif seconds > 60:
        number = _whole(seconds / 60)
        wait = ngettext("in %(number)s minute", "in %(number)s minutes", number)
    else:
        number = _whole(seconds)
        wait = ngettext("in %(number)s second", "in %(number)s seconds", number)
    return wait % {"number": number}


def _whole(number: float) -> int:
    return max(1, math.ceil(number))
