"""Trials of a persona: a chat with its draft, or its version in force, that stands in nobody's list.

The page is shown in a frame beside the form of the persona, so it and the page of a trial let our own site frame
them. Everything else about a trial is a conversation's: see `chat.py`.
"""

from __future__ import annotations

import uuid
from typing import Any, cast

from csp.constants import SELF
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods

from conversations import access, budgets, endpoints, posting
from conversations.models import PersonaVersion
from conversations.views import turns
from conversations.views.guards import PersonRequest, takes_files


@takes_files
@require_http_methods(["GET", "HEAD", "POST"])
def try_(request: PersonRequest, persona_id: uuid.UUID) -> HttpResponse:
    """A trial that has not begun; and its first question, to the very version that the page named."""
    persona = access.managed_persona(request.user, persona_id)
    if request.method == "POST":
        version = access.version_to_try(persona, request.GET.get("version", ""))
        with turns.asking(request) as client_id:
            made = posting.try_(
                request.user, version, turns.text(request), client_id=client_id, files=turns.files(request)
            )
            return turns.opened(request, made)
    newest = persona.draft or persona.current
    if newest is None:
        raise access.NotVisible
    context = {
        "persona": persona,
        "notice": endpoints.notice(newest.endpoint, persona.company_id),
        "form_action": f"{request.path}?version={newest.pk}",
        "client_id": uuid.uuid4(),
        "colours": [persona.company.colour_code],
        "budget_notes": budgets.told(request.user.pk, {persona.company_id}),
    }
    return framed(request, "chat/trial.html", context | heading(newest))


def heading(version: PersonaVersion) -> dict[str, Any]:
    """What the head of a trial's page says: what is tried, and the ways to a new trial and to the persona."""
    persona = [version.persona_id]
    return {
        "trial": _named(version),
        "try_url": reverse("admin:conversations_persona_try", args=persona),
        "persona_url": reverse("admin:conversations_persona_change", args=persona),
    }


def framed(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page that our own pages may show in a frame."""
    framing = csp_replace({"frame-ancestors": [SELF]})
    page = xframe_options_sameorigin(framing(lambda asked: render(asked, template, context)))
    return cast(HttpResponse, page(request))


def _named(version: PersonaVersion) -> str:
    if version.number is not None:
        return _("Trial of version %(number)s") % {"number": version.number}
    saved = timezone.localtime(version.created_at)
    today = saved.date() == timezone.localdate()
    when = date_format(saved, "TIME_FORMAT" if today else "DATETIME_FORMAT")
    return _("Trial of the draft saved %(when)s") % {"when": when}
