"""Carrying out an erasure: small steps, each of which may be the last one before a crash.

A step is one transaction that names the step before it, so that of two processes one does it, and the count in the
receipt is kept in the same transaction as what is counted. Doing a step twice changes nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from conversations import filing, metrics, removal, traces
from conversations.erasing import names, passes
from conversations.erasing.asking import conversations, stop_answers
from conversations.models import Erasure, Generation

logger = logging.getLogger(__name__)

Stage = Erasure.Stage
ORDER = list(Stage)


def work() -> bool:
    """Do a step of the first erasure that can go on. False where there is none at the moment. Blocks."""
    under_way = list(Erasure.objects.filter(finished_at=None).select_related("person", "stand_in", "company"))
    return any(advance(erasure) for erasure in under_way)


def advance(erasure: Erasure) -> bool:
    """Do the next step of `erasure`; False where it is done, waits, or another process did the step."""
    if erasure.stage == Stage.TRACES:
        return _clean(erasure)
    if (
        erasure.stage == Stage.CONVERSATIONS
        and not conversations(erasure).filter(removal.removable()).exists()
    ):
        if removal.work():
            return True
        _file_ended(erasure)
        if left := conversations(erasure).filter(closed_at=None).count():
            return _wait(erasure, left)
    if erasure.stage == Stage.DONE:
        return False
    with transaction.atomic():
        if not _mine(erasure):
            return False
        _STEPS[Stage(erasure.stage)](erasure)
        erasure.save(update_fields=["stage", "cursor", "gone", "stays", "postponed"])
    return True


def _mine(erasure: Erasure) -> bool:
    """Whether the next step is this process's to do."""
    here = Erasure.objects.filter(pk=erasure.pk, step=erasure.step, finished_at=None)
    taken = bool(here.update(step=F("step") + 1))
    erasure.step += taken
    return taken


def _next_stage(erasure: Erasure) -> None:
    erasure.stage, erasure.cursor = ORDER[ORDER.index(Stage(erasure.stage)) + 1], ""


def _remove(erasure: Erasure) -> None:
    """Some conversations; the next stage once there are none."""
    stop_answers(erasure)
    mine = conversations(erasure)
    free = mine.filter(removal.removable()).values_list("pk", flat=True)[: removal.CONVERSATIONS]
    removed = removal.remove(removal.batch(list(free)), Q(owner=erasure.person_id))
    erasure.gone = dict(Counter(erasure.gone) + removed.rows)
    metrics.removed.labels("person").inc(removed.conversations)
    if not removed.conversations and not mine.exists():
        erasure.postponed = 0
        _next_stage(erasure)


def _by(work: Callable[[Erasure, str], str | None]) -> Callable[[Erasure], None]:
    """A stage that goes on behind its cursor, to the next stage at its end."""

    def step(erasure: Erasure) -> None:
        reached = work(erasure, erasure.cursor)
        if reached is None:
            _next_stage(erasure)
        else:
            erasure.cursor = reached

    return step


def _unname(erasure: Erasure) -> None:
    """Take the name off the account. A question that was being asked when it was closed is looked for once more."""
    person = User.objects.select_for_update().get(pk=erasure.person_id)
    if conversations(erasure).exists():
        erasure.stage, erasure.cursor = Stage.CONVERSATIONS, ""
        return
    if erasure.company_id is None:
        person.username = erasure.pseudonym
        person.first_name = person.last_name = person.email = ""
        person.is_active = person.is_staff = person.is_superuser = False
        person.last_login, person.date_joined = None, erasure.asked_at
        person.set_unusable_password()
        person.save()
        person.groups.clear()
        person.user_permissions.clear()
        erasure.gone["name, address and password"] = 1
    _next_stage(erasure)


_STEPS: dict[Stage, Callable[[Erasure], None]] = {
    Stage.CONVERSATIONS: _remove,
    Stage.RECORDS: _by(passes.do_next),
    Stage.SESSIONS: _by(names.sessions),
    Stage.HISTORY: _by(names.go_through),
    Stage.ACCOUNT: _unname,
}


def _clean(erasure: Erasure) -> bool:
    """One piece of what is left in the database's files, outside of any transaction; at the end, the end of it all."""
    if not _mine(erasure):
        return False
    reached = traces.work(erasure.cursor)
    if reached is not None:
        Erasure.objects.filter(pk=erasure.pk).update(cursor=reached)
        erasure.cursor = reached
        return reached != traces.WAITING
    erasure.stage, erasure.finished_at = Stage.DONE, timezone.now()
    erasure.save(update_fields=["stage", "finished_at"])
    metrics.erasures.labels("done").inc()
    logger.info("erasure %d is done", erasure.pk)
    return True


def _file_ended(erasure: Erasure) -> None:
    """See that what the person's answers cost is in the ledger before they go."""
    unfiled = Generation.objects.filter(conversation__in=conversations(erasure).values("pk"), filed=False)
    if unfiled.filter(finished_at__isnull=False).exists():
        filing.file_ended()


def _wait(erasure: Erasure, left: int) -> bool:
    """Nothing can go at the moment: an answer has to end, or a review, or a hold to be lifted."""
    stop_answers(erasure)
    if conversations(erasure).filter(removal.removable()).exists():
        return True  # what was just filed can go now
    if erasure.postponed != left:
        Erasure.objects.filter(pk=erasure.pk).update(postponed=left)
        erasure.postponed = left
    return False
