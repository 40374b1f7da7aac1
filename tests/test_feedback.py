"""What people say of answers: on record, changeable, theirs."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conversations import feedback, personas, posting
from conversations.models import Endpoint, Feedback, Flag, PersonaVersion
from conversations.posting import Refused
from tests.conftest import Cast
from tests.test_pages import HTMX, first_turn
from tests.test_posting import end, reload, start


@pytest.fixture
def judged(cast: Cast) -> tuple[Client, str, posting.Turn]:
    """The member, the address of their feedback, and the turn that it is about."""
    turn = first_turn(cast)
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    return client, reverse("feedback", args=[turn.conversation.pk, turn.answer.pk]), turn


def test_an_answer_is_judged_changed_and_taken_back(
    judged: tuple[Client, str, posting.Turn], cast: Cast
) -> None:
    client, address, turn = judged
    pressed = {"press": "1", "comment": "Half a sen"}  # the button brings along what stands in the form
    client.post(address, {"good": "1", **pressed})
    page = client.post(address, {"good": "0", **pressed}).content.decode()
    assert (
        f'<details class="feedback" id="feedback-{turn.answer.pk}" open>' in page
    )  # it is asked for its reasons
    assert "Half a sen" in page
    assert page.count('aria-pressed="true"') == 1
    client.post(
        address, {"good": "0", "reasons": ["wrong", "style", "made up"], "comment": "  It is red.\0 "}
    )
    kept = Feedback.objects.get()
    assert (kept.message, kept.person, kept.good) == (turn.answer, cast.member, False)
    assert (kept.reasons, kept.comment) == (["wrong", "style"], "It is red.")
    page = client.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert "It is red." in page
    client.post(address, {"good": "1"})
    kept = Feedback.objects.get()
    assert (kept.good, kept.reasons, kept.comment) == (True, [], "")
    page = client.post(address, {"good": ""}).content.decode()
    assert not Feedback.objects.exists()
    assert 'aria-pressed="true"' not in page


def test_a_comment_too_long_is_refused_and_nothing_is_changed(
    judged: tuple[Client, str, posting.Turn],
) -> None:
    client, address, _ = judged
    client.post(address, {"good": "0", "comment": "short"})
    answer = client.post(address, {"good": "0", "comment": "x" * 2_001})
    assert answer.status_code == 413
    assert Feedback.objects.get().comment == "short"


def test_only_ended_answers_are_judged(cast: Cast) -> None:
    turn = start(cast)
    answer = reload(turn.answer)
    assert answer.parent is not None
    for message in (answer, reload(answer.parent)):
        with pytest.raises(Refused):
            feedback.rate(cast.member, message, good=True)
    end(turn)
    assert feedback.rate(cast.member, reload(turn.answer), good=True).good


def test_nobody_else_judges(cast: Cast) -> None:
    turn = first_turn(cast)
    for who in (cast.member2, cast.reviewer, cast.outsider, cast.admin):
        client = Client(headers=HTMX)
        client.force_login(who)
        for message in (turn.answer.pk, uuid.uuid4()):
            address = reverse("feedback", args=[turn.conversation.pk, message])
            assert client.post(address, {"good": "1"}).status_code == 404
    assert not Feedback.objects.exists()


def test_an_answer_is_flagged_and_no_longer(judged: tuple[Client, str, posting.Turn], cast: Cast) -> None:
    client, _, turn = judged
    address = reverse("flag", args=[turn.conversation.pk, turn.answer.pk])
    for _ in range(2):  # a form may arrive twice
        foot = client.post(address, {"flag": "1"}).content.decode()
    assert (Flag.objects.get().message, Flag.objects.get().person) == (turn.answer, cast.member)
    assert re.search(r'aria-label="Flag for review"[^>]*aria-pressed="true"', foot)
    page = client.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert re.search(r'aria-label="Flag for review"[^>]*aria-pressed="true"', page)
    foot = client.post(address, {"flag": ""}).content.decode()
    assert not Flag.objects.exists()
    assert re.search(r'aria-label="Flag for review"[^>]*aria-pressed="false"', foot)


def test_a_press_says_what_it_did_and_who_may_read(judged: tuple[Client, str, posting.Turn]) -> None:
    client, address, turn = judged
    flag = reverse("flag", args=[turn.conversation.pk, turn.answer.pk])

    def said(to: str, **sent: str) -> str:
        foot = client.post(to, sent).content.decode()
        found = re.search(r"<p class=\"done\" data-said>(.*?)</p>", foot)
        return found.group(1) if found else ""

    may_read = "reviewers may read this whole conversation"
    assert "Say below what was wrong" in said(address, good="0", press="1")
    assert may_read in said(address, good="0", comment="It is red.")
    assert may_read in said(address, good="1", press="1")
    assert said(address, good="").startswith("Taken back.")
    assert may_read in said(flag, flag="1")
    page = client.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert "data-said" not in page
    assert "Flagged. Your company’s reviewers may read" in page
    assert said(flag, flag="").startswith("Taken back.")


def test_of_a_flag_too_the_person_is_told_what_became(
    judged: tuple[Client, str, posting.Turn], cast: Cast
) -> None:
    client, address, turn = judged
    page = reverse("conversation", args=[turn.conversation.pk])
    feedback.flag(cast.member, turn.answer)
    Flag.objects.update(seen_at=timezone.now())
    assert "Seen by a reviewer" in client.get(page).content.decode()
    Flag.objects.update(reply="It knows now.", fixed_in=cast.guide.current)
    shown = client.get(page).content.decode()
    assert "Fixed in version 1" in shown
    assert "It knows now." in shown
    assert "Flagged. Your" not in shown
    client.post(address, {"good": "0"})  # of both that which has words is told
    assert "It knows now." in client.get(page).content.decode()
    Feedback.objects.update(seen_at=timezone.now())
    assert "It knows now." in client.get(page).content.decode()


def test_a_flag_needs_no_scripts(cast: Cast) -> None:
    turn = first_turn(cast)
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.member)
    address = reverse("conversation", args=[turn.conversation.pk])
    page = client.get(address).content.decode()
    flag = reverse("flag", args=[turn.conversation.pk, turn.answer.pk])
    form = re.search(rf'<form method="post" action="{flag}".*?</form>', page, re.DOTALL)
    assert form is not None
    sent = dict(re.findall(r'name="(\w+)" value="(\w*)"', form.group()))
    answered = client.post(flag, sent)
    assert (answered.status_code, answered["Location"]) == (302, address)
    assert Flag.objects.filter(message=turn.answer).exists()
    assert client.post(flag, {"flag": ""}).status_code == 403


def test_only_ended_answers_are_flagged(cast: Cast) -> None:
    turn = start(cast)
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    for message in (turn.answer.pk, turn.answer.parent_id):
        address = reverse("flag", args=[turn.conversation.pk, message])
        assert client.post(address, {"flag": "1"}).status_code == 409
    assert not Flag.objects.exists()


def answer_feedback(**facts: Any) -> None:
    """What reviewers write when they end a review."""
    Feedback.objects.update(**{"seen_at": timezone.now(), **facts})


def test_people_see_what_became_of_theirs(judged: tuple[Client, str, posting.Turn], cast: Cast) -> None:
    client, address, turn = judged
    page = reverse("conversation", args=[turn.conversation.pk])
    fragment = client.post(address, {"good": "0", "comment": "It is red."}).content.decode()
    for shown in (fragment, client.get(page).content.decode()):
        assert "Seen by a reviewer" not in shown
    answer_feedback(reply="<b>Thank you</b>,\nwe mended it.")
    seen = client.get(page).content.decode()
    assert "Seen by a reviewer" in seen
    assert "&lt;b&gt;Thank you&lt;/b&gt;,\nwe mended it." in seen
    assert "Changed since" not in seen
    version = personas.publish(
        cast.guide,
        PersonaVersion(system_prompt="Be right.", endpoint=Endpoint.objects.all()[0], model="m"),
        by=None,
    )
    answer_feedback(fixed_in=version)
    fixed = client.get(page).content.decode()
    assert "Fixed in version 2" in fixed
    assert "Seen by a reviewer" not in fixed
    assert "Be right." not in fixed
    flag = client.post(reverse("flag", args=[turn.conversation.pk, turn.answer.pk]), {"flag": "1"})
    assert "Fixed in version 2" in flag.content.decode()


def test_what_was_said_to_a_person_stays_and_tells_that_it_is_older(
    judged: tuple[Client, str, posting.Turn],
) -> None:
    client, address, _ = judged
    said = {"good": "0", "reasons": ["wrong"], "comment": "It is red."}
    client.post(address, said)
    answer_feedback(reply="Thank you.")
    again = client.post(address, said).content.decode()
    assert "Thank you." in again
    assert "Changed since" not in again
    changed = client.post(address, {"good": "1"}).content.decode()
    assert "Thank you." in changed
    assert "Changed since" in changed


def test_what_was_said_of_many_answers_costs_no_more_queries(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    turn = first_turn(cast)
    client = Client()
    client.force_login(cast.member)
    address = reverse("conversation", args=[turn.conversation.pk])
    for number in range(4):
        feedback.rate(cast.member, turn.answer, good=False, comment=f"comment {number}")
        feedback.flag(cast.member, turn.answer)
        answer_feedback(reply="Thank you.", fixed_in=cast.guide.current)
        with django_assert_num_queries(14):
            assert client.get(address).content.decode().count("Fixed in version 1") == number + 1
        turn = posting.post(cast.member, turn.conversation, "more", client_id=uuid.uuid4())
        end(turn)
