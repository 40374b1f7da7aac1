"""Where somebody is signed in: by which browser, since when. A session that ends closes its sockets (`rechecks.py`)."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from conversations.accounts import callers
from conversations.models import SignIn

AGENT_CHARS = 200
CLEARED = 200  # sessions at a time
# The first that is named counts: browsers name those that they want to be taken for as well.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def note(request: HttpRequest, person: User, *, waiting: bool = False) -> None:
    """Remember the session of `request`, which `person` has just begun, and forget those of theirs that are over.

    One that is `waiting` for a second factor is theirs to see and to end as well: somebody has their password.
    """
    SignIn.objects.filter(user=person).exclude(session_key__in=_living()).delete()
    if request.session.session_key is None:
        request.session.save()
    address = callers.address_of(request)
    SignIn.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": person,
            "agent": request.headers.get("User-Agent", "")[:AGENT_CHARS],
            "address": str(address) if address else None,
            "at": timezone.now(),
            "waiting": waiting,
        },
    )


def elsewhere(request: HttpRequest, person: User) -> QuerySet[SignIn]:
    """The other sessions of `person`, newest first."""
    mine = SignIn.objects.filter(user=person, session_key__in=_living())
    return mine.exclude(session_key=request.session.session_key)


def end_elsewhere(request: HttpRequest, person: User) -> int:
    """End the other sessions of `person`. Gives back how many there were."""
    keys = list(elsewhere(request, person).values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    SignIn.objects.filter(session_key__in=keys).delete()
    return len(keys)


def clear() -> int:
    """Delete some of the sessions that are over, and what was noted of them. Gives back how many there were."""
    over = Session.objects.filter(expire_date__lt=timezone.now()).values_list("session_key", flat=True)
    keys = list(over[:CLEARED])
    if keys:
        Session.objects.filter(session_key__in=keys).delete()
        SignIn.objects.filter(session_key__in=keys).delete()
    return len(keys)


def renamed(before: str | None, after: str | None) -> None:
    """A session goes on under another key."""
    SignIn.objects.filter(session_key=before).update(session_key=after)


def browser(agent: str) -> str:
    """What a browser calls itself, in words that its owner knows."""
    name = next(
        (words for sign, words in BROWSERS.items() if re.search(rf"{sign}\w*/", agent)), gettext("A browser")
    )
    system = next((words for sign, words in SYSTEMS.items() if sign in agent), "")
    return gettext("%(browser)s on %(system)s") % {"browser": name, "system": system} if system else name


def _living() -> QuerySet[Session, str]:
    return Session.objects.filter(expire_date__gt=timezone.now()).values_list("session_key", flat=True)
