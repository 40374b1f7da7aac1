"""How an answer ended and what went wrong, in one set of plain words for filters and columns alike."""

from __future__ import annotations

from conversations.providers import ErrorKind, FinishReason

FINISHES: dict[str, str] = {
    FinishReason.COMPLETE: "Complete",
    FinishReason.LENGTH: "Cut at its length limit",
    FinishReason.CONTEXT: "Conversation too long",
    FinishReason.TOOL: "Asked for a tool",
    FinishReason.FILTERED: "Withheld by content rules",
    FinishReason.TIMEOUT: "Ran out of time",
    FinishReason.CANCELLED: "Stopped by the person",
    FinishReason.ERROR: "Broken off by an error",
    FinishReason.INTERRUPTED: "Interrupted",
    FinishReason.UNKNOWN: "Unknown end",
}
ERRORS: dict[str, str] = {
    ErrorKind.AUTH: "Key refused",
    ErrorKind.BILLING: "Billing limit",
    ErrorKind.FORBIDDEN: "Not allowed with this key",
    ErrorKind.MODEL_NOT_FOUND: "Model not found",
    ErrorKind.INVALID_REQUEST: "Request not accepted",
    ErrorKind.CONTEXT_LENGTH: "Conversation too long",
    ErrorKind.RATE_LIMITED: "Too many requests",
    ErrorKind.BLOCKED: "Blocked by the provider’s rules",
    ErrorKind.UNAVAILABLE: "Provider not available",
    ErrorKind.NETWORK: "Connection broken",
    ErrorKind.TIMEOUT: "No answer in time",
    ErrorKind.BAD_RESPONSE: "Reply not understood",
    "internal": "Error of this site",
}


def finish(reason: str) -> str:
    """How an answer ended, also in a spelling that nobody here knows."""
    return FINISHES.get("complete" if reason == "stop" else reason) or _plain(reason)


def error(kind: str) -> str:
    """What went wrong, also in a spelling that nobody here knows."""
    return ERRORS.get(kind) or _plain(kind)


def _plain(word: str) -> str:
    return str(word).replace("_", " ").capitalize()
