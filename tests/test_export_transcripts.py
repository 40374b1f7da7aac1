"""Whole conversations as JSON lines: every branch and all that was said, and no prompt, no name, nothing later."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from conversations import feedback, filing
from conversations.exports.rows import moment
from conversations.finding import Filters
from conversations.models import AnswerLabel, AnswerRecord, Label, Note
from conversations.reading import masked_name
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.exporting import Kind, again, export_of, judge, lines_of


def documents(cast: Cast, **filters: Any) -> list[dict[str, Any]]:
    data = lines_of(export_of(cast, Kind.CONVERSATIONS, Filters(**filters)))
    return [json.loads(line) for line in data.decode().splitlines()]


def test_a_line_is_a_whole_conversation(cast: Cast) -> None:
    first = ended(
        cast,
        "An answer\u2028of two lines.",
        prompt_tokens=7,
        completion_tokens=9,
        first_token_ms=250,
        reasoning="I was told to be a guide.",
    )
    second = again(first, "Another.")
    third = ended_in(first.conversation, "The end.")
    feedback.rate(cast.member, first.answer, good=False, reasons=["wrong"], comment="No.")
    feedback.flag(cast.member, first.answer)
    judge(first, False, correction="Better.")
    record = AnswerRecord.objects.get(message=first.answer)
    label = Label.objects.create(company=cast.coca_cola, name="Facts")
    AnswerLabel.objects.create(label=label, record=record)
    note = Note.objects.create(conversation=first.conversation, author=cast.reviewer, text="Seen.")

    (document,) = documents(cast)
    question = first.answer.parent
    assert question is not None
    later = third.answer.parent
    assert later is not None
    assert later.parent == second.answer
    assert {key: document[key] for key in document if key not in {"messages", "notes"}} == {
        "format": "conversations/1",
        "record": record.pk,
        "ended_at": moment(record.ended_at),
        "conversation": str(first.conversation.pk),
        "title": first.conversation.title,
        "person": masked_name(cast.coca_cola, cast.member.pk),
        "persona": "Coca Cola guide",
        "created_at": moment(first.conversation.created_at),
    }
    asked, answered, anew, *rest = document["messages"]
    assert [message["id"] for message in document["messages"]] == [
        str(message.pk) for message in (question, first.answer, second.answer, later, third.answer)
    ]
    assert (asked["role"], asked["parent"], asked["text"]) == ("user", None, "What is Coca Cola?")
    assert answered["parent"] == anew["parent"] == str(question.pk)
    assert [message["parent"] for message in rest] == [str(second.answer.pk), str(later.pk)]
    assert answered["text"] == "An answer\u2028of two lines."
    assert answered["answer"] == {
        "record": record.pk,
        "version": 1,
        "model": "mistral-large-latest",
        "recorded": False,
        "status": "done",
        "finish": "stop",
        "error": None,
        "prompt_tokens": 7,
        "completion_tokens": 9,
        "first_token_ms": 250,
        "left_out": 0,
        "ended_at": moment(record.ended_at),
    }
    assert answered["feedback"] == {"rating": "bad", "reasons": ["wrong"], "comment": "No."}
    assert (answered["flagged"], anew["flagged"]) == (True, False)
    assert answered["verdict"] == {"grade": "Unfit", "passes": False}
    assert (answered["correction"], answered["labels"]) == ("Better.", ["Facts"])
    assert (anew["feedback"], anew["verdict"], anew["correction"], anew["labels"]) == (None, None, "", [])
    assert document["notes"] == [
        {
            "author": masked_name(cast.coca_cola, cast.reviewer.pk),
            "text": "Seen.",
            "late": False,
            "created_at": moment(note.created_at),
        }
    ]


def test_no_prompt_no_thoughts_and_no_name_are_in_it(cast: Cast) -> None:
    turn = ended(cast, reasoning="secretly thought", sentence="x")
    judge(turn)
    data = lines_of(export_of(cast, Kind.CONVERSATIONS)).decode()
    version = cast.guide.current
    assert version is not None
    for word in (version.system_prompt, "secretly thought", '"member"'):
        assert word not in data


def test_a_conversation_is_there_once_where_its_first_fitting_answer_is(cast: Cast) -> None:
    first, second = ended(cast, "A1"), ended(cast, "B1")
    third = ended_in(first.conversation, "A2")
    assert [each["messages"][1]["text"] for each in documents(cast)] == ["A1", "B1"]
    feedback.rate(cast.member, second.answer, good=True)
    feedback.rate(cast.member, third.answer, good=True)
    found = documents(cast, rating="good")
    assert [each["messages"][1]["text"] for each in found] == ["B1", "A1"]
    assert found[1]["record"] == AnswerRecord.objects.get(message=third.answer).pk


def test_what_is_written_after_its_making_is_not_in_it(cast: Cast) -> None:
    turn = ended(cast, "Before.")
    export = export_of(cast, Kind.CONVERSATIONS)
    before = lines_of(export)
    ended_in(turn.conversation, "After.")
    again(turn, "Anew.")
    note = Note.objects.create(conversation=turn.conversation, text="After.")
    Note.objects.filter(pk=note.pk).update(created_at=timezone.now() + timedelta(seconds=1))
    filing.file_ended()
    assert lines_of(export) == before


def test_a_batch_costs_the_same_number_of_queries_whatever_is_in_it(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    judge(ended(cast))
    one = export_of(cast, Kind.CONVERSATIONS)
    for number in range(15):
        judge(ended_in(ended(cast, f"Answer {number}").conversation))
    many = export_of(cast, Kind.CONVERSATIONS)
    for export in (one, many):
        with django_assert_num_queries(9):
            lines_of(export)
