"""Reviews: one reviewer at a time, nothing lost that comes too late, and only what is the company's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from conversations import access, reviewing, rubrics
from conversations.access import NotVisible
from conversations.models import Company, Grade, Label, Note, Review, Rubric
from conversations.posting import Refused
from conversations.reviewing import Late
from tests.answers import ended
from tests.conftest import Cast
from tests.races import at_once
from tests.reviews import Case, late_notes, make, silence


@pytest.fixture
def case(cast: Cast) -> Case:
    return make(cast)


# -- Claims


def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told(live_cast: Cast) -> None:
    case = make(live_cast)

    def call(reviewer: User) -> Callable[[], str]:
        def claim() -> str:
            try:
                reviewing.claim(case.entry, reviewer)
            except Refused as refused:
                return f"{refused.status}: {refused.sentence}"
            return ""

        return claim

    people = {person.username: person for person in (live_cast.reviewer, live_cast.manager, live_cast.admin)}
    said = at_once(*map(call, people.values()))
    winner = case.fresh().claimed_by
    assert winner is not None
    assert said.count("") == 1
    assert said[list(people).index(winner.username)] == ""
    until = timezone.localtime(reviewing.until(case.fresh()))
    expected = f"409: {winner.username} has claimed this until {until:%H:%M}, or longer if they work on."
    assert set(said) == {"", expected}
    assert Review.objects.count() == 1


def test_a_claim_lapses_after_silence_and_not_while_somebody_works(cast: Cast, case: Case) -> None:
    review = case.claimed(cast.reviewer)
    silence(case, 14.9)
    with pytest.raises(Refused):
        case.claimed(cast.manager)
    reviewing.renew(review)
    assert reviewing.holder(case.fresh()) == cast.reviewer
    silence(case, 14.9)
    reviewing.note(case.entry.conversation, cast.reviewer, "I am at it.")
    assert (reviewing.until(case.fresh()) or timezone.now()) > timezone.now() + timedelta(minutes=14)
    silence(case)
    assert reviewing.holder(case.fresh()) is None
    case.claimed(cast.manager)
    assert reviewing.holder(case.fresh()) == cast.manager
    with pytest.raises(Refused, match="manager has claimed this"):
        reviewing.renew(review)


def test_a_lapsed_claim_that_nobody_took_goes_on(cast: Cast, case: Case) -> None:
    review = case.claimed(cast.reviewer)
    silence(case, 300)
    reviewing.judge(review, case.records[0], case.grades[1].pk)
    assert reviewing.holder(case.fresh()) == cast.reviewer
    assert late_notes(case) == []


def test_claiming_again_finds_the_work_done_so_far(cast: Cast, case: Case) -> None:
    review = case.judged(cast.reviewer, 2)
    reviewing.release(review)
    assert reviewing.holder(case.fresh()) is None
    again = case.claimed(cast.reviewer)
    assert again == review
    assert again.judgements.get().grade == case.grades[1]


def test_what_comes_late_is_kept_as_a_note(cast: Cast, case: Case) -> None:
    review = case.judged(cast.reviewer, 2)
    silence(case)
    case.claimed(cast.manager)
    record = case.records[0]
    Label.objects.create(company=cast.coca_cola, name="Colour")
    acts: list[tuple[Callable[[], None], str]] = [
        (lambda: reviewing.judge(review, record, case.grades[2].pk), "grade Incomplete"),
        (lambda: reviewing.correct(review, record, "It is red."), "corrected answer:\nIt is red."),
        (lambda: reviewing.label(review, record, "Colour"), "label “Colour”"),
        (lambda: reviewing.reply(review, record, "Thank you.", None), "reply to the person:\nThank you."),
    ]
    for act, words in acts:
        for _ in range(2):  # sent once more, it is the same note
            with pytest.raises(Late, match=r"manager has claimed this .* kept as a note"):
                act()
        assert words in late_notes(case)[-1]
    with pytest.raises(Late):
        reviewing.submit(review)
    assert "grade Wrong" in late_notes(case)[-1]
    assert len(late_notes(case)) == 5
    judgement = review.judgements.get()
    assert (judgement.grade, judgement.correction) == (case.grades[1], "")
    assert case.fresh().claimed_by == cast.manager
    assert Note.objects.filter(author=cast.reviewer, late=True).count() == 5


def test_what_comes_after_the_end_is_kept_too(cast: Cast, case: Case) -> None:
    review = case.judged(cast.reviewer, 2)
    reviewing.submit(review)
    with pytest.raises(Late, match="This was reviewed meanwhile"):
        reviewing.correct(review, case.records[0], "Too late.")
    assert "Too late." in late_notes(case)[0]
    with pytest.raises(Refused, match="reviewed already"):
        case.claimed(cast.manager)


# -- Rubric, labels and foreign rows


def test_a_rubric_is_made_once_and_frozen_by_its_first_grade(live_cast: Cast) -> None:
    Rubric.objects.all().delete()
    company = live_cast.coca_cola
    made = at_once(*[lambda: rubrics.in_use(company).pk for _ in range(3)])
    assert len(set(made)) == 1
    case = make(live_cast)
    assert [(each.position, each.name, each.passes) for each in case.grades] == [
        (1, "Harmful", False),
        (2, "Wrong", False),
        (3, "Incomplete", False),
        (4, "Good", True),
        (5, "Excellent", True),
    ]
    review = case.claimed(live_cast.reviewer)
    reviewing.correct(review, case.records[0], "Red.")
    assert Rubric.objects.get().frozen_at is None
    reviewing.judge(review, case.records[0], case.grades[0].pk)
    frozen = Rubric.objects.get().frozen_at
    assert frozen is not None
    reviewing.judge(review, case.records[0], case.grades[1].pk)
    assert Rubric.objects.get().frozen_at == frozen


def test_grades_of_another_rubric_are_refused(cast: Cast, case: Case) -> None:
    review = case.claimed(cast.reviewer)
    foreign = rubrics.in_use(cast.globex).grades.all()[0]
    Rubric.objects.filter(company=cast.coca_cola).update(in_use=False)
    Rubric.objects.create(company=cast.coca_cola, name="New", in_use=True)
    other = Grade.objects.create(rubric=rubrics.in_use(cast.coca_cola), position=1, name="New")
    for grade in (foreign.pk, other.pk, 987_654):
        with pytest.raises(Refused, match="grades have changed"):
            reviewing.judge(review, case.records[0], grade)
    assert not review.judgements.exists()
    assert not Rubric.objects.filter(frozen_at__isnull=False).exists()


def test_a_review_keeps_the_rubric_it_began_with(cast: Cast, case: Case) -> None:
    Company.objects.update(second_reviews=100)
    review = case.judged(cast.reviewer, 2)
    Rubric.objects.filter(company=cast.coca_cola).update(in_use=False)
    new = Rubric.objects.create(company=cast.coca_cola, name="New", in_use=True)
    Grade.objects.create(rubric=new, position=1, name="New")
    old = case.grades[0].rubric
    reviewing.judge(review, case.records[1], case.grades[3].pk)
    reviewing.submit(review)
    second = case.judged(cast.admin, 2, 3)  # by the grades of the first, so that the two can be compared
    reviewing.submit(second)
    ruling = case.claimed(cast.manager)
    assert [reviewing.rubric(each) for each in (review, second, ruling)] == [old] * 3
    assert case.fresh().status == "ruling"
    later = make(cast)
    assert reviewing.rubric(later.claimed(cast.reviewer)) == new
    Review.objects.update(rubric=None)
    assert reviewing.rubric(Review.objects.get(entry=later.entry)) == new


def test_labels_are_the_companys_own(cast: Cast, case: Case) -> None:
    foreign = Label.objects.create(company=cast.globex, name="Refund")
    Label.objects.create(company=cast.coca_cola, name="Old", retired=True)
    review, record = case.claimed(cast.reviewer), case.records[0]
    reviewing.label(review, record, "  Made   up\0 ")
    reviewing.label(review, record, "refund")
    reviewing.label(review, record, "REFUND")
    reviewing.label(review, record, "Übel")
    reviewing.label(review, record, "übel")
    reviewing.unlabel(review, record, Label.objects.get(name="Übel").pk)
    given = review.judgements.get().labels.all()
    assert [(each.name, each.company) for each in given] == [
        ("Made up", cast.coca_cola),
        ("refund", cast.coca_cola),
    ]
    for refused in ("Old", "", " ", "x" * 41):
        with pytest.raises(Refused):
            reviewing.label(review, record, refused)
    with pytest.raises(Refused):
        reviewing.unlabel(review, record, foreign.pk)
    reviewing.unlabel(review, record, given[0].pk)
    assert [each.name for each in review.judgements.get().labels.all()] == ["refund"]


def test_foreign_reviews_and_answers_are_absent(cast: Cast, case: Case) -> None:
    review = case.claimed(cast.reviewer)
    elsewhere = ended(cast, by=cast.outsider, persona=cast.helpdesk).conversation
    conversation = case.entry.conversation
    assert access.review(cast.reviewer, conversation, review.pk) == review
    with pytest.raises(NotVisible):
        access.review(cast.manager, conversation, review.pk)
    with pytest.raises(NotVisible):
        access.review(cast.reviewer, elsewhere, review.pk)
    with pytest.raises(NotVisible):
        access.reviewed_answer(elsewhere, case.records[0].message_id or uuid.uuid4())
