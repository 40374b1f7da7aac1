"""Reviews: one reviewer at a time, nothing lost, nothing counted before the end, and a second one that is blind."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from conversations import access, feedback, filing, personas, reviewing
from conversations.access import NotVisible
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Feedback,
    Grade,
    Judgement,
    Label,
    Note,
    PersonaVersion,
    QueueEntry,
    Review,
    Rubric,
    Rule,
)
from conversations.posting import Refused
from conversations.reviewing import Late
from conversations.reviewing.ending import is_drawn
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.races import at_once

Status = QueueEntry.Status


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
        list(reviewing.rubric(cast.coca_cola).grades.all()),
    )


@pytest.fixture
def case(cast: Cast) -> Case:
    return make(cast)


@pytest.fixture
def twice(cast: Cast, case: Case) -> Case:
    """The same, where every review is repeated by a second reviewer."""
    case.entry.company.second_reviews = 100
    case.entry.company.save()
    return case


def silence(case: Case, minutes: float = 15.1) -> None:
    """Nothing was heard of who has the entry."""
    QueueEntry.objects.filter(pk=case.entry.pk).update(
        claim_seen_at=timezone.now() - timedelta(minutes=minutes)
    )


def notes(case: Case) -> list[str]:
    return list(
        Note.objects.filter(conversation=case.entry.conversation, late=True).values_list("text", flat=True)
    )


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
    assert notes(case) == []


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
        (lambda: reviewing.judge(review, record, case.grades[2].pk), "verdict Incomplete"),
        (lambda: reviewing.correct(review, record, "It is red."), "corrected answer:\nIt is red."),
        (lambda: reviewing.label(review, record, "Colour"), "label “Colour”"),
        (lambda: reviewing.reply(review, record, "Thank you.", None), "reply to the person:\nThank you."),
    ]
    for act, words in acts:
        for _ in range(2):  # sent once more, it is the same note
            with pytest.raises(Late, match=r"manager has claimed this .* kept as a note"):
                act()
        assert words in notes(case)[-1]
    with pytest.raises(Late):
        reviewing.submit(review)
    assert "verdict Wrong" in notes(case)[-1]
    assert len(notes(case)) == 5
    judgement = review.judgements.get()
    assert (judgement.grade, judgement.correction) == (case.grades[1], "")
    assert case.fresh().claimed_by == cast.manager
    assert Note.objects.filter(author=cast.reviewer, late=True).count() == 5


def test_what_comes_after_the_end_is_kept_too(cast: Cast, case: Case) -> None:
    review = case.judged(cast.reviewer, 2)
    reviewing.submit(review)
    with pytest.raises(Late, match="This was reviewed meanwhile"):
        reviewing.correct(review, case.records[0], "Too late.")
    assert "Too late." in notes(case)[0]
    with pytest.raises(Refused, match="reviewed already"):
        case.claimed(cast.manager)


# -- Rubric, labels and foreign rows


def test_a_rubric_is_made_once_and_frozen_by_its_first_grade(live_cast: Cast) -> None:
    Rubric.objects.all().delete()
    company = live_cast.coca_cola
    made = at_once(*[lambda: reviewing.rubric(company).pk for _ in range(3)])
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
    foreign = reviewing.rubric(cast.globex).grades.all()[0]
    old = case.grades[0]
    Rubric.objects.filter(pk=old.rubric_id).update(in_use=False)
    Rubric.objects.create(company=cast.coca_cola, name="New", in_use=True)
    for grade in (foreign.pk, old.pk, 987_654):
        with pytest.raises(Refused, match="rubric has changed"):
            reviewing.judge(review, case.records[0], grade)
    assert not review.judgements.exists()
    assert not Rubric.objects.filter(frozen_at__isnull=False).exists()


def test_labels_are_the_companys_own(cast: Cast, case: Case) -> None:
    foreign = Label.objects.create(company=cast.globex, name="Refund")
    Label.objects.create(company=cast.coca_cola, name="Old", retired=True)
    review, record = case.claimed(cast.reviewer), case.records[0]
    reviewing.label(review, record, "  Made   up\0 ")
    reviewing.label(review, record, "refund")
    reviewing.label(review, record, "REFUND")
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
    reviewing.submit(twice.judged(cast.reviewer, *first), nothing=True)
    reviewing.submit(twice.judged(cast.manager, *second), nothing=True)
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
