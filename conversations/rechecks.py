"""Whether those who hold open sockets may still see what they look at, and do: one look for a whole process.

What a socket was let in by, and what it shows, is compared with what the database says now, every second or so and in a
few queries however many there are. So nobody has to be told of a right that is gone, and an announcement that was lost
comes to light. Nothing is decided here: whatever differs sends its socket through the door again.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
import uuid
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import Error as DatabaseError
from django.db.models import BooleanField, ExpressionWrapper
from django.utils import timezone

from conversations import factors, metrics, proofs
from conversations.database import in_database
from conversations.models import Conversation, Membership
from conversations.models.conversation import present

logger = logging.getLogger(__name__)

EVERY = 0.8  # seconds; so a socket that is to close does so within one
SELDOM = 4.0  # seconds at most where there are very many sockets: within five
SHARE = 0.02  # of the time, at most, that is spent on looking
BATCH = 500  # sockets in one query


class Evidence(NamedTuple):
    """What lets a session see a conversation, and the message down to which that is shown."""

    rights: tuple[Any, ...]
    head: uuid.UUID | None


class Socket(Protocol):
    """What is rechecked. `evidence` was gathered before it was let in; `shown_head` is empty while nothing is shown."""

    session_key: str
    conversation_id: uuid.UUID
    evidence: Evidence
    shown_head: str

    @property
    def rechecking(self) -> bool:
        """Whether the last recheck is still under way."""

    def recheck(self) -> None:
        """Begin to go through the door again, and to close where it is shut."""


_sockets: dict[Socket, None] = {}  # in the order of their coming
_task: asyncio.Task[None] | None = None
metrics.sockets.set_function(lambda: len(_sockets))


def evidence(held: Sequence[tuple[str, uuid.UUID]]) -> list[Evidence]:
    """For each session and conversation what lets the one see the other - sign-in, person, role, second factor, places
    that ask for a proof - and the head."""
    sessions = Session.objects.filter(
        session_key__in={key for key, _ in held}, expire_date__gt=timezone.now()
    )
    data = dict(sessions.values_list("session_key", "session_data"))
    fields = (
        "owner",
        "persona__company",
        "trial",
        "present",
        "owner__password",
        "owner__is_active",
        "owner__is_superuser",
        "persona__published",  # these two let nobody in: they say what a socket may offer below an answer
        "persona__current",
        "title",
    )
    looked_at = Conversation.objects.filter(pk__in={pk for _, pk in held})
    looked_at = looked_at.annotate(present=ExpressionWrapper(present(), BooleanField()))
    found = looked_at.values_list("pk", "head", *fields)
    heads, chats = {}, {}
    for pk, head, *row in found:
        heads[pk], chats[pk] = head, row
    members = Membership.objects.filter(user__in={owner for owner, *_ in chats.values()})
    judged = members.annotate(lacks=factors.missing(), elsewhere=proofs.elsewhere())
    places = list(judged.values_list("user", "company", "role", "lacks", "elsewhere"))
    roles = {(user, company): role for user, company, role, *_ in places}
    lacking = {user for user, _, _, lacks, _ in places if lacks}
    elsewhere = {user for user, *_, beyond in places if beyond}
    return [
        Evidence(
            (
                data.get(key),
                *(chat := chats.get(pk, [None, None])),
                roles.get((chat[0], chat[1])),
                chat[0] in lacking,
                chat[0] in elsewhere,
            ),
            heads.get(pk),
        )
        for key, pk in held
    ]


def add(socket: Socket) -> None:
    """Look after `socket` until it is removed."""
    global _task
    loop = asyncio.get_running_loop()
    if _task is not None and _task.get_loop() is not loop:
        _sockets.clear()  # those of another event loop are gone with it
    if _task is None or _task.done() or _task.get_loop() is not loop:
        _task = asyncio.create_task(_look_regularly(), context=contextvars.Context())
    _sockets[socket] = None


def remove(socket: Socket) -> None:
    """No longer look after `socket`."""
    _sockets.pop(socket, None)


def crowd(newcomer: Evidence) -> str:
    """The name of the limit that one more socket, the `newcomer`'s, would go past; else nothing.

    Each process counts its own: what a socket takes is a process's memory.
    """
    if 0 < settings.PROCESS_SOCKETS <= len(_sockets):
        return "sockets_of_a_process"
    _, person, company, *_ = newcomer.rights
    rights = [socket.evidence.rights for socket in _sockets]
    if 0 < settings.PERSON_SOCKETS <= sum(each[1] == person for each in rights):
        return "sockets_of_a_person"
    if 0 < settings.COMPANY_SOCKETS <= sum(each[2] == company for each in rights):
        return "sockets_of_a_company"
    return ""


async def look() -> None:
    """Look after every socket once."""
    waiting = iter(list(_sockets))
    while batch := list(islice(waiting, BATCH)):
        now = await in_database(evidence, [(each.session_key, each.conversation_id) for each in batch])
        for socket, found in zip(batch, now, strict=True):
            if socket not in _sockets or socket.rechecking:
                continue  # the next look sees to it
            before, socket.evidence = socket.evidence, found
            # A head is new for a moment before its announcement comes: only one that was seen before was missed.
            missed = socket.shown_head not in ("", str(found.head)) and found.head == before.head
            if missed or found.rights != before.rights:
                socket.recheck()


async def _look_regularly() -> None:
    pause = EVERY
    while True:
        await asyncio.sleep(pause)
        began = time.monotonic()
        try:
            await look()
        except DatabaseError as error:  # which nobody can have been signed out of meanwhile either
            logger.error("open sockets are rechecked later: %s", type(error).__name__)
        except Exception:
            logger.exception("rechecking open sockets failed")
        pause = min(max(EVERY, (time.monotonic() - began) / SHARE), SELDOM)
