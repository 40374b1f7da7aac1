"""How a message reads as Markdown, before it is sent. Nothing is looked up for it, and nothing is kept."""

from __future__ import annotations

import time
from collections import deque
from threading import Lock

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_POST

from conversations import posting
from conversations.rendering import markdown
from conversations.views import turns
from conversations.views.guards import PersonRequest, signed_in

MOST, SECONDS = 20, 10.0  # previews of a person in so many seconds, in a process
OFTEN = gettext_noop("You looked at previews very often. Wait a moment, then try again. Your text is kept.")
PEOPLE = 1_000  # that are remembered at once

_looked: dict[int, deque[float]] = {}
_looking = Lock()


@require_POST
@signed_in
def preview(request: PersonRequest) -> HttpResponse:
    """What was written so far, by the renderer that answers go through."""
    text = posting.checked_text(turns.text(request))
    _count(request.user.pk)
    return render(request, "chat/_preview.html", {"html": markdown.read_only(text)})


def _count(person: int) -> None:
    """Raises Refused for who looks too often: rendering takes up to a third of a second."""
    now = time.monotonic()
    with _looking:
        if person not in _looked and len(_looked) >= PEOPLE:
            _looked.pop(next(iter(_looked)))
        looks = _looked.setdefault(person, deque(maxlen=MOST))
        if len(looks) == MOST and now - looks[0] < SECONDS:
            raise posting.Refused(gettext(OFTEN), status=429, limit="previews", retry_after=int(SECONDS))
        looks.append(now)
