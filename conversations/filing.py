"""Every answer that ended is filed: into the ledger, into the search, and past the rules of the queue.

Filing runs behind the answer, in a task of its own, and not in the transaction that ends it: what a company's rules
look for must hold up nobody's answer. What takes long, looking through texts, is done before the transaction, and by
company, so that what takes one long keeps no other waiting. An answer is filed again when something was said of it.
Filing twice is harmless, and a process that dies in between leaves the answer to the next.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from conversations import attached, rules, scanning, search
from conversations.models import AnswerRecord, Charge, Generation

logger = logging.getLogger(__name__)

BATCH = 100  # answers in one transaction
WINDOW = 1_000  # answers, of all companies, that are looked at to find whose turn it is


def file_ended(limit: int = BATCH) -> int:
    """File ended answers, those that ended first first: of each company that has any, up to `limit` and as many as
    there is time for, so that none waits for another's. Gives back how many it took up, filed or not."""
    waiting = _unfiled()[:WINDOW]
    turns = _by_company(waiting)
    if not turns:
        return 0  # as nearly always: without a transaction, which would keep SQLite's writers waiting
    slow = [company for company, ids in turns.items() if _batch(company, ids[:limit]) < len(ids[:limit])]
    if slow and sum(map(len, turns.values())) == WINDOW:
        # They may have more waiting than is looked at, and others behind them.
        others = _by_company(_unfiled().exclude(conversation__persona__company__in=list(turns))[:WINDOW])
        for company, ids in others.items():
            _batch(company, ids[:limit])
        turns |= others
    return sum(len(ids[:limit]) for ids in turns.values())


def _by_company(waiting: QuerySet[Generation]) -> dict[uuid.UUID, list[uuid.UUID]]:
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for pk, company in waiting.values_list("pk", "conversation__persona__company"):
        found.setdefault(company, []).append(pk)
    return found


def _batch(company: uuid.UUID, waiting: Sequence[uuid.UUID]) -> int:
    """File answers of one company together, or else one by one. Gives back for how many there was time."""
    try:
        return _file(company, waiting)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%d answers cannot be filed together; now one by one", len(waiting))
        for pk in waiting:
            _alone(company, pk)
    return len(waiting)


def _alone(company: uuid.UUID, pk: uuid.UUID) -> None:
    """File one answer, or leave it out: it would be tried for ever, and hold up what comes behind it."""
    try:
        _file(company, [pk])
    except DatabaseError:
        raise
    except Exception:
        logger.exception("answer %s cannot be filed and is left out", pk)
        Generation.objects.filter(pk=pk).update(filed=True)


def _unfiled() -> QuerySet[Generation]:
    return Generation.objects.filter(filed=False, finished_at__isnull=False).order_by("finished_at")


def _file(company: uuid.UUID, waiting: Sequence[uuid.UUID]) -> int:
    found, read = scanning.read(company, waiting)
    if not read:
        return 0
    with transaction.atomic():
        # Whatever is said of them meanwhile waits for this row; what another process files is left to it.
        ids = list(
            _unfiled().select_for_update(skip_locked=True).filter(pk__in=read).values_list("pk", flat=True)
        )
        answers = _load(ids)
        records = _record(answers)
        filed = [(records[a.message_id], a) for a in answers if a.conversation.trial_id is None]
        lasting = [each for each in filed if each[1].conversation.temporary_until is None]
        search.add(_documents(lasting))
        search.entitle(_titles(lasting))
        rules.consider(filed, found)
        Generation.objects.filter(pk__in=ids).update(filed=True)
    return len(read)


def _load(ids: Sequence[uuid.UUID]) -> list[Generation]:
    return list(
        Generation.objects.filter(pk__in=ids)
        .select_related("version", "conversation__persona", "message__parent")
        .select_related("message__feedback", "message__flag")
        .order_by("finished_at")
    )


def _record(answers: Sequence[Generation]) -> dict[Any, AnswerRecord]:
    """Add the answers to the ledger; of those that it has, take over what may have changed since. Gives back what it
    has of each, by message."""
    known = AnswerRecord.objects.in_bulk([a.message_id for a in answers], field_name="message_id")
    charges = Charge.objects.in_bulk([answer.pk for answer in answers])
    rows = {answer.message_id: _row(answer, charges.get(answer.pk)) for answer in answers}
    new = [row for message, row in rows.items() if message not in known]
    AnswerRecord.objects.bulk_create(new)
    for message, record in known.items():
        record.good = rows[message].good
    AnswerRecord.objects.bulk_update(known.values(), ["good"])
    return known | {row.message_id: row for row in new}


def _titles(filed: Sequence[tuple[AnswerRecord, Generation]]) -> dict[int, tuple[int, str]]:
    """By their first record the owners and titles of conversations whose first answer is among those filed."""
    chats = {record.pk: answer.conversation for record, answer in filed}
    grouped = AnswerRecord.objects.filter(conversation__in=set(chats.values())).values("conversation")
    firsts = grouped.annotate(first=Min("pk")).values_list("first", flat=True).order_by()
    return {pk: (chats[pk].owner_id, chats[pk].title) for pk in firsts if pk in chats}


def _row(answer: Generation, charge: Charge | None) -> AnswerRecord:
    conversation, message = answer.conversation, answer.message
    guessed = charge if charge and charge.estimated else None
    feedback = getattr(message, "feedback", None)
    return AnswerRecord(
        company_id=conversation.persona.company_id,
        persona_id=conversation.persona_id,
        version=answer.version,
        person_id=conversation.owner_id,
        conversation=conversation,
        message=message,
        trial=conversation.trial_id is not None,
        model=answer.version.model,
        status=answer.status,
        finish_reason=answer.finish_reason,
        error_kind=answer.error_kind or None,
        prompt_tokens=_first(answer.billed_prompt_tokens, answer.prompt_tokens),
        completion_tokens=_first(answer.billed_completion_tokens, answer.completion_tokens),
        estimated_prompt=guessed.prompt_tokens if guessed else None,
        estimated_completion=guessed.completion_tokens if guessed else None,
        cost=charge.money if charge else None,
        first_token_ms=answer.first_token_ms,
        ended_at=answer.finished_at or timezone.now(),
        good=feedback.good if feedback else None,
    )


def _documents(
    filed: Sequence[tuple[AnswerRecord, Generation]],
) -> Iterator[tuple[AnswerRecord, str, str]]:
    """What is indexed: questions, and answers with what was attached to their questions."""
    files = attached.words([answer.message.parent_id for _, answer in filed if answer.message.parent_id])
    for record, answer in filed:
        hung = files.get(answer.message.parent_id, "") if answer.message.parent_id else ""
        yield record, _question(answer), f"{answer.message.text}\n{hung}"


def _question(answer: Generation) -> str:
    return answer.message.parent.text if answer.message.parent else ""


def _first(billed: int | None, counted: int | None) -> int | None:
    return counted if billed is None else billed
