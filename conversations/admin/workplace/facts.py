"""What is known of how an answer came to be, as a reviewer reads it. Knows no request and no queries."""

from __future__ import annotations

from dataclasses import dataclass

from conversations import personas
from conversations.admin import compare
from conversations.admin.workplace import moments
from conversations.models import Generation

NOT_PARAMETERS = {"system_prompt", "endpoint", "model", "context_length"}
UNKNOWN = "not reported"


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the column: what it is, and what it says. A `literal` one is somebody else's spelling."""

    name: str
    value: str
    literal: bool = False


def facts(answer: Generation) -> list[Fact]:
    """Of an answer, loaded with its version and that one's provider; without the version itself."""
    version = answer.version
    found = [
        Fact("Asked", moments.exact(answer.created_at)),
        Fact("Ended", moments.exact(answer.finished_at) if answer.finished_at else "not yet"),
        Fact("Model", version.model, literal=True),
        Fact("Served as", answer.model or UNKNOWN, literal=bool(answer.model)),
        Fact("Provider", f"{version.endpoint.name}, recorded" if answer.recorded else version.endpoint.name),
        Fact("Key", Generation.KeyOf(answer.key_of).label if answer.key_of else "none"),
        Fact("Parameters", _parameters(answer)),
        Fact("Tokens", _tokens(answer)),
        Fact("First token", _milliseconds(answer.first_token_ms)),
        Fact("Status", answer.status),
        Fact("Finish reason", answer.finish_reason or UNKNOWN, literal=bool(answer.finish_reason)),
        Fact("Request id", answer.request_id or UNKNOWN, literal=bool(answer.request_id)),
    ]
    if answer.error_kind:
        status = f" ({answer.provider_status})" if answer.provider_status else ""
        found.append(Fact("Error", answer.error_kind + status, literal=True))
    if answer.left_out:
        found.append(Fact("Left out", f"{answer.left_out} oldest messages"))
    if answer.inherited_chars:
        found.append(Fact("Continued", f"after {answer.inherited_chars:,} characters"))
    return found


def _parameters(answer: Generation) -> str:
    sent = [
        f"{compare.label(name).lower()} {value}"
        for name in personas.VERSIONED
        if name not in NOT_PARAMETERS and (value := compare.value(answer.version, name)) != compare.NOT_SENT
    ]
    return ", ".join(sent) or "none sent"


def _tokens(answer: Generation) -> str:
    if answer.prompt_tokens is None and answer.completion_tokens is None:
        return UNKNOWN
    said = f"{_count(answer.prompt_tokens)} in, {_count(answer.completion_tokens)} out"
    billed = (answer.billed_prompt_tokens, answer.billed_completion_tokens)
    if billed in {(None, None), (answer.prompt_tokens, answer.completion_tokens)}:
        return said
    return f"{said}; billed {_count(billed[0])} in, {_count(billed[1])} out"


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


def _milliseconds(value: int | None) -> str:
    if value is None:
        return "none came"
    return f"{value} ms" if value < 1_000 else f"{value / 1_000:.1f} s"
