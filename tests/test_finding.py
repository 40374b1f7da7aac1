"""The ledger of answers: each filter and several, page by page, and on record before a word of it is shown."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations import feedback, filing, finding, personas, search
from conversations.finding import Filters
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Company,
    Generation,
    Grade,
    Label,
    PersonaVersion,
    Reading,
    Rubric,
    Rule,
)
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.test_reading import sit

Status = Generation.Status


def found(company: Company, query: dict[str, Any], *, size: int = 2) -> list[str]:
    """The texts of all pages, from the newest to the oldest; the way back must give the same."""
    filing.file_ended()
    filters = Filters.of({name: str(value) for name, value in query.items()})
    page = finding.page(company, filters, size=size)
    assert page.after is None
    ids = list(page.ids)
    while page.before is not None:
        page = finding.page(company, filters, before=page.before, size=size)
        ids += page.ids
    assert ids == sorted(set(ids), reverse=True)
    assert ids == list(finding.answers(company, filters).order_by("-pk").values_list("pk", flat=True))
    back = list(page.ids)
    while page.after is not None:
        page = finding.page(company, filters, after=page.after, size=size)
        back = page.ids + back
    assert back == ids
    texts = dict(AnswerRecord.objects.values_list("pk", "message__text"))
    return [texts[pk] for pk in ids]


@pytest.fixture
def answers(cast: Cast) -> dict[str, Any]:
    """Answers of many kinds, and what a filter for each is called."""
    first = cast.guide.current
    assert first is not None
    rule = Rule.objects.create(company=cast.coca_cola, kind=Rule.Kind.BAD)
    bad = ended(cast, "bad")
    feedback.rate(cast.member, bad.answer, good=False)
    good = ended(cast, "good", by=cast.member2)
    feedback.rate(cast.member2, good.answer, good=True)
    ended(cast, "cut", finish_reason="length")
    ended(cast, "failed", status=Status.FAILED, finish_reason="", error_kind="timeout")
    ended(cast, "historian", persona=cast.historian)
    version = personas.copy(first)
    version.model = "mistral-small-latest"
    personas.publish(cast.guide, version, by=None)
    cast.guide.refresh_from_db()
    ended(cast, "newer")
    ended(cast, "elsewhere", by=cast.outsider, persona=cast.helpdesk)
    filing.file_ended()
    record = AnswerRecord.objects.get(message=good.answer)
    rubric = Rubric.objects.create(company=cast.coca_cola, name="Quality", in_use=True)
    grade = Grade.objects.create(rubric=rubric, position=1, name="Fine")
    label = Label.objects.create(company=cast.coca_cola, name="Funny")
    AnswerRecord.objects.filter(pk=record.pk).update(verdict=grade)
    AnswerLabel.objects.create(label=label, record=record)
    return {
        "persona": cast.historian.pk,
        "version": version.pk,
        "model": first.model,
        "verdict": grade.pk,
        "label": label.pk,
        "rule": rule.pk,
        "first": first.pk,
    }


def test_each_filter(cast: Cast, answers: dict[str, Any]) -> None:
    every = ["newer", "historian", "failed", "cut", "good", "bad"]
    for query, expected in (
        ({}, every),
        ({"persona": answers["persona"]}, ["historian"]),
        ({"version": answers["version"]}, ["newer"]),
        ({"model": answers["model"]}, ["failed", "cut", "good", "bad"]),
        ({"rating": "good"}, ["good"]),
        ({"rating": "bad"}, ["bad"]),
        ({"rating": "none"}, ["newer", "historian", "failed", "cut"]),
        ({"verdict": answers["verdict"]}, ["good"]),
        ({"label": answers["label"]}, ["good"]),
        ({"rule": answers["rule"]}, ["bad"]),
        ({"finish": "length"}, ["cut"]),
        ({"error": "any"}, ["failed"]),
        ({"error": "timeout"}, ["failed"]),
        ({"text": "coca"}, every),
        ({"text": "historian"}, ["historian"]),
    ):
        assert found(cast.coca_cola, query) == expected, query


def test_filters_together(cast: Cast, answers: dict[str, Any]) -> None:
    for query, expected in (
        ({"model": answers["model"], "rating": "none"}, ["failed", "cut"]),
        ({"version": answers["first"], "finish": "length", "rating": "none"}, ["cut"]),
        ({"persona": answers["persona"], "model": answers["model"]}, []),
        ({"label": answers["label"], "verdict": answers["verdict"], "rating": "good"}, ["good"]),
        ({"label": answers["label"], "rating": "bad"}, []),
        ({"text": "cola", "model": answers["model"]}, ["failed", "cut", "good", "bad"]),
        ({"text": "cola", "error": "any"}, ["failed"]),
        ({"text": "cola", "error": "timeout", "finish": "length"}, []),
        ({"text": "cola", "rating": "bad"}, ["bad"]),
        ({"text": "cola", "rating": "none", "model": answers["model"]}, ["failed", "cut"]),
        ({"text": "cola", "label": answers["label"]}, ["good"]),
        ({"text": "historian", "rule": answers["rule"]}, []),
    ):
        assert found(cast.coca_cola, query) == expected, query


def test_words_among_many_rated_answers(
    cast: Cast, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether few or many answers have what the index of words does not know of, the same is found."""
    for few in (1, 2, 3, 100):
        monkeypatch.setattr(search, "looked_up_at_once", lambda few=few: few)
        monkeypatch.setattr(search.asking, "WALKED", few)
        assert found(cast.coca_cola, {"text": "cola", "rating": "none"}) == [
            "newer",
            "historian",
            "failed",
            "cut",
        ]
        assert found(cast.coca_cola, {"text": "cola", "rating": "good"}) == ["good"]
        assert found(cast.coca_cola, {"text": "what", "label": answers["label"]}) == ["good"]


