"""What the person who asked says of an answer."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from conversations import access, pages, thread
from conversations import feedback as verbs
from conversations.views.guards import PersonRequest, signed_in

# What a press has done, below the answer and for the ears.
RATED = gettext_noop("Kept with this answer. Your company’s reviewers may read this whole conversation.")
ASKED = gettext_noop("Kept with this answer. Say below what was wrong, if you like.")
FLAGGED = gettext_noop("Flagged. Your company’s reviewers may read this whole conversation.")
TAKEN_BACK = gettext_noop("Taken back. Where it has opened a review already, that goes on.")


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
    asking = good == "0" and "press" in request.POST
    said = ASKED if asking else RATED if good in {"0", "1"} else TAKEN_BACK
    return HttpResponse(pages.foot(thread.turn(found, answer.pk), asking=asking, said=_(said)))


@require_POST
@signed_in
def flag(request: PersonRequest, conversation_id: uuid.UUID, message_id: uuid.UUID) -> HttpResponse:
    """Ask for a review of an answer (`flag` is 1), or no longer (`flag` is empty)."""
    found = access.conversation(request.user, conversation_id)
    answer = access.message(found, message_id)
    flagged = request.POST.get("flag") == "1"
    if flagged:
        verbs.flag(request.user, answer)
    else:
        verbs.unflag(answer)
    if not request.htmx:
        return redirect("conversation", conversation_id)
    return HttpResponse(pages.foot(thread.turn(found, answer.pk), said=_(FLAGGED if flagged else TAKEN_BACK)))
