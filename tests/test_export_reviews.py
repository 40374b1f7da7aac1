"""Exports and reviews: what counted when one was made stands in it, and nothing that a second review is not to see."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from conversations import filing, reviewing
from conversations.finding import Filters
from conversations.models import AnswerLabel, AnswerRecord, Company, Export, Label, Note, QueueEntry, Review
from tests.answers import ended
from tests.conftest import Cast
from tests.exporting import Kind, data_url, export_of, lines_of, received, signed_in
from tests.reviews import Case, make

ALL = list(Kind)
Status = QueueEntry.Status


@pytest.fixture
def case(live_cast: Cast) -> Case:
    """Two answers that were reviewed: the first failed and put right, the second passed, both with a label."""
    found = make(live_cast)
    reviewed(found, live_cast, (2, 4), correction="It is pink.", label="Colour")
    return found


@pytest.fixture
def manager(live_cast: Cast) -> Client:
    return signed_in(live_cast.manager, live_cast.coca_cola)


def begun(
    case: Case, cast: Cast, grades: tuple[int, int], *, correction: str = "", label: str = ""
) -> Review:
    review = case.judged(cast.reviewer, *grades)
    for record in case.records:
        if label:
            reviewing.label(review, record, label)
    if correction:
        reviewing.correct(review, case.records[0], correction)
    return review


def reviewed(case: Case, cast: Cast, grades: tuple[int, int], **more: str) -> None:
    reviewing.submit(begun(case, cast, grades, **more))


def reopened(case: Case, cast: Cast) -> Case:
    case.entry = reviewing.open_by_hand(cast.coca_cola, case.records[0])
    return case


def repeated(company: Company) -> None:
    Company.objects.filter(pk=company.pk).update(second_reviews=100)


def whole(client: Client, export: Export, **query: Any) -> bytes:
    return received(client.get(data_url(export), query))


# -- A review that ends between two deliveries


def test_a_review_that_ends_meanwhile_is_in_the_next_export(live_cast: Cast, manager: Client) -> None:
    earlier, later = make(live_cast), make(live_cast)
    reviewed(later, live_cast, (2, 4), correction="It is pink.")
    under_way = begun(earlier, live_cast, (4, 2), correction="It is black.", label="Colour")
    exports = [export_of(live_cast, kind) for kind in ALL]
    before = [whole(manager, export) for export in exports]
    assert b"It is pink." in before[2]
    reviewing.submit(under_way)
    for export, data in zip(exports, before, strict=True):
        assert whole(manager, export) == data
        if export.tuning:
            lines = data.splitlines(keepends=True)
            for had in range(1, len(lines) + 1):
                assert whole(manager, export, lines=had) == b"".join(lines[had:])
        found = json.loads(received(manager.get(data_url(export, "review_export_manifest"))))
        assert found["unchanged"] is True
        assert b"It is black." in lines_of(export_of(live_cast, Kind(export.kind)))


@pytest.mark.parametrize("filters", [{}, {"verdict": "Good"}, {"verdict": "Wrong"}, {"label": "Colour"}])
def test_what_a_later_review_overtakes_is_in_the_export_still(
    live_cast: Cast, case: Case, manager: Client, filters: dict[str, str]
) -> None:
    asked = Filters(
        verdict=next((each.pk for each in case.grades if each.name == filters.get("verdict")), None),
        label=Label.objects.get().pk if "label" in filters else None,
    )
    exports = [export_of(live_cast, kind, asked) for kind in ALL]
    before = [whole(manager, export) for export in exports]
    assert [export.answers for export in exports[:2]] == [2 if not filters.get("verdict") else 1] * 2
    reviewed(reopened(case, live_cast), live_cast, (4, 2), correction="It is black.", label="Shade")
    later = make(live_cast)
    reviewed(later, live_cast, (4, 4), correction="Another.", label="Colour")
    for export, data in zip(exports, before, strict=True):
        assert whole(manager, export) == data
        for had in range(1, data.count(b"\n") + 1) if export.tuning else ():
            assert whole(manager, export, lines=had) == b"".join(data.splitlines(keepends=True)[had:])
    anew = lines_of(export_of(live_cast))
    assert b"It is black." in anew
    assert b"It is pink." not in anew


# -- What a second review is not to see


def said_of(cast: Cast, kind: Kind, filters: Filters | None = None) -> bytes:
    return lines_of(export_of(cast, kind, filters))


@pytest.mark.parametrize("kind", ALL)
def test_what_was_said_before_is_in_no_file_while_a_second_review_waits(
    live_cast: Cast, case: Case, manager: Client, kind: Kind
) -> None:
    made_before = export_of(live_cast, kind)
    repeated(live_cast.coca_cola)
    Note.objects.create(conversation=case.entry.conversation, author=live_cast.reviewer, text="A note.")
    words = (b"Wrong", b"It is pink.", b"Colour", b"A note.", b"Good")
    assert b"It is pink." in whole(manager, made_before)
    reviewed(reopened(case, live_cast), live_cast, (4, 2))
    assert case.fresh().status == Status.SECOND
    data = whole(manager, export_of(live_cast, kind))
    for word in words:
        assert word not in data
        assert word not in whole(manager, made_before)
    assert (b"It is blue." in data) is (kind not in Export.TUNING)
    if kind not in Export.TUNING:  # the same for who may give the second review and for who gave the first
        export = export_of(live_cast, kind)
        reviewer = signed_in(live_cast.reviewer, live_cast.coca_cola)
        assert whole(reviewer, export) == whole(manager, export)
    wrong = next(each.pk for each in case.grades if each.name == "Wrong")
    assert said_of(live_cast, kind, Filters(verdict=wrong)) == b""
    assert said_of(live_cast, kind, Filters(label=Label.objects.get().pk)) == b""
    assert export_of(live_cast, kind, Filters(verdict=wrong)).answers == 0
    reviewing.submit(case.judged(live_cast.manager, 4, 2))
    assert case.fresh().status == Status.DONE
    assert b"Wrong" in said_of(live_cast, Kind.CSV)


def test_lines_that_no_longer_count_up_are_not_sent(live_cast: Cast, case: Case, manager: Client) -> None:
    export = export_of(live_cast, Kind.EXAMPLES)
    assert whole(manager, export, lines=1) != b""
    repeated(live_cast.coca_cola)
    reviewed(reopened(case, live_cast), live_cast, (4, 2))
    for _ in range(2):
        refused = manager.get(data_url(export), {"lines": 1})
        assert refused.status_code == 409
        assert "Download this export from the beginning" in refused.content.decode()
        whole(manager, export, lines=0)
        if case.fresh().status == Status.SECOND:
            reviewing.submit(case.judged(live_cast.manager, 4, 2))
    anew = export_of(live_cast, Kind.EXAMPLES)
    whole(manager, anew, lines=1)


def test_a_conversation_under_review_again_says_nothing_until_that_is_over(
    live_cast: Cast, case: Case
) -> None:
    """Whether a second review will come is not known before, and the bytes of an export are not to change by it."""
    record = AnswerRecord.objects.get(pk=case.records[0].pk)
    reopened(case, live_cast)
    ended(live_cast, "Never reviewed.")
    filing.file_ended()
    export = export_of(live_cast)
    data = lines_of(export)
    assert b"It is pink." not in data
    assert AnswerLabel.objects.filter(record=record).exists()
    repeated(live_cast.coca_cola)
    reviewed(case, live_cast, (4, 2))
    assert lines_of(export) == data
    reviewing.submit(case.judged(live_cast.manager, 4, 2))
    assert lines_of(export) == data
    assert b"It is pink." in said_of(live_cast, Kind.CSV) or b"Good" in said_of(live_cast, Kind.CSV)