def test_days_are_whole_and_late_filings_are_found(cast: Cast) -> None:
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    for text, hours in (
        ("before", -13),
        ("first", -12),
        ("later", 20),
        ("last", 35),
        ("after", 36),
        ("late", 1),
    ):
        turn = ended(cast, text)
        Generation.objects.filter(pk=turn.generation.pk).update(finished_at=noon + timedelta(hours=hours))
        filing.file_ended()  # one by one: the last of them was filed a day behind the others
    assert found(cast.coca_cola, {"since": "2026-03-10", "until": "2026-03-11"}) == [
        "late",
        "last",
        "later",
        "first",
    ]
    assert found(cast.coca_cola, {"since": "2026-03-12"}) == ["after"]
    assert found(cast.coca_cola, {"until": "2026-03-09"}) == ["before"]
    assert found(cast.coca_cola, {"until": "2026-03-10", "text": "coca"}) == ["late", "first", "before"]
    assert found(cast.coca_cola, {"since": "2026-03-11", "until": "2026-03-10"}) == []


def test_trials_are_not_listed(cast: Cast, answers: dict[str, Any]) -> None:
    AnswerRecord.objects.update(trial=True)
    assert found(cast.coca_cola, {}) == []


def test_what_belongs_to_another_company_finds_nothing(cast: Cast, answers: dict[str, Any]) -> None:
    assert found(cast.globex, {}) == ["elsewhere"]
    for name in ("persona", "version", "model", "verdict", "label", "rule"):
        assert found(cast.globex, {name: answers[name]}) == [], name
        assert found(cast.globex, {name: answers[name], "text": "cola"}) == [], name


@pytest.mark.parametrize(
    "query",
    [
        {"persona": "x"},
        {"version": "²"},
        {"version": "9" * 30},
        {"verdict": "-1"},
        {"label": "1e3"},
        {"rule": "0x1"},
        {"rating": "great"},
        {"since": "yesterday"},
        {"until": "2026-02-30"},
        {"since": "0001-01-01"},
        {"finish": "nonsense"},
        {"error": "nonsense"},
        {"model": "'; --"},
        {"text": "\0 !?"},
        {"persona": str(uuid.uuid4())},
    ],
)
def test_a_value_that_nothing_has_finds_nothing(
    cast: Cast, answers: dict[str, Any], query: dict[str, str]
) -> None:
    assert found(cast.coca_cola, query) == []


def test_filters_are_an_address_and_back() -> None:
    asked = {"text": "a b", "persona": str(uuid.uuid4()), "label": "3", "since": "2026-01-02", "error": "any"}
    assert Filters.of(asked).as_query() == asked
    assert Filters.of({"text": "  ", "label": "", "page": "7"}) == Filters()


# -- The page -------------------------------------------------------------------------------------------------


@pytest.fixture
def reviewer(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.reviewer)
    sit(client, cast)
    return client


def address(cast: Cast) -> str:
    return reverse("admin:review_answers", args=[cast.coca_cola.pk])


def test_the_page_asks_for_a_reason_first(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.reviewer)
    assert "sitting" in client.get(address(cast) + "?text=a").headers["Location"]


def test_a_line_says_what_was_asked_and_answered_and_how_it_went(
    cast: Cast, answers: dict[str, Any], reviewer: Client
) -> None:
    body = reviewer.get(address(cast)).content.decode()
    for said in (
        "What is Coca Cola?",
        "historian",
        "Failed: no answer in time",
        "Cut at its length limit",
        "Fine",
        "Funny",
    ):
        assert said in body
    assert "elsewhere" not in body
    assert "member2" not in body
    rows = reviewer.get(address(cast), {"rating": "good"}).context["rows"]
    assert [(row.who[:7], row.ended, row.labels) for row in rows] == [("Person ", "Complete", ["Funny"])]


