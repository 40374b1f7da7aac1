"""What every format reads, for a whole batch at a time: the answers of an export, and what was said of them."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from conversations.finding import Filters, answers
from conversations.models import AnswerLabel, AnswerRecord, Conversation, Export, Feedback, Judgement, Message


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an export, where it stands in the order of answers, and whose words it holds."""

    record: int
    conversation: Conversation
    text: str


def chosen(export: Export) -> QuerySet[AnswerRecord]:
    """The answers that `export` is made of: of what it was filtered for, those whose words are still there."""
    found = answers(export.company, Filters.of(export.filters))
    return found.filter(pk__lte=export.upto, message__isnull=False).select_related(
        "conversation__owner", "conversation__persona", "persona", "version", "message"
    )


def with_words(records: Iterable[AnswerRecord]) -> Iterator[tuple[AnswerRecord, Conversation, Message]]:
    """Answers that were read by `chosen`, with where they stand."""
    for record in records:
        if record.conversation is not None and record.message is not None:
            yield record, record.conversation, record.message


def judgements(records: Iterable[int]) -> dict[int, Judgement]:
    """By answer, the judgement that counts."""
    found = Judgement.objects.filter(record__in=list(records), counts=True).select_related("grade")
    return {judgement.record_id: judgement for judgement in found}


def labels(records: Iterable[int]) -> dict[int, list[str]]:
    """By answer, the labels that it was given."""
    found: dict[int, list[str]] = defaultdict(list)
    given = AnswerLabel.objects.filter(record__in=list(records)).order_by("label__name")
    for record, name in given.values_list("record", "label__name"):
        found[record].append(name)
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
