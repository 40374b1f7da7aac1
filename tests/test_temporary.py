"""A temporary chat is gone after a day with all its traces, and until then nobody else's but for what is said in it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import (
    access,
    deleting,
    feedback,
    filing,
    generation,
    holds,
    order,
    posting,
    recall,
    rechecks,
    search,
    sharing,
)
from conversations.database import in_database
from conversations.exports.making import make
from conversations.finding import Filters
from conversations.generation import keeper
from conversations.models import AnswerRecord, Charge, Conversation, Export, QueueEntry, Rule, SharedLink
from conversations.posting import Refused
from conversations.providers.recorded import RecordedUpstream, Script
from tests.answers import _end as end
from tests.conftest import Cast
from tests.everywhere import WORD, ledger, with_word
from tests.exporting import lines_of, sitting_of
from tests.test_access import cookie_of, socket
from tests.test_deleting import found_by, page_of, reviewer
from tests.test_generation import ended, until
from tests.test_order import HTMX, press, shown
from tests.test_person_export import lines, my_data, of
from tests.test_retention import clean, there
from tests.test_titles import titled

Kind = Rule.Kind


@pytest.fixture
def member(live_cast: Cast) -> Client:
    client = Client(headers=HTMX)
    client.force_login(live_cast.member)
    return client


def begun(cast: Cast, question: str = "What is Coca Cola?") -> posting.Turn:
    return posting.start(cast.member, cast.guide, question, client_id=uuid.uuid4(), temporary=True)


def temporary(
    cast: Cast, text: str = "An answer.", *, question: str = "What is Coca Cola?", **facts: Any
) -> posting.Turn:
    """A temporary chat whose answer has ended and is filed."""
    turn = end(begun(cast, question), text, facts)
    filing.file_ended()
    return turn


def pass_a_day() -> None:
    Conversation.objects.exclude(temporary_until=None).update(temporary_until=Now() - timedelta(seconds=1))


def rule(cast: Cast, kind: Rule.Kind, value: str = "") -> None:
    Rule.objects.create(company=cast.coca_cola, kind=kind, value=value)


# -- While it is there ------------------------------------------------------------------------------


def test_it_is_begun_by_a_tick_and_says_until_when_it_is_there(live_cast: Cast, member: Client) -> None:
    before = timezone.now()
    sent = {"persona": live_cast.guide.pk, "text": "Psst", "client_id": uuid.uuid4(), "temporary": "on"}
    member.post("/start/", sent)
    chat = Conversation.objects.get()
    assert chat.temporary_until is not None
    assert abs(chat.temporary_until - before - timedelta(hours=24)) < timedelta(seconds=30)
    page = member.get(f"/c/{chat.pk}/").content.decode()
    assert "Temporary until" in page
    assert "This chat is temporary." in page
    assert "It is gone after 24 hours" in page
    line = member.get("/chats/").content.decode()
    assert "Temporary:" in line
    member.post("/start/", sent | {"client_id": uuid.uuid4(), "temporary": ""} | {"text": "Lasting"})
    assert (
        Conversation.objects.filter(temporary_until=None).count() == 0
    )  # ticked is ticked, whatever its value
    del sent["temporary"]
    member.post("/start/", sent | {"client_id": uuid.uuid4()})
    lasting = Conversation.objects.get(temporary_until=None)
    assert "Temporary until" not in member.get(f"/c/{lasting.pk}/").content.decode()


def test_it_is_in_no_index_and_no_file(live_cast: Cast, member: Client) -> None:
    turn = temporary(live_cast, "marzipan", question="Sweets?")
    order.rename(turn.conversation, "Confectionery")
    for word in ("marzipan", "sweets", "confectionery"):
        assert recall.found(live_cast.member, word) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM conversations_search")
        assert cursor.fetchone()[0] == 0
    for kind in (Export.Kind.CSV, Export.Kind.CONVERSATIONS):
        assert lines_of(make(sitting_of(live_cast), kind, Filters())) == b""
    (line,) = of(lines(my_data(live_cast.member)), "conversation")
    assert line["temporary_until"]
    assert search.tags_of(AnswerRecord.objects.get())  # the ledger has it, as figures


def test_reviewers_see_figures_and_no_words(live_cast: Cast) -> None:
    turn = temporary(live_cast, "marzipan", question="Sweets?")
    client = reviewer(live_cast)
    assert page_of(client, live_cast, turn.conversation).status_code == 404
    page = found_by(client, live_cast)
    assert "No words: its chat was removed, or is temporary." in page
    assert "Sweets" not in page
    assert "marzipan" not in page


@pytest.mark.parametrize(
    ("kind", "value", "enters"),
    [
        (Kind.SAMPLE, "100", False),
        (Kind.TROUBLE, "", False),
        (Kind.BAD, "", True),
        (Kind.FLAG, "", True),
        (Kind.WORDS, "marzipan", True),
        (Kind.PATTERN, "marzi[p]an", True),
    ],
)
def test_what_is_said_in_it_brings_it_before_reviewers_and_nothing_else(
    live_cast: Cast, member: Client, kind: Rule.Kind, value: str, enters: bool
) -> None:
    rule(live_cast, kind, value)
    turn = temporary(live_cast, "marzipan", question="Sweets?", finish_reason="length")
    feedback.rate(live_cast.member, turn.answer, good=False)
    feedback.flag(live_cast.member, turn.answer)
    filing.file_ended()
    assert QueueEntry.objects.exists() is enters
    status = page_of(reviewer(live_cast), live_cast, turn.conversation).status_code
    assert status == (200 if enters else 404)
    held = "It is under review or held: reviewers can read it"
    assert (held in member.get(f"/c/{turn.conversation.pk}/").content.decode()) is enters


async def test_no_title_is_asked_for(live_cast: Cast, running: RecordedUpstream) -> None:
    turn = await in_database(begun, live_cast)
    await generation.start(turn.generation)
    await ended(turn)
    await titled()
    assert running.titles.requests == []


# -- Gone -------------------------------------------------------------------------------------------


def test_it_goes_after_a_day_and_leaves_figures(live_cast: Cast, member: Client) -> None:
    turn = temporary(live_cast, f"{WORD} answer", question=f"{WORD} question")
    order.rename(turn.conversation, f"{WORD} title")
    feedback.rate(live_cast.member, turn.answer, good=False, comment=WORD)
    filing.file_ended()
    figures, charges = ledger(), list(Charge.objects.values())
    while deleting.work():
        pass
    assert there(turn.conversation) == [True]
    pass_a_day()
    # No door leads to it, whether somebody has removed it yet or not.
    assert shown(member) == []
    assert member.get(f"/c/{turn.conversation.pk}/").status_code == 404
    assert of(lines(my_data(live_cast.member)), "conversation") == []
    clean()
    assert there(turn.conversation) == [False]
    assert (ledger(), list(Charge.objects.values())) == (figures, charges)
    assert with_word() == []


def test_a_question_that_comes_too_late_is_told_so(live_cast: Cast) -> None:
    turn = temporary(live_cast)
    pass_a_day()
    with pytest.raises(Refused, match="This chat was temporary, and its time is over") as refused:
        posting.post(live_cast.member, turn.conversation, "And?", client_id=uuid.uuid4())
    assert refused.value.status == 410


def test_what_is_under_review_or_held_stays_until_that_is_over(live_cast: Cast, member: Client) -> None:
    rule(live_cast, Kind.WORDS, "marzipan")
    turn = temporary(live_cast, "marzipan")
    pass_a_day()
    deleting.work()
    assert there(turn.conversation) == [True]
    assert shown(member) == []
    client = reviewer(live_cast)
    assert "This chat is temporary." in page_of(client, live_cast, turn.conversation).content.decode()
    assert len(of(lines(my_data(live_cast.member)), "conversation")) == 1  # which is kept, and so told
    hold = holds.place(live_cast.coca_cola, "A dispute", live_cast.reviewer, conversation=turn.conversation)
    QueueEntry.objects.update(status=QueueEntry.Status.DONE)
    deleting.work()
    assert there(turn.conversation) == [True]
    holds.lift(hold, "Settled", live_cast.manager)
    deleting.work()
    assert there(turn.conversation) == [False]


def test_deleted_and_brought_back_it_is_temporary_still(live_cast: Cast, member: Client) -> None:
    turn = temporary(live_cast)
    press(member, "delete", turn.conversation)
    assert shown(member) == []
    press(member, "restore", turn.conversation)
    assert "Temporary:" in member.get("/chats/").content.decode()
    assert Conversation.objects.exclude(temporary_until=None).count() == 1
    deleting.delete([turn.conversation])
    Conversation.objects.update(deleted_at=Now() - timedelta(seconds=13))
    deleting.work()
    assert there(turn.conversation) == [False]


async def test_an_answer_and_open_pages_end_with_it(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(Script(pieces=("a ",) * 9, hang_after=3))
    turn = await in_database(begun, live_cast)
    await generation.start(turn.generation)
    await until(turn, lambda text: text == "a a a ")
    tab = socket(f"/ws/c/{turn.conversation.pk}/", await in_database(cookie_of, live_cast.member))
    assert (await tab.connect())[0]
    await in_database(pass_a_day)
    await in_database(deleting.work)
    await keeper.save()
    assert await running.log.requests[0].client_left()
    await ended(turn)
    await rechecks.look()
    sent = await tab.receive_output()
    while sent["type"] != "websocket.close":
        sent = await tab.receive_output()
    assert sent["code"] == 4401
    await in_database(filing.file_ended)
    await in_database(deleting.work)
    assert await in_database(there, turn.conversation) == [False]


def test_what_was_temporary_can_not_be_brought_back(live_cast: Cast, member: Client) -> None:
    turn = temporary(live_cast)
    pass_a_day()
    assert list(access.deleted(live_cast.member)) == []
    assert member.post("/chats/order/", {"do": "restore", "chat": turn.conversation.pk}).status_code == 404
    assert member.get(reverse("chat_menu", args=[turn.conversation.pk])).status_code == 404


def test_a_link_to_one_is_good_for_as_long_as_it_is_there(cast: Cast) -> None:
    chat = temporary(cast).conversation
    chat.refresh_from_db()
    sharing.share(chat, days=90)
    assert SharedLink.objects.get().expires_at == chat.temporary_until
