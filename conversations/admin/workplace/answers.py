"""The ledger of a company's answers: filters, search, and a page of what they find."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from conversations import finding, reading, reviewing, words
from conversations.admin.workplace import doors, way, wording
from conversations.admin.workplace.choices import fields
from conversations.finding import Filters
from conversations.models import AnswerLabel, AnswerRecord, Generation, Grade, Message
from conversations.reading import Sitting
from conversations.rendering import plaintext, snippets
from conversations.words import Query

QUESTION_CHARS, ANSWER_CHARS = 120, 170
# Of the rows beside a record; a conversation's title is words.
SHOWN = (
    *("conversation__owner__username", "conversation__owner__first_name", "conversation__owner__last_name"),
    *("persona__name", "version__number", "verdict__name"),
)
LEAD = 40  # characters before the first word found, where it does not stand at the beginning
SNIPPED = 600  # characters of an answer that an excerpt is cut from
SCANNED = 20_000  # characters of a text in which words are marked

ENDED = {
    Generation.Status.STOPPED: "Stopped",
    Generation.Status.INTERRUPTED: "Interrupted",
    Generation.Status.FAILED: "Failed",
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
        "title": "Answers",
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
    records = list(
        AnswerRecord.objects.filter(company=sitting.company, pk__in=ids)
        .select_related("conversation__owner", "persona", "version", "verdict")
        .only("message", "status", "finish_reason", "error_kind", "ended_at", "good", *SHOWN)
        .order_by("-pk")
    )
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


def _row(
    sitting: Sitting, record: AnswerRecord, answer: Message | None, labels: dict[int, list[str]], query: Query
) -> Row:
    question = answer.parent.text if answer is not None and answer.parent is not None else ""
    if not query:
        question = question.strip().partition("\n")[0]
    return Row(
        record=record,
        who=sitting.name_of(record.conversation.owner) if record.conversation else "",
        question=_excerpt(question, QUESTION_CHARS, query),
        answer=_excerpt(_words_of(answer, query), ANSWER_CHARS, query),
        ended=_ended(record),
        verdict=record.verdict,
        labels=labels.get(record.pk, []),
    )


def _words_of(answer: Message | None, query: Query) -> str:
    """Of an answer as much as an excerpt is cut from, without the marks of Markdown: they are taken off a little of it
    only, from the line of the first word found."""
    text = plaintext.clean(answer.text[: SCANNED if query else SNIPPED]) if answer is not None else ""
    found = words.marks(text, query) if query else []
    start = 0
    if found and found[0][1] > ANSWER_CHARS:
        first = found[0][0]
        start = max(text.rfind("\n", 0, first) + 1, first - ANSWER_CHARS)
    return ("…" if start else "") + snippets.plain(text[start : start + SNIPPED])


def _ended(record: AnswerRecord) -> str:
    if record.status in ENDED:
        kind = f": {wording.error(record.error_kind).lower()}" if record.error_kind else ""
        return f"{ENDED[Generation.Status(record.status)]}{kind}"
    return wording.finish(record.finish_reason)


def _excerpt(text: str, size: int, query: Query) -> SafeString:
    """`text` in one line from its beginning, or from before the first word found; what was found is marked."""
    line = " ".join(plaintext.clean(text[:SCANNED]).split())
    spans = words.marks(line, query) if query else []
    start = 0
    if spans and spans[0][1] > size:
        start = max(line.rfind(" ", 0, spans[0][0] - LEAD) + 1, spans[0][0] - 2 * LEAD)
    end = min(start + size, len(line))
    html = "…" if start else ""
    at = start
    for a, b in _within(spans, start, end):
        html += f"{escape(line[at:a])}<mark>{escape(line[a:b])}</mark>"
        at = b
    return mark_safe(html + escape(line[at:end]) + ("…" if end < len(line) else ""))  # noqa: S308 (escaped above)


def _within(spans: Iterable[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    return [(max(a, start), min(b, end)) for a, b in spans if b > start and a < end]


def _id(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else None
