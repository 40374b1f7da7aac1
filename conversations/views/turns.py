"""What the forms that ask for a turn have in common: what they send, and what follows once it is kept."""

from __future__ import annotations

import uuid

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from conversations import announcements, generation, posting
from conversations.views.guards import PersonRequest


def text(request: PersonRequest) -> str:
    """What was written."""
    return request.POST.get("text", "")


def client_id(request: PersonRequest) -> uuid.UUID:
    """The identity that the page gave to the request. Raises Refused."""
    try:
        return uuid.UUID(request.POST.get("client_id", ""))
    except ValueError as error:
        raise posting.Refused(
            "The page is out of date. Reload it and send again. Your text is kept.", status=400
        ) from error


def begin(turn: posting.Turn, *, added: bool = False) -> None:
    """Run the answer and tell the other pages. A repeated request changes nothing."""
    async_to_sync(_begin)(turn, added=added)


def opened(request: PersonRequest, turn: posting.Turn) -> HttpResponse:
    """Run the first answer of a conversation, and go there."""
    begin(turn)
    url = reverse("conversation", args=[turn.conversation.pk])
    return (
        trigger_client_event(HttpResponseClientRedirect(url), "accepted") if request.htmx else redirect(url)
    )


def ids(turn: posting.Turn) -> list[uuid.UUID]:
    """The question and its answer."""
    return [pk for pk in (turn.answer.parent_id, turn.answer.pk) if pk]


async def _begin(turn: posting.Turn, *, added: bool) -> None:
    if not turn.created:
        return
    await generation.start(turn.generation.pk)
    if added:
        await announcements.turns_added(turn.conversation.pk, ids(turn), below=turn.below)
    else:
        await announcements.branch_changed(turn.conversation.pk)
