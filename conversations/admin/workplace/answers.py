"""The ledger of a company's answers: filters, search, and a page of what they find."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from conversations import access, excerpts, finding, reading, reviewing, words
from conversations.admin.workplace import doors, way, wording
from conversations.admin.workplace.choices import fields
from conversations.finding import Filters
from conversations.models import AnswerLabel, AnswerRecord, Conversation, Generation, Grade, Message
from conversations.reading import Sitting
from conversations.words import Query

QUESTION_CHARS, ANSWER_CHARS = 120, 170
# Of the rows beside a record; a conversation's title is words.
SHOWN = (
    *("conversation__deleted_at", "conversation__temporary_until", "conversation__closed_at"),
    *("conversation__owner__username", "conversation__owner__first_name", "conversation__owner__last_name"),
    *("persona__name", "version__number", "verdict__name"),
)
EMPTY = SafeString("")

ENDED = {
    Generation.Status.STOPPED: gettext_noop("Stopped"),
    Generation.Status.INTERRUPTED: gettext_noop("Interrupted"),
    Generation.Status.FAILED: gettext_noop("Failed"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the ledger. Without a conversation it was deleted, and there are no words."""

    record: AnswerRecord
    who: str
    question: SafeString
    answer: SafeString
    ended: str
    verdict: Grade | None
    labels: Sequence[str]

    @property
    def conversation(self) -> uuid.UUID | None:
        return self.record.conversation_id

    @property
    def at(self) -> datetime:
        return self.record.ended_at


@require_safe
@doors.reading
def listed(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """A page of the answers that the filters of the address let through, the newest first."""
    company, filters = sitting.company, Filters.of(request.GET.dict())
    found = finding.page(
        company,
        filters,
        before=_id(request.GET.get("before")),
        after=_id(request.GET.get("after")),
        unseen=reviewing.to_judge_unseen(sitting.reader),
    )
    query = words.parse(filters.text or "")
    kept = filters.as_query()
    context = {
        "title": _("Answers"),
        "here": "answers",
        "rows": _rows(sitting, found.ids, query),
        "fields": fields(company, sitting.reader, request.GET),
        "text": request.GET.get("text", ""),
        "since": request.GET.get("since", ""),
        "until": request.GET.get("until", ""),
        "set": len({*kept, *filters.unknown} - {"text"}),
        "filtered": bool(kept or filters.unknown),
        "wordless": filters.text is not None and not query,
        "paged": "before" in request.GET or "after" in request.GET,
        "older": urlencode(kept | {"before": found.before}) if found.before else "",
        "newer": urlencode(kept | {"after": found.after}) if found.after is not None else "",
        "newest": urlencode(kept),
        "carried": way.of_ledger(request.GET.dict()).carried,
    }
    return doors.page(request, "answers.html", company, context)


def _rows(sitting: Sitting, ids: Sequence[int], query: Query) -> list[Row]:
    """The lines of a page. The record of the reading comes before the words."""
    records = _records(sitting, ids)
    if query:  # it was not found by words that are gone, or about to be
        records = [record for record in records if record.conversation_id]
    what = reading.What.SEARCH if query else reading.What.LIST
    reading.look(sitting, [r.conversation for r in records if r.conversation is not None], what)
    said = Message.objects.select_related("parent").only("text", "parent__text")
    answers = said.in_bulk([record.message_id for record in records if record.message_id])
    labels: dict[int, list[str]] = {}
    for given in (
        AnswerLabel.objects.filter(record__in=records).select_related("label").order_by("label__name")
    ):
        labels.setdefault(given.record_id, []).append(given.label.name)
    rows = [
        _row(sitting, record, answers.get(record.message_id) if record.message_id else None, labels, query)
        for record in records
    ]
    unseen = reviewing.unseen(sitting.reader, [row.conversation for row in rows if row.conversation])
    return [replace(row, verdict=None, labels=[]) if row.conversation in unseen else row for row in rows]


def _records(sitting: Sitting, ids: Sequence[int]) -> list[AnswerRecord]:
    """The records of a page. Those of a chat that is closed to reviewers are as if it were gone."""
    records = list(
        AnswerRecord.objects.filter(company=sitting.company, pk__in=ids)
        .select_related("conversation__owner", "persona", "version", "verdict")
        .only("message", "status", "finish_reason", "error_kind", "ended_at", "good", *SHOWN)
        .order_by("-pk")
    )
    going = {r.conversation.pk for r in records if r.conversation and _goes(r.conversation)}
    if going:
        held = access.reviewed_conversations(sitting.company).filter(pk__in=going)
        hidden = going - set(held.values_list("pk", flat=True))
        for record in records:
            if record.conversation_id in hidden:
                record.conversation = record.message = None
    return records


def _goes(conversation: Conversation) -> bool:
    return any((conversation.deleted_at, conversation.temporary_until, conversation.closed_at))


def _row(
    sitting: Sitting, record: AnswerRecord, answer: Message | None, labels: dict[int, list[str]], query: Query
) -> Row:
    question = answer.parent.text if answer is not None and answer.parent is not None else ""
    if not query:
        question = question.strip().partition("\n")[0]
    return Row(
        record=record,
        who=sitting.name_of(record.conversation.owner) if record.conversation else "",
        question=excerpts.excerpt(question, QUESTION_CHARS, query),
        answer=excerpts.of_answer(answer.text, ANSWER_CHARS, query) if answer is not None else EMPTY,
        ended=_ended(record),
        verdict=record.verdict,
        labels=labels.get(record.pk, []),
    )


def _ended(record: AnswerRecord) -> str:
    if record.status in ENDED:
        how = _(ENDED[Generation.Status(record.status)])
        if not record.error_kind:
            return how
        return _("%(how)s: %(error)s") % {
            "how": how,
            "error": wording.within(wording.error(record.error_kind)),
        }
    return wording.finish(record.finish_reason)


def _id(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else None
