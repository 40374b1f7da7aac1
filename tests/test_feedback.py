"""What people say of answers: on record, changeable, theirs."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from conversations import feedback, posting
from conversations.models import Feedback
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
    page = client.post(address, {"good": "0"}).content.decode()
    assert '<details class="feedback" open>' in page  # a bare "bad" is asked for its reasons
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
