"""Removing the chats whose time is over: in small batches, by whichever process comes first, with a receipt.

A pass over one persona's chats goes by age and is a row (`RetentionRun`), so that it goes on where it stood, also in
another process. A batch is one transaction, which names the batch before it: two processes at once do nothing twice.
What is being written in at that moment is no longer old: see `removal.remove`.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from conversations import metrics, removal, retention, traces
from conversations.models import Conversation, Persona, RetentionRun

logger = logging.getLogger(__name__)

EVERY = timedelta(
    hours=20
)  # at least between two passes over one persona: once a day, at about the same time


def work() -> bool:
    """Do one batch of what is due, of any company. False where nothing more is to be done at the moment. Blocks."""
    if removal.work():
        return True
    now = timezone.now()
    for run in list(RetentionRun.objects.filter(finished_at=None).order_by("pk")):
        try:
            return batch(run)
        except IntegrityError:  # something was hung on a chat at that moment: next time it goes along
            logger.warning("a batch of chats that are too old has to be tried again", exc_info=True)
    begun = _begin(now)
    return begun is not None and batch(begun)


def batch(run: RetentionRun) -> bool:
    """Do the next batch of `run`; False where another process did it."""
    with transaction.atomic():
        mine = RetentionRun.objects.filter(pk=run.pk, step=run.step, finished_at=None)
        if not mine.update(step=F("step") + 1):
            return False
        days = retention.in_force([run.company_id], now=timezone.now()).get(run.persona_id)
        due = _due(run) if days is not None and days <= run.days else Conversation.objects.none()
        rows = list(due.order_by("active_at", "pk").values_list("pk", "active_at")[: removal.CONVERSATIONS])
        chosen = removal.batch([pk for pk, _ in rows])
        removed = removal.remove(chosen, Q(active_at__lt=run.cutoff))
        run.step += 1
        run.conversations += removed.conversations
        run.messages += removed.messages
        run.held += len(chosen) - removed.conversations
        if chosen:
            run.after_id, run.after = rows[len(chosen) - 1]
        else:
            run.finished_at = timezone.now()
        run.save()
    metrics.removed.labels("age").inc(removed.conversations)
    if run.finished_at is not None and run.conversations:
        traces.due()
        logger.info(
            "%d conversations of persona %s were older than %d days and are removed",
            run.conversations,
            run.persona_id,
            run.days,
        )
    return True


def _due(run: RetentionRun) -> QuerySet[Conversation]:
    """What is old enough and stands behind what the run has come to."""
    due = Conversation.objects.there().filter(persona=run.persona_id, active_at__lt=run.cutoff)
    if run.after is None:
        return due
    # The first condition alone says where the index is entered.
    return due.filter(Q(active_at__gt=run.after) | Q(pk__gt=run.after_id), active_at__gte=run.after)


def _begin(now: datetime) -> RetentionRun | None:
    """A new run for a persona that has something due and was not gone through lately."""
    days = retention.in_force(now=now)
    if not days:
        return None
    last = RetentionRun.objects.filter(persona=OuterRef("pk")).order_by("-pk").values("started_at")[:1]
    rested = Q(last=None) | Q(last__lt=now - EVERY)
    oldest = Conversation.objects.filter(persona=OuterRef("pk")).order_by("active_at").values("active_at")[:1]
    personas = Persona.objects.annotate(last=Subquery(last), oldest=Subquery(oldest))
    found = personas.filter(rested, pk__in=days, oldest__isnull=False).order_by("last", "pk")
    for pk, company, at in found.values_list("pk", "company_id", "oldest"):
        cutoff = now - timedelta(days=days[pk])
        if at < cutoff:
            return _new(RetentionRun(company_id=company, persona_id=pk, days=days[pk], cutoff=cutoff))
    return None


def _new(run: RetentionRun) -> RetentionRun | None:
    try:
        with transaction.atomic():
            run.save(force_insert=True)
        return run
    except IntegrityError:  # another process was quicker
        return None