def test_the_record_is_written_before_the_words_are_read(
    cast: Cast, answers: dict[str, Any], reviewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CaptureQueriesContext(connection) as queries:
        reviewer.get(address(cast), {"text": "cola"})
    sql = [query["sql"] for query in queries]
    recorded = next(i for i, q in enumerate(sql) if q.startswith('INSERT INTO "conversations_reading"'))
    worded = ('."text"', '."title"', '."comment"')
    assert not any(word in q for q in sql[:recorded] for word in worded)
    assert any('."text"' in q for q in sql[recorded:])
    assert {row.what for row in Reading.objects.all()} == {"search"}
    assert Reading.objects.count() == 6

    def broken(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr("conversations.reading.look", broken)
    with pytest.raises(DatabaseError):
        reviewer.get(address(cast))


def test_a_list_is_recorded_as_one(cast: Cast, answers: dict[str, Any], reviewer: Client) -> None:
    reviewer.get(address(cast), {"rating": "good"})
    assert [(row.what, row.owner_id) for row in Reading.objects.all()] == [("list", cast.member2.pk)]


def test_found_words_are_marked_and_hostile_ones_escaped(cast: Cast, reviewer: Client) -> None:
    long = "word " * 200
    ended(
        cast,
        f"<script>alert(1)</script> {long} then <b>needle</b> here",
        question="<i>Where</i>\nis the needle?",
    )
    filing.file_ended()
    body = reviewer.get(address(cast), {"text": "needle"}).content.decode()
    assert "&lt;b&gt;<mark>needle</mark>&lt;/b&gt;" in body
    assert "is the <mark>needle</mark>?" in body
    assert "<script>alert" not in body
    listed = reviewer.get(address(cast)).content.decode()
    assert "&lt;i&gt;Where&lt;/i&gt;" in listed
    assert "is the needle" not in listed


def test_a_page_costs_the_same_number_of_queries_whatever_stands_on_it(cast: Cast, reviewer: Client) -> None:
    def cost(**query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert reviewer.get(address(cast), query).status_code == 200
        return len(queries)

    ended(cast, "one")
    filing.file_ended()
    cost()
    few = cost(), cost(text="cola"), cost(rating="none", text="cola")
    turn = ended(cast, "two", by=cast.member2)
    for number in range(30):
        ended_in(turn.conversation, f"more {number}")
        ended(cast, f"other {number}", persona=cast.historian)
    filing.file_ended()
    # At most: where the newest are enough, older ones are not asked for.
    many = cost(), cost(text="cola"), cost(rating="none", text="cola")
    assert all(now <= then for now, then in zip(many, few, strict=True))


def test_pages_follow_each_other_and_keep_the_filters(cast: Cast, reviewer: Client) -> None:
    for number in range(60):
        ended(cast, f"answer {number}", finish_reason="length" if number % 2 else "complete")
    ended(cast, "last")
    filing.file_ended()
    page = reviewer.get(address(cast), {"text": "answer cola"})
    assert len(page.context["rows"]) == 50
    assert "Newer" not in page.content.decode()
    older = reviewer.get(f"{address(cast)}?{page.context['older']}")
    assert len(older.context["rows"]) == 10
    assert older.context["older"] == ""
    newer = reviewer.get(f"{address(cast)}?{older.context['newer']}")
    assert [row.record.pk for row in newer.context["rows"]] == [row.record.pk for row in page.context["rows"]]
    for odd in ("x", "²", "9" * 40, "-1", ""):
        assert reviewer.get(address(cast), {"before": odd, "after": odd}).status_code == 200


def test_what_was_deleted_stands_there_without_words(cast: Cast, reviewer: Client) -> None:
    ended(cast, "secret").conversation.delete()
    turn = ended(cast, "secret")
    filing.file_ended()
    turn.conversation.delete()
    body = reviewer.get(address(cast)).content.decode()
    assert "secret" not in body
    assert "No words: its chat was removed" in body
    assert not Reading.objects.exists()


def test_empty_pages_say_why_and_how_to_go_on(cast: Cast, reviewer: Client) -> None:
    assert "Nobody has been answered yet" in reviewer.get(address(cast)).content.decode()
    unknown = reviewer.get(address(cast), {"persona": "nonsense"}).content.decode()
    assert "No answer fits all of this" in unknown
    assert "Clear filters" in unknown
    assert ">Unknown</option>" in unknown
    assert "no word or number" in reviewer.get(address(cast), {"text": "!?"}).content.decode()
    assert "nothing further" in reviewer.get(address(cast), {"before": "1"}).content.decode()


def test_the_filters_offer_what_is_the_companys(
    cast: Cast, answers: dict[str, Any], reviewer: Client
) -> None:
    body = reviewer.get(address(cast), {"version": str(answers["version"])}).content.decode()
    assert f'<option value="{answers["version"]}" selected>Version 2</option>' in body
    for offered in (
        "Coca Cola guide",
        "mistral-small-latest",
        "Fine",
        "Funny",
        "Bad answer",
        "Ran out of time",
        "No answer in time",
    ):
        assert offered in body
    foreign = PersonaVersion.objects.get(persona=cast.helpdesk)
    assert foreign.model in {"mistral-small-latest", "default"}
    assert f'value="{foreign.pk}"' not in body
    assert "Globex" not in body
