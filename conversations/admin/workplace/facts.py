"""What is known of how an answer came to be, as a reviewer reads it. Knows no request and no queries."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

from conversations import personas
from conversations.admin import compare
from conversations.admin.workplace import moments, wording
from conversations.models import Generation

NOT_PARAMETERS = {"system_prompt", "endpoint", "model", "context_length"}
UNKNOWN = gettext_noop("not reported")


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
        Fact(_("Asked"), moments.exact(answer.created_at)),
        Fact(_("Ended"), moments.exact(answer.finished_at) if answer.finished_at else _("not yet")),
        Fact(_("Model"), version.model, literal=True),
        Fact(_("Served as"), answer.model or _(UNKNOWN), literal=bool(answer.model)),
        Fact(_("Provider"), _provider(answer)),
        Fact(
            _("Key"), str(Generation.KeyOf(answer.key_of).label) if answer.key_of else pgettext("key", "none")
        ),
        Fact(_("Parameters"), _parameters(answer)),
        Fact(_("Tokens"), _tokens(answer)),
        Fact(_("First token"), _milliseconds(answer.first_token_ms)),
        Fact(_("Status"), _status(answer)),
        Fact(_("Finish reason"), answer.finish_reason or _(UNKNOWN), literal=bool(answer.finish_reason)),
        Fact(_("Request id"), answer.request_id or _(UNKNOWN), literal=bool(answer.request_id)),
    ]
    if answer.error_kind:
        status = f" ({answer.provider_status})" if answer.provider_status else ""
        found.append(Fact(_("Error"), answer.error_kind + status, literal=True))
    if answer.left_out:
        said = ngettext("%(number)s oldest message", "%(number)s oldest messages", answer.left_out)
        found.append(Fact(_("Left out"), said % {"number": answer.left_out}))
    if answer.inherited_chars:
        said = ngettext("after %(number)s character", "after %(number)s characters", answer.inherited_chars)
        found.append(Fact(_("Continued"), said % {"number": _count(answer.inherited_chars)}))
    return found


def _status(answer: Generation) -> str:
    known = {
        Generation.Status.PENDING: pgettext("answer", "pending"),
        Generation.Status.RUNNING: pgettext("answer", "running"),
        Generation.Status.DONE: pgettext("answer", "done"),
        Generation.Status.STOPPED: pgettext("answer", "stopped"),
        Generation.Status.FAILED: pgettext("answer", "failed"),
        Generation.Status.INTERRUPTED: pgettext("answer", "interrupted"),
    }
    return known[Generation.Status(answer.status)]


def _provider(answer: Generation) -> str:
    name = answer.version.endpoint.name
    return _("%(provider)s, recorded") % {"provider": name} if answer.recorded else name


def _parameters(answer: Generation) -> str:
    sent = [
        f"{wording.within(str(compare.label(name)))} {value}"
        for name in personas.VERSIONED
        if name not in NOT_PARAMETERS
        and (value := compare.value(answer.version, name)) != str(compare.NOT_SENT)
    ]
    return ", ".join(sent) or _("none sent")


def _tokens(answer: Generation) -> str:
    if answer.prompt_tokens is None and answer.completion_tokens is None:
        return _(UNKNOWN)
    numbers = {"in": _count(answer.prompt_tokens), "out": _count(answer.completion_tokens)}
    billed = (answer.billed_prompt_tokens, answer.billed_completion_tokens)
    if billed in {(None, None), (answer.prompt_tokens, answer.completion_tokens)}:
        return _("%(in)s in, %(out)s out") % numbers
    said = _("%(in)s in, %(out)s out; billed %(billed_in)s in, %(billed_out)s out")
    return said % {**numbers, "billed_in": _count(billed[0]), "billed_out": _count(billed[1])}


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else number_format(tokens, force_grouping=True)


def _milliseconds(value: int | None) -> str:
    if value is None:
        return _("none came")
    return f"{value} ms" if value < 1_000 else f"{number_format(f'{value / 1_000:.1f}')} s"
