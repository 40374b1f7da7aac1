"""Every answer that ended is filed: into the ledger, into the search, and past the rules of the queue.

Filing runs behind the answer, in the keeper's tick, and not in the transaction that ends it: what a company's rules
look for must hold up nobody's answer. An answer is filed again when something was said of it. Filing twice is
harmless, and a process that dies in between leaves the answer to the next.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from conversations import rules, search
from conversations.models import AnswerRecord, Generation

BATCH = 200  # answers in one transaction


def file_ended(limit: int = BATCH) -> int:
    """File up to `limit` ended answers, those that ended first first. Gives back how many there were."""
    if not Generation.objects.filter(filed=False, finished_at__isnull=False).exists():
        return 0  # as nearly always: without a transaction, which would keep SQLite's writers waiting
    with transaction.atomic():
        # Whatever is said of them meanwhile waits for this row; what another process files is left to it.
        ids = list(
            Generation.objects.select_for_update(skip_locked=True)
            .filter(filed=False, finished_at__isnull=False)
            .order_by("finished_at")
            .values_list("pk", flat=True)[:limit]
        )
        if not ids:
            return 0
        answers = list(
            Generation.objects.filter(pk__in=ids)
            .select_related("version", "conversation__persona", "message__parent")
            .select_related("message__feedback", "message__flag")
            .order_by("finished_at")
        )
        _record(answers)
        records = AnswerRecord.objects.in_bulk([a.message_id for a in answers], field_name="message_id")
        filed = [(records[a.message_id], a) for a in answers if a.conversation.trial_id is None]
        search.add((record, _question(answer), answer.message.text) for record, answer in filed)
        rules.consider(filed)
        Generation.objects.filter(pk__in=ids).update(filed=True)
    return len(ids)


def _record(answers: Sequence[Generation]) -> None:
    """Add the answers to the ledger; of those that it has, take over what may have changed since."""
    known = set(
        AnswerRecord.objects.filter(message__in=[a.message_id for a in answers]).values_list(
            "message_id", flat=True
        )
    )
    rows = [_row(answer) for answer in answers]
    AnswerRecord.objects.bulk_create(row for row in rows if row.message_id not in known)
    for good in (True, False, None):
        changed: list[uuid.UUID | None] = [
            r.message_id for r in rows if r.message_id in known and r.good is good
        ]
        AnswerRecord.objects.filter(message__in=changed).update(good=good)


def _row(answer: Generation) -> AnswerRecord:
    conversation, message = answer.conversation, answer.message
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
        first_token_ms=answer.first_token_ms,
        ended_at=answer.finished_at or timezone.now(),
        good=feedback.good if feedback else None,
    )


def _question(answer: Generation) -> str:
    return answer.message.parent.text if answer.message.parent else ""


def _first(billed: int | None, counted: int | None) -> int | None:
    return counted if billed is None else billed
