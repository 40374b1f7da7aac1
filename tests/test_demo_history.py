"""The made-up history: the same each time, whole in itself, and once."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import F, Q

from conversations import filing, finding, search, words
from conversations.finding import Filters
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Conversation,
    EntryReason,
    Feedback,
    Generation,
    Judgement,
    Message,
    QueueEntry,
)
from tests.conftest import Cast

MESSAGES = 2_000


def fill(**options: Any) -> str:
    out = io.StringIO()
    call_command("demo_history", messages=MESSAGES, stdout=out, **options)
    return out.getvalue()


def told() -> list[Any]:
    """What must be the same for the same size, seed and end."""
    messages = Message.objects.order_by("pk").values_list("pk", "parent", "text", "created_at")
    ledger = AnswerRecord.objects.order_by("pk").values_list("message", "ended_at", "status", "good")
    return [*messages, *ledger]


def wipe() -> None:
    Conversation.objects.all().delete()
    AnswerRecord.objects.all().delete()
    User.objects.filter(username__contains="-").delete()


def test_a_history_is_whole(cast: Cast) -> None:
    assert "2,000 of 2,000 messages" in fill()
    turns = MESSAGES // 2
    assert Message.objects.count() == MESSAGES
    assert Generation.objects.count() == AnswerRecord.objects.count() == turns
    assert filing.file_ended() == 0
    assert not Conversation.objects.filter(Q(head=None) | Q(title="")).exists()
    assert not Message.objects.filter(role="assistant").exclude(parent__role="user").exists()
    records = AnswerRecord.objects.select_related("message__generation", "conversation__persona")
    for record in records[:300]:
        assert record.message is not None
        assert record.conversation is not None
        assert record.message.generation.status == record.status
        assert record.model == record.message.generation.version.model
        assert record.company_id == record.conversation.persona.company_id
    for model in (Feedback, QueueEntry, EntryReason, Judgement, AnswerLabel):
        assert model._default_manager.exists(), model
    assert not AnswerRecord.objects.exclude(verdict=F("judgements__grade")).exclude(verdict=None).exists()
    by_end = list(AnswerRecord.objects.order_by("ended_at").values_list("pk", flat=True))
    assert by_end == sorted(by_end)


def test_an_answer_that_ended_badly_says_how(cast: Cast) -> None:
    fill()
    said = set(Generation.objects.exclude(sentence="").values_list("finish_reason", "error_kind", "sentence"))
    for finish, error, begins in (
        ("length", "", "The answer was cut at its length limit."),
        ("filtered", "", "Mistral withheld the answer"),
        ("", "timeout", "Mistral did not answer in time."),
        ("", "rate_limited", "Too many requests to Mistral."),
    ):
        assert any(row[:2] == (finish, error) and row[2].startswith(begins) for row in said), (finish, error)
    assert not Generation.objects.filter(finish_reason="complete").exclude(sentence="").exists()
    assert not Generation.objects.exclude(finish_reason="complete").filter(sentence="").exists()


def test_a_history_is_found(cast: Cast) -> None:
    fill()
    company = cast.coca_cola
    assert len(finding.page(company, Filters()).ids) == finding.PAGE
    for asked in (
        {"rating": "bad"},
        {"text": "recipe"},
        {"text": "東京", "finish": "complete"},
        {"error": "any"},
    ):
        assert finding.page(company, Filters.of(asked)).ids, asked
    assert search.ids([search.tag("company", cast.globex.pk)], words.parse("the"), limit=1)


def test_a_history_is_the_same_each_time(cast: Cast) -> None:
    fill()
    first = told()
    with pytest.raises(CommandError, match="already"):
        fill()
    wipe()
    fill(end="2026-06-30")
    assert told() == first


def test_another_seed_is_another_history(cast: Cast) -> None:
    fill()
    first = {row[2] for row in told()[:100]}
    wipe()
    fill(seed=7)
    assert {row[2] for row in told()[:100]} != first


@pytest.mark.django_db
def test_without_the_demo_companies_there_is_none() -> None:
    with pytest.raises(CommandError, match="Run manage"):
        fill()
