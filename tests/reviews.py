"""An entry of the queue and what reviewers do with it, for the tests of reviews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import feedback, filing, reviewing, rubrics
from conversations.models import AnswerRecord, Grade, Note, QueueEntry, Review, Rule
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.test_reading import sit


@dataclass
class Case:
    """An entry of Coca Cola with two answers."""

    entry: QueueEntry
    records: list[AnswerRecord]
    grades: list[Grade]

    def fresh(self) -> QueueEntry:
        return QueueEntry.objects.get(pk=self.entry.pk)

    def claimed(self, reviewer: User) -> Review:
        return reviewing.claim(self.fresh(), reviewer)

    def judged(self, reviewer: User, *grades: int | None) -> Review:
        """A review under way, with grades by position for the answers in turn."""
        review = self.claimed(reviewer)
        for record, position in zip(self.records, grades, strict=False):
            if position is not None:
                reviewing.judge(review, record, self.grades[position - 1].pk)
        return review

    def verdicts(self) -> list[str]:
        records = AnswerRecord.objects.filter(pk__in=[each.pk for each in self.records])
        return [str(each.verdict or "") for each in records.order_by("pk").select_related("verdict")]


def make(cast: Cast) -> Case:
    Rule.objects.get_or_create(company=cast.coca_cola, kind=Rule.Kind.BAD)
    turn = ended(cast, "It is blue.")
    ended_in(turn.conversation, "It is green.")
    feedback.rate(cast.member, turn.answer, good=False, comment="It is red.")
    filing.file_ended()
    records = AnswerRecord.objects.filter(conversation=turn.conversation).select_related("version", "message")
    return Case(
        QueueEntry.objects.get(conversation=turn.conversation),
        list(records.order_by("pk")),
        list(rubrics.in_use(cast.coca_cola).grades.all()),
    )


def silence(case: Case, minutes: float = 15.1) -> None:
    """Nothing was heard of who has the entry."""
    QueueEntry.objects.filter(pk=case.entry.pk).update(
        claim_seen_at=timezone.now() - timedelta(minutes=minutes)
    )


def late_notes(case: Case) -> list[str]:
    return list(
        Note.objects.filter(conversation=case.entry.conversation, late=True).values_list("text", flat=True)
    )


def client_of(cast: Cast, name: str) -> Client:
    """A browser of somebody's, in a sitting."""
    client = Client()
    client.force_login(getattr(cast, name))
    sit(client, cast)
    return client


def queue(cast: Cast) -> str:
    return reverse("admin:review_queue", args=[cast.coca_cola.pk])


def page(case: Case) -> str:
    return reverse("admin:review_conversation", args=[case.entry.company_id, case.entry.conversation_id])


def press(client: Client, case: Case, action: str, *, script: bool = False, **sent: Any) -> Any:
    """Send a form of the conversation's page."""
    address = reverse(f"admin:review_{action}", args=[case.entry.company_id, case.entry.conversation_id])
    return client.post(address, sent, headers={"HX-Request": "true"} if script else {})


def answer(case: Case, number: int = 0) -> str:
    return str(case.records[number].message_id)


def body(response: Any) -> str:
    return str(response.content.decode())
