"""How an answer ended and what went wrong, in one set of plain words for filters and columns alike."""

from __future__ import annotations

from django.utils.translation import get_language, gettext, gettext_noop

from conversations.providers import ErrorKind, FinishReason

FINISHES: dict[str, str] = {
    FinishReason.COMPLETE: gettext_noop("Complete"),
    FinishReason.LENGTH: gettext_noop("Cut at its length limit"),
    FinishReason.CONTEXT: gettext_noop("Conversation too long"),
    FinishReason.TOOL: gettext_noop("Asked for a tool"),
    FinishReason.FILTERED: gettext_noop("Withheld by content rules"),
    FinishReason.TIMEOUT: gettext_noop("Ran out of time"),
    FinishReason.CANCELLED: gettext_noop("Stopped by the person"),
    FinishReason.ERROR: gettext_noop("Broken off by an error"),
    FinishReason.INTERRUPTED: gettext_noop("Interrupted"),
    FinishReason.UNKNOWN: gettext_noop("Unknown end"),
}
ERRORS: dict[str, str] = {
    ErrorKind.AUTH: gettext_noop("Key refused"),
    ErrorKind.BILLING: gettext_noop("Billing limit"),
    ErrorKind.FORBIDDEN: gettext_noop("Not allowed with this key"),
    ErrorKind.MODEL_NOT_FOUND: gettext_noop("Model not found"),
    ErrorKind.INVALID_REQUEST: gettext_noop("Request not accepted"),
    ErrorKind.CONTEXT_LENGTH: gettext_noop("Conversation too long"),
    ErrorKind.RATE_LIMITED: gettext_noop("Too many requests"),
    ErrorKind.BLOCKED: gettext_noop("Blocked by the provider’s rules"),
    ErrorKind.UNAVAILABLE: gettext_noop("Provider not available"),
    ErrorKind.NETWORK: gettext_noop("Connection broken"),
    ErrorKind.TIMEOUT: gettext_noop("No answer in time"),
    ErrorKind.BAD_RESPONSE: gettext_noop("Reply not understood"),
    "internal": gettext_noop("Error of this site"),
}


def finish(reason: str) -> str:
    """How an answer ended, also in a spelling that nobody here knows."""
    known = FINISHES.get("complete" if reason == "stop" else reason)
    return gettext(known) if known else _plain(reason)


def error(kind: str) -> str:
    """What went wrong, also in a spelling that nobody here knows."""
    known = ERRORS.get(kind)
    return gettext(known) if known else _plain(kind)


def finishes() -> list[tuple[str, str]]:
    """All ways in which an answer ends."""
    return [(kind, gettext(said)) for kind, said in FINISHES.items()]


def errors() -> list[tuple[str, str]]:
    """All that goes wrong."""
    return [(kind, gettext(said)) for kind, said in ERRORS.items()]


def within(words: str) -> str:
    """What stands by itself elsewhere, within a sentence. German keeps its capitals, for most such words are nouns."""
    return words if (get_language() or "").startswith("de") else words.lower()


def _plain(word: str) -> str:
    return str(word).replace("_", " ").capitalize()
