"""A person's name, wherever others wrote it down: in the histories of the administration and in reasons; and what they
typed themselves into sessions."""

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

from conversations import histories
from conversations.models import Erasure, Membership
from conversations.models.company import in_order

BATCH = 500
SHORTEST = 3  # of a first or last name alone: a shorter one is too many other words
SITTINGS = "reasons typed in sessions"

Scrub = Callable[[str], str]


def of(person: User) -> list[str]:
    """What a person is called, the longest first."""
    parts = [part for part in (person.first_name, person.last_name) if len(part) >= SHORTEST]
    names = [person.email, person.get_full_name(), person.username, *parts]
    return sorted({name for name in names if name.strip()}, key=len, reverse=True)


def scrub(erasure: Erasure) -> Scrub:
    """Puts the pseudonym in the place of the person's username, address and names, where they stand as words."""
    longest_first = of(erasure.person)
    if not longest_first:
        return lambda text: text
    found = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    return lambda text: found.sub(erasure.pseudonym, text)


def places(person: User) -> QuerySet[LogEntry]:
    """The entries about the person's places at companies, those that they lost among them. No username has a blank."""
    kind = ContentType.objects.get_for_model(Membership)
    return LogEntry.objects.filter(content_type=kind, object_repr__startswith=_at(person))


def go_through(erasure: Erasure, after: str) -> str | None:
    """Take the name out of the next entries of the histories; gives back the last one's key, None at the end.

    Only where it may stand: in what is of the companies that the person had to do with and, where they are erased
    everywhere, of the account and its places. The same word in the history of another company is not the person.
    """
    account = ContentType.objects.get_for_model(User).pk
    theirs = histories.of_companies(erasure.companies)
    if erasure.company_id is None:
        theirs |= Q(content_type=account, object_id=str(erasure.person_id)) | Q(pk__in=places(erasure.person))
    ahead = LogEntry.objects.filter(theirs, pk__gt=int(after or 0)).order_by("pk")
    entries = list(ahead[:BATCH])
    if not entries:
        return None
    put, at, place = scrub(erasure), _at(erasure.person), ContentType.objects.get_for_model(Membership).pk
    changed = []
    for entry in entries:
        before = entry.object_repr, entry.change_message
        if entry.content_type_id == account:
            entry.object_repr = erasure.pseudonym
        elif entry.content_type_id == place and entry.object_repr.startswith(at):
            entry.object_repr = f"{erasure.pseudonym} at {entry.object_repr.removeprefix(at)}"[:200]
        entry.change_message = _without(entry.change_message, put)
        if (entry.object_repr, entry.change_message) != before:
            changed.append(entry)
    LogEntry.objects.bulk_update(changed, ["object_repr", "change_message"])
    return str(entries[-1].pk)


def sessions(erasure: Erasure, after: str) -> str | None:
    """End those of the next sessions that are the person's: they hold what was typed as a reason for reading. At one
    company they go on without what was typed for that company."""
    ahead = Session.objects.filter(session_key__gt=after).order_by("session_key")
    rows = list(ahead[:BATCH])
    if not rows:
        return None
    store = SessionStore()
    theirs = [
        (row, held)
        for row in rows
        if (held := store.decode(row.session_data)).get(SESSION_KEY) == str(erasure.person_id)
    ]
    if erasure.company_id is None:
        ended = Session.objects.filter(session_key__in=[row.session_key for row, _ in theirs])
        erasure.gone["sessions"] = erasure.gone.get("sessions", 0) + ended.delete()[0]
        return rows[-1].session_key
    sat = [(row, held) for row, held in theirs if held.get("sittings", {}).pop(str(erasure.company_id), None)]
    for row, held in sat:
        row.session_data = store.encode(held)
    Session.objects.bulk_update([row for row, _ in sat], ["session_data"])
    if sat:
        erasure.gone[SITTINGS] = erasure.gone.get(SITTINGS, 0) + len(sat)
    return rows[-1].session_key


def _at(person: User) -> str:
    """How the text of each entry about a place of the person's begins."""
    return f"{in_order(person)} at "


def _without(message: str, put: Scrub) -> str:
    """What an entry says was done, without the name. Django's are lists of facts, of which only the names of rows can
    hold one; the site's are sentences, whose first word is what was done."""
    if not message.startswith("["):
        done, blank, rest = message.partition(" ")
        return f"{done}{blank}{put(rest)}"
    facts = json.loads(message)
    for said in [each for fact in facts for each in fact.values() if "object" in each]:
        said["object"] = put(said["object"])
    return json.dumps(facts)
