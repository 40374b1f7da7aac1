"""What every format reads, for a whole batch at a time: the answers of an export, and what was said of them.

What reviewers say is taken as it counted when the export was made, so that a review which ends between two deliveries
leaves the second one the rest of the first. And nothing is said where a second review is to be blind: see `_withheld`.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from conversations.finding import Filters, answers
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Conversation,
    Export,
    Feedback,
    Judgement,
    Message,
    Note,
    QueueEntry,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an export, where it stands in the order of answers, and whose words it holds."""

    record: int
    conversation: Conversation
    text: str


def chosen(export: Export) -> QuerySet[AnswerRecord]:
    """The answers that `export` is made of: of what it was filtered for, those whose words are still there."""
    filters = Filters.of(export.filters)
    found = answers(export.company, replace(filters, verdict=None, label=None))
    if filters.verdict is not None:
        graded = Judgement.objects.filter(counted(export), record=OuterRef("pk"), grade=filters.verdict)
        found = told(export, found).filter(Exists(graded))
    if filters.label is not None:
        given = AnswerLabel.objects.filter(record=OuterRef("pk"), label=filters.label)
        found = told(export, found).filter(Exists(given.filter(created_at__lte=export.created_at)))
    # What its owner deleted leaves in no file, and nothing temporary does: that would be a trace of it.
    there = found.filter(
        message__isnull=False,
        conversation__deleted_at=None,
        conversation__temporary_until=None,
        conversation__closed_at=None,
    )
    return there.filter(pk__lte=export.upto).select_related(
        "conversation__owner", "conversation__persona", "persona", "version", "message"
    )


def counted(export: Export, judgement: str = "") -> Q:
    """That a judgement counted when `export` was made; `judgement` is the way to it, such as `judgements__`."""
    made = export.created_at
    return Q(**{f"{judgement}review__entry__closed_at__lte": made}) & (
        Q(**{f"{judgement}counts": True}) | Q(**{f"{judgement}overtaken_at__gt": made})
    )


def told(export: Export, found: QuerySet[AnswerRecord]) -> QuerySet[AnswerRecord]:
    """Those of the answers `found` of which it is said what reviewers said."""
    return found.filter(~Exists(_withheld(export, "conversation")))


def _withheld(export: Export, conversation: str) -> QuerySet[QueueEntry]:
    """The entries because of which nothing is said of the conversation that `conversation` names in a query around it.

    A second review is to be blind to what was said before, also to the eyes of who may give it and has this file. It
    would be seen from there whether the export differs from reader to reader, so it is withheld from everybody; and to
    give the same at each delivery, also where one was only about to be: where a review was not over at the making.
    """
    made = export.created_at
    under_way = Q(opened_at__lte=made) & (Q(closed_at=None) | Q(closed_at__gt=made))
    blind = Q(status=QueueEntry.Status.SECOND)
    return QueueEntry.objects.filter(under_way | blind, conversation=OuterRef(conversation))


def with_words(records: Iterable[AnswerRecord]) -> Iterator[tuple[AnswerRecord, Conversation, Message]]:
    """Answers that were read by `chosen`, with where they stand."""
    for record in records:
        if record.conversation is not None and record.message is not None:
            yield record, record.conversation, record.message


def judgements(export: Export, records: Iterable[int]) -> dict[int, Judgement]:
    """By answer, the judgement that counts."""
    found = Judgement.objects.filter(counted(export), record__in=list(records))
    found = found.filter(~Exists(_withheld(export, "record__conversation"))).select_related("grade")
    return {judgement.record_id: judgement for judgement in found}


def labels(export: Export, records: Iterable[int]) -> dict[int, list[str]]:
    """By answer, the labels that it was given."""
    found: dict[int, list[str]] = defaultdict(list)
    given = AnswerLabel.objects.filter(record__in=list(records), created_at__lte=export.created_at)
    given = given.filter(~Exists(_withheld(export, "record__conversation"))).order_by("label__name")
    for record, name in given.values_list("record", "label__name"):
        found[record].append(name)
    return found


def notes(export: Export, conversations: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Note]]:
    """By conversation, what its reviewers told each other."""
    found: dict[uuid.UUID, list[Note]] = defaultdict(list)
    written = Note.objects.filter(conversation__in=list(conversations), created_at__lte=export.created_at)
    for note in written.filter(~Exists(_withheld(export, "conversation"))):
        found[note.conversation_id].append(note)
    return found


def json_line(record: AnswerRecord, conversation: Conversation, document: dict[str, Any]) -> Line:
    """`document` on one line, also for readers that know more ends of a line than LF."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for end in "\x85\u2028\u2029":
        text = text.replace(end, f"\\u{ord(end):04x}")
    return Line(record.pk, conversation, text + "\n")


def path(messages: dict[uuid.UUID, Message], message: Message | None) -> list[Message]:
    """The branch of the tree `messages` down to `message`."""
    branch = []
    while message is not None:
        branch.append(message)
        message = messages.get(message.parent_id) if message.parent_id else None
    return branch[::-1]


def rating(feedback: Feedback | None) -> str:
    """What the person said of an answer: "good", "bad" or nothing."""
    return "" if feedback is None else "good" if feedback.good else "bad"


def moment(time: datetime) -> str:
    """A time in UTC, to the microsecond, so that it can be named again."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
