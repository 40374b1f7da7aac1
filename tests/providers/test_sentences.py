"""What people are told: every kind of error and every way to end has its sentence."""

import pytest

from conversations.providers import (
    ErrorKind,
    FinishReason,
    ProviderError,
    error_sentence,
    finish_sentence,
)

SENTENCES = {
    ErrorKind.AUTH: "The API key was refused.",
    ErrorKind.BILLING: "Billing limit reached at ",
    ErrorKind.FORBIDDEN: "does not allow this model or request",
    ErrorKind.MODEL_NOT_FOUND: "does not know this model or address",
    ErrorKind.INVALID_REQUEST: "did not accept the request",
    ErrorKind.CONTEXT_LENGTH: "The conversation no longer fits this model. Start a new chat.",
    ErrorKind.RATE_LIMITED: "Too many requests to ",
    ErrorKind.BLOCKED: "blocked by the rules of ",
    ErrorKind.UNAVAILABLE: " is not available at the moment. Try again in a moment.",
    ErrorKind.TIMEOUT: "did not answer in time",
    ErrorKind.NETWORK: "could not be reached",
    ErrorKind.BAD_RESPONSE: "sent something that is not an answer",
    ErrorKind.ADDRESS: "does not call the address of ",
    ErrorKind.KEY: "cannot be opened",
    ErrorKind.ENDPOINT: "is not one of your company's",
}


def test_every_kind_has_a_sentence() -> None:
    assert set(SENTENCES) == set(ErrorKind)
    for kind, part in SENTENCES.items():
        assert part in error_sentence(ProviderError(kind, "Mistral"))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "in a moment"),
        (0, "in 1 second"),
        (1.2, "in 2 seconds"),
        (60, "in 60 seconds"),
        (61, "in 2 minutes"),
        (3600, "in 60 minutes"),
        (7200, "in 2 hours"),
    ],
)
def test_waits(seconds: float | None, expected: str) -> None:
    error = ProviderError(ErrorKind.RATE_LIMITED, "Mistral", retry_after=seconds)
    assert error_sentence(error) == f"Too many requests to Mistral. Try again {expected}."


@pytest.mark.parametrize(
    ("reason", "detail", "sentence"),
    [
        (FinishReason.COMPLETE, "", ""),
        (
            FinishReason.COMPLETE,
            "the answer was empty",
            "Mistral sent an empty answer. Try again or ask in another way.",
        ),
        (
            FinishReason.LENGTH,
            "",
            "The answer was cut at its length limit. Continue it, or ask for a shorter one.",
        ),
        (
            FinishReason.ERROR,
            "boom.",
            "Mistral stopped with an error (boom). The text so far is kept. Try again.",
        ),
        (
            FinishReason.INTERRUPTED,
            "",
            "The answer was interrupted. The text so far is kept. Continue it or try again.",
        ),
        (
            FinishReason.UNKNOWN,
            "banana",
            "The answer ended for an unknown reason (banana). The text so far is kept. Try again.",
        ),
        (
            FinishReason.UNKNOWN,
            "see https://x/y?key=z",
            "The answer ended for an unknown reason (see). The text so far is kept. Try again.",
        ),
    ],
)
def test_finish_sentences(reason: FinishReason, detail: str, sentence: str) -> None:
    assert finish_sentence(reason, detail, "Mistral") == sentence


@pytest.mark.parametrize("reason", FinishReason)
@pytest.mark.parametrize("detail", ["", "{0}", "{provider!r}"])
def test_every_finish_has_a_sentence(reason: FinishReason, detail: str) -> None:
    assert finish_sentence(reason, detail, "{Odd} label") or reason is FinishReason.COMPLETE
