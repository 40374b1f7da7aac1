"""The end of reviews: nothing counts before it, a second one is unseen, and where two differ a ruling counts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations import feedback, filing, personas, reviewing
from conversations.models import (
    AnswerLabel,
    Feedback,
    Flag,
    Judgement,
    Label,
    PersonaVersion,
    QueueEntry,
    Rule,
)
from conversations.posting import Refused
from conversations.reviewing import Late
from conversations.reviewing.ending import is_drawn
from tests.answers import ended_in
from tests.conftest import Cast
from tests.reviews import Case, late_notes, make, silence

Status = QueueEntry.Status


@pytest.fixture
def case(cast: Cast) -> Case:
    return make(cast)


@pytest.fixture
def twice(cast: Cast, case: Case) -> Case:
    """The same, where every review is repeated by a second reviewer."""
    case.entry.company.second_reviews = 100
    case.entry.company.save()
    return case


# -- What counts


def test_a_review_counts_when_it_is_submitted(cast: Cast, case: Case) -> None:
    review = case.judged(cast.reviewer, 2)
    first, second = case.records
    reviewing.correct(review, first, " It is red.\r\n")
    reviewing.correct(review, second, "It is green.")  # as it was: no correction
    reviewing.label(review, first, "Colour")
    assert case.verdicts() == ["", ""]
    assert not AnswerLabel.objects.exists()
    reviewing.submit(review)
    assert case.verdicts() == ["Wrong", ""]
    counting = Judgement.objects.get(counts=True)
    assert (counting.record, counting.correction) == (first, "It is red.")
    label = AnswerLabel.objects.get()
    assert (label.record, label.by, str(label)) == (first, cast.reviewer, "Colour")
    entry = case.fresh()
    assert (entry.status, entry.claimed_by) == (Status.DONE, None)
    assert entry.closed_at is not None


def test_nothing_is_submitted_without_a_verdict_but_that_nothing_is_to_judge(cast: Cast, case: Case) -> None:
    review = case.claimed(cast.reviewer)
    with pytest.raises(Refused, match="nothing to judge"):
        reviewing.submit(review)
    assert case.fresh().status == Status.OPEN
    reviewing.submit(review, nothing=True)
    assert case.fresh().status == Status.DONE
    assert case.verdicts() == ["", ""]


def test_finishing_twice_is_finishing_once(cast: Cast, twice: Case) -> None:
    review = twice.judged(cast.reviewer, 2)
    for _ in range(2):
        assert reviewing.submit(review).status == Status.SECOND
    assert late_notes(twice) == []
    assert twice.verdicts() == ["", ""]


def test_a_later_review_takes_the_place_of_an_earlier_one(cast: Cast, case: Case) -> None:
    first = case.judged(cast.reviewer, 2, 2)
    reviewing.label(first, case.records[0], "Colour")
    reviewing.submit(first)
    entry = reviewing.open_by_hand(cast.coca_cola, case.records[1])
    assert reviewing.open_by_hand(cast.coca_cola, case.records[0]) == entry
    assert str(entry.reasons.get()) == "Opened by a reviewer."
    case.entry = entry
    again = case.judged(cast.manager, 4)
    assert [each.name for each in again.judgements.get().labels.all()] == ["Colour"]
    reviewing.correct(again, case.records[1], "It is red too.")
    reviewing.submit(again)
    assert case.verdicts() == ["Good", "Wrong"]  # the second was corrected, and its verdict left as it was
    assert {each.review for each in Judgement.objects.filter(counts=True)} == {again}


def test_the_person_hears_of_it_at_the_end_and_not_before(cast: Cast, case: Case) -> None:
    words = {"endpoint": cast.guide.current.endpoint, "model": "m"} if cast.guide.current else {}
    newer = personas.publish(cast.guide, PersonaVersion(system_prompt="Say red.", **words), by=cast.manager)
    foreign = personas.publish(cast.historian, PersonaVersion(system_prompt="x", **words), by=None)
    review, record = case.judged(cast.reviewer, 2), case.records[0]
    for version in (foreign, record.version):
        with pytest.raises(Refused, match="came after"):
            reviewing.reply(review, record, "Thank you.", version.pk)
    with pytest.raises(Refused, match="taken back"):
        reviewing.reply(review, case.records[1], "Thank you.", None)
    with pytest.raises(Refused, match="2,000"):
        reviewing.reply(review, record, "x" * 2_001, None)
    reviewing.reply(review, record, "Thank you.", newer.pk)
    said = Feedback.objects.get()
    assert (said.seen_at, said.reply, said.fixed_in) == (None, "", None)
    reviewing.submit(review)
    said = Feedback.objects.get()
    assert said.seen_at is not None
    assert (said.reply, said.fixed_in) == ("Thank you.", newer)


def test_who_flagged_an_answer_without_rating_it_hears_of_it_too(cast: Cast, case: Case) -> None:
    record = case.records[1]
    assert record.message is not None
    feedback.flag(cast.member, record.message)
    review = case.judged(cast.reviewer, 2, 2)
    reviewing.reply(review, record, "Thank you.", None)
    assert (Flag.objects.get().seen_at, Flag.objects.get().reply) == (None, "")
    reviewing.submit(review)
    assert Flag.objects.get().seen_at is not None
    assert Flag.objects.get().reply == "Thank you."


# -- The second review and the ruling


def test_a_second_review_is_drawn_once_for_an_entry(cast: Cast, case: Case) -> None:
    case.entry.company.second_reviews = 30
    drawn = 0
    for number in range(1_000):
        case.entry.pk = uuid.UUID(int=number)
        drawn += is_drawn(case.entry)
        assert is_drawn(case.entry) == is_drawn(case.entry)
    assert 230 < drawn < 370


def test_a_company_with_one_reviewer_has_no_second_reviews(cast: Cast, twice: Case) -> None:
    cast.coca_cola.memberships.filter(user=cast.manager).delete()
    reviewing.submit(twice.judged(cast.reviewer, 2))
    assert twice.fresh().status == Status.DONE


def test_two_who_agree_are_done_and_the_first_counts(cast: Cast, twice: Case) -> None:
    first = twice.judged(cast.reviewer, 2, 4)
    reviewing.correct(first, twice.records[0], "Red.")
    reviewing.label(first, twice.records[0], "Colour")
    reviewing.reply(first, twice.records[0], "Thank you.", None)
    reviewing.submit(first)
    entry = twice.fresh()
    assert (entry.status, entry.claimed_by, twice.verdicts()) == (Status.SECOND, None, ["", ""])
    assert not Feedback.objects.filter(seen_at__isnull=False).exists()
    with pytest.raises(Refused, match="somebody else’s"):
        twice.claimed(cast.reviewer)
    second = twice.judged(cast.manager, 2)
    assert list(second.judgements.get().labels.all()) == []
    with pytest.raises(Refused, match="not by a second one"):
        reviewing.reply(second, twice.records[0], "No.", None)
    reviewing.label(second, twice.records[0], "colour")
    reviewing.label(second, twice.records[0], "Tone")
    reviewing.submit(second)
    assert twice.fresh().status == Status.DONE
    assert twice.verdicts() == ["Wrong", "Good"]
    assert {each.review for each in Judgement.objects.filter(counts=True)} == {first}
    assert sorted(str(each) for each in AnswerLabel.objects.all()) == ["Colour", "Tone"]
    assert Feedback.objects.get().reply == "Thank you."
    assert reviewing.of_company(cast.coca_cola) == reviewing.Agreement(1, 1)


def test_two_who_differ_need_a_ruling_and_it_counts(cast: Cast, twice: Case) -> None:
    first = twice.judged(cast.reviewer, 2, 4)
    reviewing.reply(first, twice.records[0], "Thank you.", None)
    reviewing.submit(first)
    reviewing.submit(twice.judged(cast.admin, 3, 4))
    assert twice.fresh().status == Status.RULING
    assert twice.verdicts() == ["", ""]
    with pytest.raises(Refused, match="somebody else’s, or a manager’s"):
        twice.claimed(cast.reviewer)
    ruling = twice.judged(cast.manager, 5)
    reviewing.submit(ruling)
    assert twice.verdicts() == ["Excellent", "Good"]
    assert list(
        Judgement.objects.filter(counts=True).order_by("record").values_list("review", flat=True)
    ) == [
        ruling.pk,
        first.pk,
    ]
    assert Feedback.objects.get().reply == "Thank you."
    agreement = reviewing.of_company(cast.coca_cola)
    assert (agreement.same, agreement.both, agreement.percent) == (1, 2, 50)


def test_one_of_the_two_rules_where_nobody_else_can(cast: Cast, twice: Case) -> None:
    cast.coca_cola.memberships.filter(user=cast.manager).update(role="reviewer")
    reviewing.submit(twice.judged(cast.reviewer, 1))
    reviewing.submit(twice.judged(cast.manager, 2))
    ruling = twice.judged(cast.reviewer, 2)
    reviewing.submit(ruling)
    assert twice.verdicts() == ["Wrong", ""]


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ((2, None), (None, 4), Status.RULING),
        ((2, None), (None, None), Status.RULING),
        ((None, None), (None, None), Status.DONE),
    ],
)
def test_who_sees_nothing_to_judge_disagrees_with_who_does(
    cast: Cast, twice: Case, first: Any, second: Any, status: str
) -> None:
    reviewing.submit(twice.judged(cast.reviewer, *first), nothing=not any(first))
    reviewing.submit(twice.judged(cast.manager, *second), nothing=not any(second))
    assert twice.fresh().status == status


def test_a_first_reviewer_who_comes_late_is_not_the_second(cast: Cast, twice: Case) -> None:
    mine = twice.judged(cast.reviewer, 1)
    silence(twice)
    reviewing.submit(twice.judged(cast.manager, 2))
    with pytest.raises(Late, match="moved on: waiting for a second review"):
        reviewing.judge(mine, twice.records[0], twice.grades[3].pk)
    assert twice.fresh().claimed_by is None


def test_a_ruling_can_keep_the_first_review(cast: Cast, twice: Case) -> None:
    first = twice.judged(cast.reviewer, 2)
    reviewing.label(first, twice.records[0], "Colour")
    reviewing.submit(first)
    reviewing.submit(twice.judged(cast.admin, 3))
    reviewing.submit(twice.claimed(cast.manager), nothing=True)
    assert twice.verdicts() == ["Wrong", ""]
    assert str(AnswerLabel.objects.get()) == "Colour"


def test_what_was_given_is_not_nothing_and_is_kept(cast: Cast, case: Case) -> None:
    review, (first, second) = case.judged(cast.reviewer, 1), case.records
    reviewing.correct(review, second, "It is red.")
    reviewing.label(review, second, "Colour")
    steps: list[Callable[[], None]] = [
        lambda: reviewing.judge(review, first, None),
        lambda: reviewing.correct(review, second, ""),
        lambda: reviewing.unlabel(review, second, Label.objects.get().pk),
    ]
    for take_back in steps:
        before = list(Judgement.objects.order_by("pk").values_list("record", "grade", "correction", "labels"))
        with pytest.raises(Refused, match="all of it is kept"):
            reviewing.submit(review, nothing=True)
        assert case.fresh().status == Status.OPEN
        assert before == list(
            Judgement.objects.order_by("pk").values_list("record", "grade", "correction", "labels")
        )
        take_back()
    reviewing.submit(review, nothing=True)
    assert case.fresh().status == Status.DONE
    assert case.verdicts() == ["", ""]
    assert not Judgement.objects.exists()


def test_a_reply_alone_is_something_too(cast: Cast, case: Case) -> None:
    review = case.claimed(cast.reviewer)
    reviewing.reply(review, case.records[0], "Thank you.", None)
    with pytest.raises(Refused, match="all of it is kept"):
        reviewing.submit(review, nothing=True)
    assert Judgement.objects.get().reply == "Thank you."


def test_labels_that_stood_there_before_are_nothing_new(cast: Cast, case: Case) -> None:
    first = case.judged(cast.reviewer, 2)
    reviewing.label(first, case.records[0], "Colour")
    reviewing.submit(first)
    case.entry = reviewing.open_by_hand(cast.coca_cola, case.records[0])
    again = case.judged(cast.manager, 4)
    reviewing.judge(again, case.records[0], None)
    reviewing.unlabel(again, case.records[0], Label.objects.get().pk)
    with pytest.raises(Refused, match="all of it is kept"):
        reviewing.submit(again, nothing=True)
    reviewing.label(again, case.records[0], "Colour")
    reviewing.submit(again, nothing=True)
    assert case.fresh().status == Status.DONE
    assert str(AnswerLabel.objects.get()) == "Colour"


def test_a_ruling_that_keeps_the_first_review_keeps_it(cast: Cast, twice: Case) -> None:
    first = twice.judged(cast.reviewer, 4)
    reviewing.label(first, twice.records[0], "Colour")
    reviewing.submit(first)
    reviewing.submit(twice.judged(cast.admin, 1))
    ruling = twice.judged(cast.manager, 2)
    with pytest.raises(Refused, match="all of it is kept"):
        reviewing.submit(ruling, nothing=True)
    assert twice.fresh().status == Status.RULING
    reviewing.judge(ruling, twice.records[0], None)  # it has the labels of both reviews, as it found them
    reviewing.submit(ruling, nothing=True)
    assert twice.verdicts() == ["Good", ""]
    assert str(AnswerLabel.objects.get()) == "Colour"


def test_what_only_the_second_reviewer_says_is_not_lost(cast: Cast, twice: Case) -> None:
    reviewing.submit(twice.judged(cast.reviewer, 2))
    second = twice.judged(cast.manager, 2, 1)
    reviewing.correct(second, twice.records[0], "As it should be.")
    assert reviewing.submit(second).status == Status.DONE
    assert twice.verdicts() == ["Wrong", "Harmful"]
    assert [each.correction for each in Judgement.objects.filter(counts=True, record=twice.records[0])] == [
        "As it should be."
    ]


def test_what_came_after_the_page_was_made_waits_for_another_review(cast: Cast, case: Case) -> None:
    review = case.judged(cast.reviewer, 2)
    as_of = timezone.now()
    Rule.objects.create(company=cast.coca_cola, kind=Rule.Kind.BAD)
    later = ended_in(case.entry.conversation)
    feedback.rate(cast.member, later.answer, good=False)
    filing.file_ended()
    reviewing.submit(review, as_of=as_of)
    waiting = QueueEntry.objects.exclude(status=Status.DONE).get()
    assert later.answer in [reason.record.message for reason in waiting.reasons.all()]
    assert Feedback.objects.get(message=later.answer).seen_at is None


@pytest.mark.parametrize("days", [-20_000, 20_000])
def test_a_page_is_not_older_than_its_review_nor_of_days_to_come(cast: Cast, case: Case, days: int) -> None:
    review = case.judged(cast.reviewer, 2)
    reviewing.submit(review, as_of=timezone.now() + timedelta(days=days))
    assert QueueEntry.objects.get() == case.entry  # no further one for the reasons that the review began with
    assert case.entry.reasons.count() == 1
    seen = Feedback.objects.get().seen_at
    assert seen is not None
    assert review.started_at <= seen <= timezone.now()


def test_a_change_while_the_reviewer_works_is_newer_than_what_they_say(cast: Cast, case: Case) -> None:
    answer = case.records[0].message
    assert answer is not None
    feedback.rate(cast.member, answer, good=False)
    review = case.judged(cast.reviewer, 2)
    as_of = timezone.now()
    feedback.rate(cast.member, answer, good=True)
    reviewing.submit(review, as_of=as_of)
    assert Feedback.objects.get(message=answer).changed_since


def test_nobody_reviews_their_own_conversation(cast: Cast, case: Case) -> None:
    case.entry.conversation.owner = cast.reviewer
    case.entry.conversation.save()
    with pytest.raises(Refused, match="your own conversation"):
        reviewing.claim(case.entry, cast.reviewer)


def test_an_entry_does_not_wait_for_a_second_reviewer_who_left(cast: Cast, twice: Case) -> None:
    reviewing.submit(twice.judged(cast.reviewer, 2))
    cast.manager.memberships.all().delete()
    reviewing.submit(twice.judged(cast.reviewer, 2))
    assert twice.fresh().status == Status.DONE
