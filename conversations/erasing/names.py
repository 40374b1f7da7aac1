"""A person's name, wherever others wrote it down: in the histories of the administration and in reasons."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from conversations.models import Company, Erasure, Membership, Persona

BATCH = 500
SHORTEST = 3  # of a first or last name alone: a shorter one is too many other words

Scrub = Callable[[str], str]


def scrub(erasure: Erasure) -> Scrub:
    """Puts the pseudonym in the place of the person's username, address and names, where they stand as words."""
    person = erasure.person
    parts = [part for part in (person.first_name, person.last_name) if len(part) >= SHORTEST]
    names = [person.email, person.get_full_name(), person.username, *parts]
    written = {form for name in names if name.strip() for form in (name, json.dumps(name)[1:-1])}
    if not written:
        return lambda text: text
    longest_first = sorted(written, key=len, reverse=True)
    found = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    return lambda text: found.sub(erasure.pseudonym, text)


def histories(erasure: Erasure, after: str) -> str | None:
    """Go through the next entries of the histories; gives back the last one's key, None at the end.

    Of one company it is those of its own rows alone: the account has its name still.
    """
    ahead = LogEntry.objects.filter(pk__gt=int(after or 0)).order_by("pk")
    if erasure.company is not None:
        ahead = ahead.filter(of_company(erasure.company))
    entries = list(ahead[:BATCH])
    if not entries:
        return None
    put = scrub(erasure)
    account = ContentType.objects.get_for_model(User).pk
    changed = []
    for entry in entries:
        before = entry.object_repr, entry.change_message
        own = entry.content_type_id == account and entry.object_id == str(erasure.person_id)
        entry.object_repr = erasure.pseudonym if own else put(entry.object_repr)[:200]
        entry.change_message = put(entry.change_message)
        if (entry.object_repr, entry.change_message) != before:
            changed.append(entry)
    LogEntry.objects.bulk_update(changed, ["object_repr", "change_message"])
    return str(entries[-1].pk)


def of_company(company: Company) -> Q:
    """Which entries of the histories are about rows of `company`."""
    kinds = ContentType.objects.get_for_models(Company, Persona, Membership)
    personas = [str(pk) for pk in Persona.objects.filter(company=company).values_list("pk", flat=True)]
    return (
        Q(content_type=kinds[Company], object_id=str(company.pk))
        | Q(content_type=kinds[Persona], object_id__in=personas)
        | Q(content_type=kinds[Membership], object_repr__endswith=f" at {company.name}")
    )


def sessions(erasure: Erasure, after: str) -> str | None:
    """End those of the next sessions that are the person's: they hold what was typed as a reason for reading."""
    ahead = Session.objects.filter(session_key__gt=after).order_by("session_key")
    rows = list(ahead.values_list("session_key", "session_data")[:BATCH])
    if not rows:
        return None
    store = SessionStore()
    theirs = [key for key, data in rows if store.decode(data).get(SESSION_KEY) == str(erasure.person_id)]
    ended: QuerySet[Session] = Session.objects.filter(session_key__in=theirs)
    erasure.gone["sessions"] = erasure.gone.get("sessions", 0) + ended.delete()[0]
    return rows[-1][0]
