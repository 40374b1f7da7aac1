"""The reviewers' pages: what the queue tells, and a conversation on record, as the person saw it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import feedback, filing, posting, reviewing, rubrics
from conversations.models import (
    AnswerRecord,
    Company,
    Conversation,
    EntryReason,
    Generation,
    QueueEntry,
    Reading,
    Rule,
)
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.reviews import Case, body, client_of, make, page, press, queue
from tests.test_posting import start
from tests.test_reading import sit

Status = QueueEntry.Status


@pytest.fixture
def reviewer(cast: Cast) -> Client:
    return client_of(cast, "reviewer")


@pytest.fixture
def case(cast: Cast) -> Case:
    return make(cast)


# -- The queue


def test_the_queue_says_what_waits_and_why_and_shows_nobodys_words(cast: Cast, reviewer: Client) -> None:
    for kind, value in ((Rule.Kind.BAD, ""), (Rule.Kind.PATTERN, "secret[0-9]"), (Rule.Kind.SAMPLE, "100")):
        Rule.objects.create(company=cast.coca_cola, kind=kind, value=value)
    turn = ended(cast, "The word is secret7.", question="Tell me a secret")
    ended_in(turn.conversation)
    feedback.rate(cast.member, turn.answer, good=False, comment="Do not tell!")
    filing.file_ended()
    said = body(reviewer.get(queue(cast)))
    for words in (
        "Coca Cola guide",
        "The person found this answer bad.",
        "Matches a pattern.",
        "In the random sample of 100 %. (2 answers)",
        reverse("admin:review_conversation", args=[cast.coca_cola.pk, turn.conversation.pk]),
    ):
        assert words in said
    for unseen in ("secret7", "Tell me", "Do not tell", ">member<"):
        assert unseen not in said
    assert not Reading.objects.exists()


def test_two_rules_that_name_one_answer_are_one_reason(cast: Cast, reviewer: Client) -> None:
    for _ in range(2):
        Rule.objects.create(company=cast.coca_cola, kind=Rule.Kind.BAD)
    turn = ended(cast)
    feedback.rate(cast.member, turn.answer, good=False)
    filing.file_ended()
    assert EntryReason.objects.count() == 2
    assert reviewer.get(queue(cast)).context["lines"][0].reasons == ["The person found this answer bad."]
    address = reverse("admin:review_conversation", args=[cast.coca_cola.pk, turn.conversation.pk])
    assert body(reviewer.get(address)).count("The person found this answer bad.") == 1


def test_who_gave_the_first_review_is_not_shown_what_waits_for_the_second(
    cast: Cast, reviewer: Client, case: Case
) -> None:
    Company.objects.update(second_reviews=100)
    reviewing.submit(case.judged(cast.reviewer, 2))

    def listed(client: Client) -> tuple[int, str]:
        context = client.get(queue(cast), {"tab": "second"}).context
        return len(context["lines"]), next(tab.count for tab in context["tabs"] if tab.name == "second")

    assert listed(reviewer) == (0, "0")
    assert listed(client_of(cast, "manager")) == (1, "1")
    cast.coca_cola.memberships.filter(user=cast.manager).delete()
    assert listed(reviewer) == (1, "1")  # nobody else could give it


def test_what_is_done_says_how_it_ended_and_who_reviewed_it(cast: Cast, reviewer: Client, case: Case) -> None:
    Company.objects.update(second_reviews=100)
    reviewing.submit(case.judged(cast.reviewer, 2, 4))
    reviewing.submit(case.judged(cast.manager, 2, 5))
    reviewing.submit(case.judged(cast.admin, None, 5))
    done = reviewer.get(queue(cast), {"tab": "done"})
    line = done.context["lines"][0]
    names = [str(case.grades[number].name) for number in (1, 4)]
    assert line.result.verdicts == f"1 {names[0]}, 1 {names[1]}"
    assert line.result.reviewers == "reviewer, manager, admin"
    assert line.result.verdicts in body(done)
    again = reviewing.open_by_hand(cast.coca_cola, case.records[0])  # and now it waits for a second again
    QueueEntry.objects.filter(pk=again.pk).update(status=Status.SECOND)
    hidden = reviewer.get(queue(cast), {"tab": "done"})
    assert hidden.context["lines"][0].result is None
    assert names[1] not in body(hidden)


def test_dates_of_another_year_say_so(cast: Cast, reviewer: Client, case: Case) -> None:
    year = timezone.localtime().year
    assert str(year) not in reviewer.get(queue(cast)).context["lines"][0].since
    QueueEntry.objects.update(opened_at=timezone.now() - timedelta(days=400))
    since = reviewer.get(queue(cast)).context["lines"][0].since
    assert str(year - 1) in since or str(year - 2) in since


def test_the_lists_of_the_queue(cast: Cast, reviewer: Client, case: Case) -> None:
    def listed(tab: str, **more: str) -> list[QueueEntry]:
        found = reviewer.get(queue(cast), {"tab": tab, **more})
        return [line.entry for line in found.context["lines"]]

    entry = case.entry
    assert listed("waiting") == [entry]
    assert listed("waiting", kind="bad") == [entry]
    assert listed("waiting", kind="sample") == []
    assert listed("mine") == []
    case.claimed(cast.reviewer)
    assert listed("waiting") == listed("mine") == [entry]
    assert ">reviewer" in body(reviewer.get(queue(cast))).replace("\n", "").replace(" ", "")
    for status in (Status.SECOND, Status.RULING):
        QueueEntry.objects.update(status=status)
        assert listed(status) == [entry]
        assert listed("waiting") == []
    QueueEntry.objects.update(status=Status.DONE, closed_at=timezone.now())
    assert listed("done") == [entry]
    assert listed("mine") == []


def test_the_queue_is_paged_oldest_first(cast: Cast, reviewer: Client) -> None:
    Rule.objects.create(company=cast.coca_cola, kind=Rule.Kind.SAMPLE, value="100")
    for _ in range(53):
        ended(cast)
    filing.file_ended()
    found = []
    address = queue(cast)
    while address:
        shown = reviewer.get(address)
        found += [line.entry for line in shown.context["lines"]]
        address = f"{queue(cast)}?{shown.context['more']}" if shown.context["more"] else ""
    assert found == sorted(found, key=lambda entry: (entry.opened_at, entry.pk))
    assert len(found) == 53
    for odd in ("x", "~", "2026-01-01~x", "9" * 50):
        assert len(reviewer.get(queue(cast), {"after": odd}).context["lines"]) == 50


def test_an_empty_queue_says_why(cast: Cast, reviewer: Client) -> None:
    assert "no rule" in body(reviewer.get(queue(cast)))
    assert "A manager of Coca Cola can make one." in body(reviewer.get(queue(cast)))
    Rule.objects.create(company=cast.coca_cola, kind=Rule.Kind.BAD)
    assert "Nothing is waiting." in body(reviewer.get(queue(cast)))
    for tab in ("second", "ruling", "mine", "done"):
        assert reviewer.get(queue(cast), {"tab": tab}).status_code == 200


def test_the_queue_says_how_far_second_reviews_agree(cast: Cast, reviewer: Client, case: Case) -> None:
    Company.objects.update(second_reviews=100)
    reviewing.submit(case.judged(cast.reviewer, 2, 4))
    reviewing.submit(case.judged(cast.admin, 2, 5))
    assert "agree in <strong>50 %</strong> of 2 answers" in body(reviewer.get(queue(cast)))


def test_the_number_of_queries_does_not_grow(
    cast: Cast, reviewer: Client, django_assert_max_num_queries: Any
) -> None:
    Rule.objects.create(company=cast.coca_cola, kind=Rule.Kind.SAMPLE, value="100")
    turn = ended(cast)
    for _ in range(15):
        further = ended_in(turn.conversation)
        feedback.rate(cast.member, further.answer, good=False)
        ended(cast)
    filing.file_ended()
    case = Case(
        QueueEntry.objects.get(conversation=turn.conversation),
        list(AnswerRecord.objects.filter(conversation=turn.conversation).order_by("pk")),
        list(rubrics.in_use(cast.coca_cola).grades.all()),
    )
    review = case.judged(cast.reviewer, *[2] * 16)
    for record in case.records:
        reviewing.label(review, record, "Colour")
    with django_assert_max_num_queries(18):
        reviewer.get(queue(cast))
    with django_assert_max_num_queries(45):
        assert reviewer.get(page(case)).status_code == 200
    with django_assert_max_num_queries(39):
        press(reviewer, case, "submit", review=review.pk, next="1")


# -- A conversation


def test_reading_a_conversation_is_on_record(cast: Cast, case: Case) -> None:
    client = Client()
    client.force_login(cast.reviewer)
    asked = client.get(page(case))
    assert asked.status_code == 302
    assert "sitting" in asked.headers["Location"]
    assert not Reading.objects.exists()
    sit(client, cast, next=page(case))
    shown = client.get(page(case))
    assert shown.status_code == 200
    row = Reading.objects.get()
    assert (row.what, row.conversation_id, row.reader_id) == (
        "page",
        case.entry.conversation_id,
        cast.reviewer.pk,
    )
    assert "no-store" in shown.headers["Cache-Control"]
    absent = reverse("admin:review_conversation", args=[cast.coca_cola.pk, uuid.uuid4()])
    assert client.get(absent).status_code == 404
    assert client.post(page(case)).status_code == 405
    assert Reading.objects.count() == 1


def test_a_conversation_is_shown_as_the_person_saw_it_with_the_facts_of_each_answer(
    cast: Cast, reviewer: Client
) -> None:
    turn = ended(
        cast,
        "It is **blue** <script>.",
        question="What *colour*?",
        model="mistral-large-2411",
        prompt_tokens=1_234,
        completion_tokens=56,
        first_token_ms=412,
        request_id="req-77",
        finish_reason="length",
        sentence="The answer was cut.",
        left_out=3,
        recorded=True,
    )
    feedback.rate(cast.member, turn.answer, good=False, reasons=["wrong"], comment="It is <b>red</b>.")
    feedback.flag(cast.member, turn.answer)
    filing.file_ended()
    address = reverse("admin:review_conversation", args=[cast.coca_cola.pk, turn.conversation.pk])
    said = body(reviewer.get(address))
    for words in (
        "It is <strong>blue</strong> &lt;script&gt;.",
        "What *colour*?",
        f'id="message-{turn.answer.pk}"',
        "version 1",
        "mistral-large-latest",
        "mistral-large-2411",
        "temperature 0.7, top p 1.0, max tokens 100",
        "1,234 in, 56 out",
        "412 ms",
        "req-77",
        "length",
        "Mistral, recorded",
        "Asked",
        timezone.localtime().strftime("%b %Y, "),
        "The answer was cut.",
        "3 oldest messages",
        "found this answer bad",
        "Not correct",
        "It is &lt;b&gt;red&lt;/b&gt;.",
        "asked for a review of this answer",
        "Review this",
    ):
        assert words in said, words
    assert cast.guide.current is not None
    assert cast.guide.current.system_prompt not in said
    version = reverse("admin:conversations_persona_version", args=[cast.guide.pk, "1"])
    assert version not in said
    assert version in body(client_of(cast, "manager").get(address))


def test_other_versions_are_read_without_switching(cast: Cast, reviewer: Client) -> None:
    turn = ended(cast, "First answer.")
    again = posting.regenerate(cast.member, turn.answer, client_id=uuid.uuid4())
    Generation.objects.filter(pk=again.generation.pk).update(status="done", finished_at=timezone.now())
    filing.file_ended()
    address = reverse("admin:review_conversation", args=[cast.coca_cola.pk, turn.conversation.pk])
    shown = reviewer.get(address)
    assert "First answer." not in body(shown)
    assert f"?head={turn.answer.pk}#" in body(shown)
    other = body(reviewer.get(address, {"head": str(turn.answer.pk)}))
    assert "First answer." in other
    assert "The person sees another version" in other
    assert Conversation.objects.get(pk=turn.conversation.pk).head_id == again.answer.pk
    foreign = ended(cast, by=cast.outsider, persona=cast.helpdesk)
    for head in ("x", str(uuid.uuid4()), str(foreign.answer.pk)):
        assert reviewer.get(address, {"head": head}).status_code == 404


def test_a_running_answer_is_shown_as_such(cast: Cast, reviewer: Client) -> None:
    turn = start(cast)
    address = reverse("admin:review_conversation", args=[cast.coca_cola.pk, turn.conversation.pk])
    said = body(reviewer.get(address))
    assert "still being written" in said
    assert "there is nothing to review" in said
    assert "Review this" not in said


def test_the_name_is_shown_to_who_asks(cast: Cast, reviewer: Client, case: Case) -> None:
    assert "member</h1>" not in body(reviewer.get(page(case)))
    unmask = reverse("admin:review_unmask", args=[cast.coca_cola.pk, case.entry.conversation_id])
    assert reviewer.post(unmask, {"next": page(case)}).headers["Location"] == page(case)
    said = body(reviewer.get(page(case)))
    assert "member with Coca Cola guide" in said
    assert "Show name" not in said


def test_a_sitting_is_ended_by_who_began_it(cast: Cast, reviewer: Client, case: Case) -> None:
    assert "End this sitting" in body(reviewer.get(page(case)))
    sitting = reverse("admin:review_sitting", args=[cast.coca_cola.pk])
    again = reviewer.get(sitting)
    assert "You are reading already" in body(again)
    assert again.context["reason"] == again.context["reading_for"] != ""
    assert reviewer.post(sitting, {"reason": ""}).status_code == 400  # it is not taken from the old one
    end = reverse("admin:review_sitting_end", args=[cast.coca_cola.pk])
    assert reviewer.get(end).status_code == 405
    ended_now = reviewer.post(end, follow=True)
    assert "Your sitting has ended." in body(ended_now)
    assert "End this sitting" not in body(ended_now)
    assert "sitting" in reviewer.get(page(case)).headers["Location"]
    assert reviewer.post(end).status_code == 302  # twice is harmless
    stranger = Client()
    stranger.force_login(cast.outsider)
    assert stranger.post(end).status_code in {403, 404}


def test_a_claim_that_somebody_else_has_is_told_once(cast: Cast, reviewer: Client, case: Case) -> None:
    case.claimed(cast.manager)
    press(reviewer, case, "claim")
    said = body(reviewer.get(page(case)))
    assert said.count("has claimed this until") == 1
    assert "You can read along." in said
    assert "<strong>manager</strong> has claimed this until" in body(reviewer.get(page(case)))


def test_what_is_given_back_is_told(cast: Cast, reviewer: Client, case: Case) -> None:
    review = case.claimed(cast.reviewer)
    assert "In your hands" in body(reviewer.get(page(case)))
    press(reviewer, case, "release", review=review.pk)
    said = body(reviewer.get(queue(cast)))
    assert "Given back to the queue. Your verdicts are kept" in said
    assert 'autofocus aria-describedby="done"' in said


# -- From the ledger and back


def test_from_the_answers_the_way_leads_back_to_what_was_looked_for(
    cast: Cast, reviewer: Client, case: Case
) -> None:
    answers = reverse("admin:review_answers", args=[cast.coca_cola.pk])
    listed = body(reviewer.get(answers, {"rating": "bad", "before": "9999", "text": "blue"}))
    opened = re.search(rf'href="({page(case)}\?answers=[^"#]+)#message', listed)
    assert opened is not None
    shown = reviewer.get(opened.group(1))
    back = f"{answers}?text=blue&rating=bad&before=9999"
    assert shown.context["back"] == back
    assert reviewer.get(back).context["rows"]
    words = body(shown)
    assert "Back to the answers" in words
    assert f'href="{answers}" aria-current="page"' in words
    assert "Previous" not in words
    sent: dict[str, Any] = {"answers": "text=blue&rating=bad&before=9999"}
    assert press(reviewer, case, "claim", **sent).headers["Location"] == opened.group(1)
    assert reviewer.get(page(case)).context["back"] == ""


@pytest.mark.parametrize(
    "query",
    ["//evil.example", "https://evil.example/", "x=1&next=//evil", "rating=%22><script>", "before=x", ""],
)
def test_nothing_but_filters_comes_back(cast: Cast, reviewer: Client, case: Case, query: str) -> None:
    shown = reviewer.get(page(case), {"answers": query})
    assert shown.context["back"] == reverse("admin:review_answers", args=[cast.coca_cola.pk])
    assert not [link for link in re.findall(r'href="([^"]*)"', body(shown)) if "evil" in link]


def test_where_nothing_is_the_administration_is_offered_to_who_came_from_it(
    cast: Cast, reviewer: Client
) -> None:
    absent = reverse("admin:review_queue", args=[uuid.uuid4()])
    offered = f'href="{reverse("admin:index")}"'
    missing = reviewer.get(absent)
    assert missing.status_code == 404
    assert offered in body(missing)
    assert offered in body(reviewer.get(reverse("admin:auth_user_changelist")))
    assert offered not in body(reviewer.get("/nowhere/"))
    member = Client()
    member.force_login(cast.member)
    refused = member.get(absent)
    assert refused.status_code == 403
    assert offered not in body(refused)
