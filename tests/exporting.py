"""Exports made the way people make them, reviewed answers to make them of, and what comes out."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import filing, posting
from conversations.exports.making import make
from conversations.exports.walking import Walk
from conversations.finding import Filters
from conversations.models import (
    AnswerRecord,
    Company,
    Download,
    Export,
    Grade,
    Judgement,
    QueueEntry,
    Review,
    Rubric,
)
from conversations.reading import Sitting
from tests.answers import _end as end
from tests.conftest import Cast

Kind = Export.Kind
WHY = "Data for the next version"


def sitting_of(cast: Cast, reader: User | None = None, **more: Any) -> Sitting:
    return Sitting(uuid.uuid4(), reader or cast.manager, cast.coca_cola, WHY, **more)


def export_of(cast: Cast, kind: Kind = Kind.CSV, filters: Filters | None = None) -> Export:
    """An export of what has ended so far."""
    filing.file_ended()
    return make(sitting_of(cast), kind, filters or Filters())


def lines_of(export: Export) -> bytes:
    """All that a pass over `export` gives, without its beginning."""
    walk, text = Walk(export), ""
    while (lines := walk.batch()) is not None:
        text += "".join(line.text for line in lines)
    return text.encode()


def again(turn: posting.Turn, text: str, **facts: Any) -> posting.Turn:
    """A further answer to the question of `turn`, by the version now in force."""
    turn.answer.conversation.persona.refresh_from_db()
    made = posting.regenerate(turn.conversation.owner, turn.answer, client_id=uuid.uuid4())
    return end(made, text, facts)


def judge(turn: posting.Turn, passes: bool | None = True, correction: str = "", **more: Any) -> Judgement:
    """A reviewer's word on the answer of `turn`, the one that counts."""
    filing.file_ended()
    record = AnswerRecord.objects.get(message=turn.answer)
    rubric, _ = Rubric.objects.get_or_create(
        company=record.company, name="Quality", defaults={"in_use": True}
    )
    entry = QueueEntry.objects.filter(conversation=turn.conversation).first()
    if entry is None:  # no rule of the demo's has opened one
        entry = QueueEntry.objects.create(
            company=record.company,
            conversation=turn.conversation,
            status=QueueEntry.Status.DONE,
            closed_at=timezone.now(),
        )
    grade = None
    if passes is not None:
        position, name = (1, "Fit") if passes else (2, "Unfit")
        grade, _ = Grade.objects.get_or_create(
            rubric=rubric, position=position, defaults={"name": name, "passes": passes}
        )
    review = Review.objects.create(entry=entry, seat="first")
    return Judgement.objects.create(
        review=review, record=record, grade=grade, correction=correction, **{"counts": True, **more}
    )


def signed_in(person: User, company: Company) -> Client:
    """A browser of somebody who sits and reads."""
    client = Client()
    client.force_login(person)
    client.post(reverse("admin:review_sitting", args=[company.pk]), {"reason": WHY})
    return client


def data_url(export: Export, what: str = "review_export") -> str:
    return reverse(f"admin:{what}", args=[export.company_id, export.pk])


def received(response: HttpResponseBase, *, parts: int | None = None) -> bytes:
    """What a client gets that leaves after `parts`, or at the end."""
    assert isinstance(response, StreamingHttpResponse), response.status_code

    async def read() -> bytes:
        found = b""
        count = 0
        async for part in response:
            found += part
            count += 1
            if count == parts:
                break
        return found

    content = asyncio.run(read())
    Download.objects.all().delete()  # a test's client closes on its event loop, where nobody may query
    return content
