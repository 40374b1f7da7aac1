"""A review by its pages: with a script and without, in time and late, unseen by the second, closed to strangers."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import feedback, filing, reviewing
from conversations.models import (
    Company,
    Feedback,
    Judgement,
    Label,
    Note,
    QueueEntry,
    Review,
)
from tests.answers import ended
from tests.conftest import Cast
from tests.reviews import Case, answer, body, client_of, make, page, press, queue, silence
from tests.test_access_admin import ACTIONS

Status = QueueEntry.Status


@pytest.fixture
def reviewer(cast: Cast) -> Client:
    return client_of(cast, "reviewer")


@pytest.fixture
def case(cast: Cast) -> Case:
    return make(cast)


# -- A review, from the claim to the end


def test_a_review_by_forms_alone(cast: Cast, reviewer: Client, case: Case) -> None:
    assert "Finish and next" not in body(reviewer.get(page(case)))
    assert press(reviewer, case, "claim").headers["Location"] == page(case)
    at_work = body(reviewer.get(page(case)))
    note = at_work[at_work.index('<textarea\n          name="text"') :]
    assert 'form="finishing"' in note[: note.index(">")]  # finishing sends it too
    assert "exported as the worse of a pair" in at_work
    review = Review.objects.get()
    sent: dict[str, Any] = {"review": review.pk, "answer": answer(case)}
    where = f"{page(case)}#message-{answer(case)}"
    assert press(reviewer, case, "judge", **sent, grade=case.grades[1].pk).headers["Location"] == where
    press(reviewer, case, "judge", **sent, correction="It is red.\r\n")
    press(reviewer, case, "label", **sent, name="Colour")
    press(reviewer, case, "reply", **sent, reply="Thank you.", fixed_in="")
    press(reviewer, case, "note", text="Look at this.")
    said = body(reviewer.get(page(case)))
    for words in ("It is red.", "Colour", "Thank you.", "Look at this."):
        assert words in said
    assert 'aria-pressed="true"' in said
    press(reviewer, case, "label", **sent, remove=Label.objects.get().pk)
    press(reviewer, case, "judge", **sent, grade="")
    assert Judgement.objects.get().grade is None
    refused = press(reviewer, case, "submit", review=review.pk, text="Kept too.")
    assert refused.headers["Location"] == page(case)
    said = body(reviewer.get(page(case)))
    for words in ("Give an answer a grade first", "Kept too."):
        assert words in said
    press(reviewer, case, "judge", **sent, grade=case.grades[1].pk)
    done = press(reviewer, case, "submit", review=review.pk, text="Kept too.")
    assert done.headers["Location"] == queue(cast)
    assert sorted(Note.objects.values_list("text", flat=True)) == ["Kept too.", "Look at this."]
    assert case.verdicts() == ["Wrong", ""]
    assert Feedback.objects.get().reply == "Thank you."
    assert "Review this again" in body(reviewer.get(page(case)))


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00", "soon"])
def test_a_page_of_no_time_finishes_nothing(cast: Cast, reviewer: Client, case: Case, as_of: str) -> None:
    review = case.judged(cast.reviewer, 2)
    refused = press(reviewer, case, "submit", script=True, review=review.pk, as_of=as_of)
    assert refused.status_code == 400
    assert "Reload the page" in body(refused)
    assert case.fresh().status == Status.OPEN
    assert Judgement.objects.get().grade == case.grades[1]
    assert (
        press(reviewer, case, "submit", review=review.pk, as_of="1971-01-01T00:00:00+00:00").status_code
        == 302
    )
    assert case.fresh().status == Status.DONE
    assert QueueEntry.objects.count() == 1
    assert Feedback.objects.get().seen_at is not None


def test_finishing_goes_on_with_the_next_that_is_free(cast: Cast, reviewer: Client, case: Case) -> None:
    taken, free = make(cast), make(cast)
    taken.claimed(cast.manager)
    review = case.judged(cast.reviewer, 2)
    done = press(reviewer, case, "submit", review=review.pk, next="1")
    assert done.headers["Location"] == page(free)
    assert (free.fresh().claimed_by, taken.fresh().claimed_by) == (cast.reviewer, cast.manager)
    review = free.judged(cast.reviewer, 2)
    by_script = press(reviewer, free, "submit", script=True, review=review.pk, next="1")
    assert by_script.headers["HX-Redirect"] == queue(cast)


def test_a_script_gets_the_parts_that_changed_and_nobodys_words(
    cast: Cast, reviewer: Client, case: Case
) -> None:
    review = case.claimed(cast.reviewer)
    sent: dict[str, Any] = {"review": review.pk, "answer": answer(case)}
    parts = {
        "judge": press(reviewer, case, "judge", script=True, **sent, grade=case.grades[1].pk),
        "label": press(reviewer, case, "label", script=True, **sent, name="<i>"),
        "reply": press(reviewer, case, "reply", script=True, **sent, reply="Thanks"),
        "note": press(reviewer, case, "note", script=True, text="<i>note</i>"),
        "renew": press(reviewer, case, "renew", script=True, review=review.pk),
    }
    assert 'aria-pressed="true"' in body(parts["judge"])
    assert "&lt;i&gt;" in body(parts["label"])
    assert "Saved" in body(parts["reply"])
    assert "&lt;i&gt;note" in body(parts["note"])
    for name, part in parts.items():
        assert part.status_code == 200
        assert ('id="desk-until" hx-swap-oob' in body(part)) is (name != "note")
        assert "It is blue" not in body(part)
        assert "What is Coca Cola" not in body(part)
    refused = press(reviewer, case, "label", script=True, **sent, name="")
    assert refused.status_code == 400
    assert 'id="desk-sentence" role="alert" hx-swap-oob' in body(refused)


def test_who_flagged_can_be_answered_as_who_rated(cast: Cast, reviewer: Client, case: Case) -> None:
    case.claimed(cast.reviewer)
    assert body(reviewer.get(page(case))).count("Answer the person") == 1
    flagged = case.records[1].message
    assert flagged is not None
    feedback.flag(cast.member, flagged)
    assert body(reviewer.get(page(case))).count("Answer the person") == 2


def test_who_comes_second_is_told_and_can_read_along(cast: Cast, reviewer: Client, case: Case) -> None:
    case.claimed(cast.manager)
    said = body(reviewer.get(page(case)))
    assert "<strong>manager</strong> has claimed this until" in said
    assert "Finish and next" not in said
    refused = press(reviewer, case, "claim")
    assert refused.headers["Location"] == page(case)
    assert "Manager has claimed this until" in body(reviewer.get(page(case))).split("Why it is here")[0]


def test_a_claim_that_is_late_is_told_and_what_was_sent_is_a_note(
    cast: Cast, reviewer: Client, case: Case
) -> None:
    review = case.claimed(cast.reviewer)
    silence(case)
    assert "Your claim lapsed" in body(reviewer.get(page(case)))
    case.claimed(cast.manager)
    for script in (False, True):
        late = press(
            reviewer, case, "judge", script=script, review=review.pk, answer=answer(case), correction="Red!"
        )
        assert late.status_code == (409 if script else 302)
        assert "kept as a note to colleagues" in body(late if script else reviewer.get(page(case)))
    note = Note.objects.get()
    assert note.late
    assert "Red!" in note.text
    assert "came too late for the review" in body(reviewer.get(page(case)))


def test_the_sign_of_work_changes_the_time_alone(cast: Cast, reviewer: Client, case: Case) -> None:
    review = case.judged(cast.reviewer, 2)
    silence(case, 5)
    renewed = press(reviewer, case, "renew", script=True, review=review.pk)
    assert "desk-until" in body(renewed)
    assert "desk-sentence" not in body(renewed)  # what was refused before stands
    assert (case.fresh().claim_seen_at or timezone.now()) > timezone.now() - timedelta(minutes=1)
    silence(case)
    case.claimed(cast.manager)
    assert press(reviewer, case, "renew", script=True, review=review.pk).status_code == 409
    reviewing.release(Review.objects.get(reviewer=cast.manager))
    reviewing.submit(review)
    quiet = press(reviewer, case, "renew", script=True, review=review.pk)
    assert (quiet.status_code, body(quiet)) == (204, "")


def test_a_review_is_saved_though_the_sitting_has_ended(cast: Cast, case: Case) -> None:
    client = Client()
    client.force_login(cast.reviewer)
    review = case.claimed(cast.reviewer)
    press(client, case, "judge", review=review.pk, answer=answer(case), grade=case.grades[0].pk)
    assert Judgement.objects.get().grade == case.grades[0]
    assert "sitting" in client.get(page(case)).headers["Location"]


def test_an_entry_is_opened_by_hand(cast: Cast, reviewer: Client, case: Case) -> None:
    QueueEntry.objects.all().delete()
    press(reviewer, case, "open", answer=answer(case))
    entry = QueueEntry.objects.get()
    assert (entry.claimed_by, str(entry.reasons.get())) == (cast.reviewer, "Opened by a reviewer.")
    press(reviewer, case, "release", review=Review.objects.get().pk)
    assert QueueEntry.objects.get().claimed_by is None


def test_a_second_reviewer_sees_nothing_of_the_first(cast: Cast, reviewer: Client, case: Case) -> None:
    Company.objects.update(second_reviews=100)
    first = case.claimed(cast.manager)
    canary = "zqcanary"
    reviewing.judge(first, case.records[0], case.grades[1].pk)
    reviewing.correct(first, case.records[0], canary)
    reviewing.label(first, case.records[0], "Colour")
    reviewing.reply(first, case.records[0], canary, None)
    reviewing.note(case.entry.conversation, cast.manager, canary)
    earlier = body(reviewer.get(page(case)))
    assert canary not in earlier  # who may be the second sees nothing while the first is at work
    reviewing.submit(first)
    before, listed = body(reviewer.get(page(case))), body(reviewer.get(queue(cast), {"tab": "second"}))
    press(reviewer, case, "claim")
    during = body(reviewer.get(page(case)))
    for said in (before, listed, during):
        assert canary not in said
        assert 'aria-pressed="true"' not in said
        assert "manager" not in said
    assert "You see nothing of the first review" in during
    assert "Answer the person" not in during
    assert canary in body(client_of(cast, "manager").get(page(case)))
    second = Review.objects.get(seat=Review.Seat.SECOND)
    reviewing.judge(second, case.records[0], case.grades[2].pk)
    reviewing.submit(second)
    after = body(client_of(cast, "manager").get(page(case)))
    assert f'<a href="#message-{answer(case)}">Answer 1</a>' in after.split("The reviews differ on")[1]
    for words in (canary, "Second review, reviewer", "agree in 0 % of 1 answer", "as a manager you may rule"):
        assert words in after


def test_a_second_reviewer_sees_nothing_of_earlier_reviews_either(
    cast: Cast, reviewer: Client, case: Case
) -> None:
    canary = "zqcanary"
    first = case.judged(cast.admin, 1)
    reviewing.correct(first, case.records[0], canary)
    reviewing.label(first, case.records[0], "Colour")
    reviewing.note(case.entry.conversation, cast.admin, canary)
    reviewing.submit(first)
    ledger = reverse("admin:review_answers", args=[cast.coca_cola.pk])
    seen = body(reviewer.get(page(case))) + body(reviewer.get(ledger))
    for words in ("<strong>Harmful</strong>", canary, "Colour", "Reviewed"):
        assert words in seen
    Company.objects.update(second_reviews=100)
    again = Case(reviewing.open_by_hand(cast.coca_cola, case.records[0]), case.records, case.grades)
    reviewing.submit(again.judged(cast.manager, 1))

    def shown(client: Client) -> str:
        rows = client.get(ledger).context["rows"]
        said = [
            f"{row.verdict} {row.labels}" for row in rows if row.conversation == case.entry.conversation_id
        ]
        said += [str(row.verdict) for row in client.get(page(case)).context["rows"]]
        return body(client.get(page(case))) + " ".join(said)

    before = shown(reviewer)
    press(reviewer, case, "claim")
    second = Review.objects.get(seat=Review.Seat.SECOND)
    during = shown(reviewer)
    reviewing.judge(second, case.records[1], case.grades[4].pk)
    assert not second.judgements.get().labels.exists()
    for said in (before, during):
        for words in (canary, "<strong>Harmful", "Harmful [", 'aria-pressed="true"', "Reviewed", ">admin<"):
            assert words not in said
    assert "Harmful [" in shown(client_of(cast, "manager"))
    reviewing.judge(second, case.records[0], case.grades[0].pk)
    reviewing.submit(second)
    after = shown(reviewer)
    for words in (canary, "Harmful ['Colour']", "Reviewed"):
        assert words in after


@pytest.mark.parametrize("text", ["", "blue"])
def test_a_second_reviewer_does_not_find_by_what_is_not_to_be_seen(
    cast: Cast, reviewer: Client, case: Case, text: str
) -> None:
    first = case.judged(cast.admin, 2, 4)
    for record in case.records:
        reviewing.label(first, record, "Colour")
    reviewing.submit(first)
    other = make(cast)
    reviewing.submit(other.judged(cast.admin, 2))
    ledger = reverse("admin:review_answers", args=[cast.coca_cola.pk])

    def found(client: Client, **query: Any) -> set[uuid.UUID]:
        page = client.get(ledger, query | {"text": text})
        return {row.conversation for row in page.context["rows"]}

    mine, theirs = case.entry.conversation_id, other.entry.conversation_id
    verdict, label = str(case.grades[1].pk), str(Label.objects.get().pk)
    both = {"verdict": verdict, "label": label}
    assert found(reviewer, verdict=verdict) == {mine, theirs}
    Company.objects.update(second_reviews=100)
    again = Case(reviewing.open_by_hand(cast.coca_cola, case.records[0]), case.records, case.grades)
    assert found(reviewer, **both) == {mine}  # the first review sees what was said before
    reviewing.submit(again.judged(cast.manager, 1))
    assert found(reviewer, verdict=verdict) == {theirs}
    assert found(reviewer, verdict=verdict, after="0") == {theirs}
    assert found(reviewer, label=label) == found(reviewer, **both) == set()
    assert found(reviewer) == found(reviewer, rating="bad") == {mine, theirs}
    assert found(client_of(cast, "manager"), label=label) == {mine}  # who gave the first review
    reviewing.submit(again.judged(cast.reviewer, 1))
    assert found(reviewer, verdict=str(case.grades[0].pk)) == {mine}


def test_a_label_that_is_made_up_tells_nobody_of_the_first_review(
    cast: Cast, reviewer: Client, case: Case
) -> None:
    Company.objects.update(second_reviews=100)
    Label.objects.create(company=cast.coca_cola, name="Settled")
    manager, admin = client_of(cast, "manager"), client_of(cast, "admin")
    company = [cast.coca_cola.pk]
    pages = [reverse(f"admin:review_{name}", args=company) for name in ("settings", "answers", "exports")]

    def heard(client: Client, *addresses: str) -> bool:
        said = [body(client.get(address)) for address in addresses]
        assert all("Settled" in each for each in said)
        assert len({"Invented" in each for each in said}) == 1
        return "Invented" in said[0]

    first = case.claimed(cast.reviewer)
    reviewing.judge(first, case.records[0], case.grades[1].pk)
    reviewing.label(first, case.records[0], "Invented")
    label = Label.objects.get(name="Invented")
    retire = reverse("admin:review_label_retire", args=[*company, label.pk])
    assert heard(reviewer, page(case), *pages[1:])  # one's own
    assert not heard(manager, *pages)
    reviewing.submit(first)
    second = case.claimed(cast.manager)
    assert not heard(manager, page(case), *pages)
    assert not heard(admin, *pages)
    assert manager.post(retire, {"retired": "1"}).status_code == 404
    reviewing.judge(second, case.records[0], case.grades[1].pk)
    pressed = press(manager, case, "label", script=True, review=second.pk, answer=answer(case), name="Other")
    assert "Settled" in body(pressed)
    assert "Invented" not in body(pressed)
    reviewing.label(second, case.records[0], "invented")  # by themselves: now it is theirs too
    assert heard(manager, page(case), *pages)
    assert not heard(admin, *pages)
    reviewing.submit(second)
    assert case.fresh().status == Status.DONE
    assert heard(admin, *pages)
    assert manager.post(retire, {"retired": "1"}).status_code == 302


def test_in_a_ruling_all_labels_of_the_two_are_known(cast: Cast, case: Case) -> None:
    Company.objects.update(second_reviews=100)
    for who, grade, name in ((cast.reviewer, 1, "First"), (cast.admin, 2, "Second")):
        review = case.judged(who, grade)
        reviewing.label(review, case.records[0], name)
        reviewing.submit(review)
    case.claimed(cast.manager)
    said = body(client_of(cast, "manager").get(page(case)))
    for name in ("First", "Second"):
        assert f'<option value="{name}"></option>' in said


def test_foreign_rows_are_absent_for_every_action(cast: Cast, reviewer: Client, case: Case) -> None:
    mine = case.claimed(cast.reviewer)
    foreign = ended(cast, by=cast.outsider, persona=cast.helpdesk)
    filing.file_ended()
    own = [cast.coca_cola.pk, case.entry.conversation_id]
    sent: dict[str, Any] = {
        "review": mine.pk,
        "answer": answer(case),
        "grade": case.grades[0].pk,
        "text": "x",
    }
    for action in ACTIONS:
        for company, conversation in (
            (cast.globex.pk, foreign.conversation.pk),
            (cast.coca_cola.pk, foreign.conversation.pk),
            (cast.globex.pk, case.entry.conversation_id),
            (cast.coca_cola.pk, uuid.uuid4()),
        ):
            address = reverse(f"admin:review_{action}", args=[company, conversation])
            assert reviewer.post(address, sent).status_code == 404, (action, company)
    other = client_of(cast, "manager")
    for action in ("release", "renew", "judge", "label", "reply", "submit"):
        address = reverse(f"admin:review_{action}", args=own)
        for wrong in ({"review": mine.pk}, {"review": "x"}, {"review": 987_654}, {}):
            assert other.post(address, sent | {"review": ""} | wrong).status_code == 404, (action, wrong)
    for action in ("open", "judge", "label", "reply"):
        address = reverse(f"admin:review_{action}", args=own)
        for wrong_answer in (str(foreign.answer.pk), str(uuid.uuid4()), "x", ""):
            assert reviewer.post(address, sent | {"answer": wrong_answer}).status_code == 404
    assert not Judgement.objects.exists()
    assert not Note.objects.exists()


def test_a_verdict_that_was_not_chosen_takes_nothing_back(cast: Cast, reviewer: Client, case: Case) -> None:
    review = case.judged(cast.reviewer, 2)
    sent = press(reviewer, case, "judge", review=review.pk, answer=answer(case))
    assert sent.headers["Location"].startswith(page(case))
    assert "Choose a grade." in body(reviewer.get(page(case)))
    assert Judgement.objects.get().grade == case.grades[1]
