"""What the person who asked says of an answer."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from conversations import access, pages, thread
from conversations import feedback as verbs
from conversations.views.guards import PersonRequest, signed_in


@require_POST
@signed_in
def feedback(request: PersonRequest, conversation_id: uuid.UUID, message_id: uuid.UUID) -> HttpResponse:
    """Judge an answer (`good` is 1 or 0), say why, or take it back (`good` is empty).

    The buttons (`press`) bring along what is written in the form below them, so that none of it is lost.
    """
    found = access.conversation(request.user, conversation_id)
    answer = access.message(found, message_id)
    good = request.POST.get("good", "")
    if good in {"0", "1"}:
        verbs.rate(
            request.user,
            answer,
            good=good == "1",
            reasons=request.POST.getlist("reasons"),
            comment=request.POST.get("comment", ""),
        )
    else:
        verbs.take_back(answer)
    if not request.htmx:
        return redirect("conversation", conversation_id)
    # A press of "Bad answer" is asked for its reasons at once; the form has been.
    return HttpResponse(
        pages.foot(thread.turn(found, answer.pk), asking=good == "0" and "press" in request.POST)
    )


@require_POST
@signed_in
def flag(request: PersonRequest, conversation_id: uuid.UUID, message_id: uuid.UUID) -> HttpResponse:
    """Ask for a review of an answer (`flag` is 1), or no longer (`flag` is empty)."""
    found = access.conversation(request.user, conversation_id)
    answer = access.message(found, message_id)
    if request.POST.get("flag") == "1":
        verbs.flag(request.user, answer)
    else:
        verbs.unflag(answer)
    if not request.htmx:
        return redirect("conversation", conversation_id)
    return HttpResponse(pages.foot(thread.turn(found, answer.pk)))
