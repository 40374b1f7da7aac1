"""What the forms that ask for a turn have in common: what they send, and what follows once it is kept."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from conversations import announcements, attaching, generation, pages, posting
from conversations.models import Generation
from conversations.views.guards import PersonRequest

LEAVING = gettext_noop("The server is being restarted. Your text is kept; send it again in a moment.")
FULL = gettext_noop(
    "The server writes as many answers as it can at the moment. Your text is kept; send it again in a moment."
)


def text(request: PersonRequest) -> str:
    """What was written."""
    return request.POST.get("text", "")


def files(request: PersonRequest) -> list[attaching.File]:
    """What was attached. Raises Refused."""
    return attaching.read(request.FILES.getlist("files"))


@contextlib.contextmanager
def asking(request: PersonRequest) -> Iterator[uuid.UUID]:
    """Around the making of a turn and the beginning of its answer: the identity that the page gave to the request.

    Raises Refused, also where no more answers can begin here.
    """
    if generation.leaving():
        raise posting.Refused(_(LEAVING), status=503)
    try:
        client_id = uuid.UUID(request.POST.get("client_id", ""))
    except ValueError as error:
        raise posting.Refused(
            _("The page is out of date. Reload it and send again. Your text is kept."), status=400
        ) from error
    with generation.place() as free:
        if not free:
            raise posting.Refused(_(FULL), status=503, limit="answers_of_a_process")
        yield client_id


def begin(turn: posting.Turn) -> None:
    """Run the answer, and tell the other pages that another branch is shown.

    Repeated, it changes nothing but where the process that kept the question ended before it began the answer.
    """
    if turn.created:
        async_to_sync(_begin)(turn, announcements.branch_changed(turn.conversation.pk))
    elif turn.generation.status == Generation.Status.PENDING:
        async_to_sync(generation.start)(turn.generation)


def begin_at_the_end(turn: posting.Turn) -> str:
    """Run the answer of a turn just made, and give the other pages the fragment that adds it. Gives back the same."""
    fragment = pages.asked(turn)
    async_to_sync(_begin)(turn, announcements.turn_added(turn, fragment))
    return fragment


def opened(request: PersonRequest, turn: posting.Turn) -> HttpResponse:
    """Run the first answer of a conversation, and go there."""
    begin(turn)
    url = reverse("conversation", args=[turn.conversation.pk])
    return (
        trigger_client_event(HttpResponseClientRedirect(url), "accepted") if request.htmx else redirect(url)
    )


async def _begin(turn: posting.Turn, announcing: Coroutine[Any, Any, None]) -> None:
    await generation.start(turn.generation)
    await announcing
