"""A chat that its owner deletes is out of sight at once, comes back as it was for some seconds, and is gone then."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from conversations import access, deleting, filing, holds, order, posting, recall, rechecks
from conversations.database import in_database
from conversations.exports.making import make
from conversations.finding import Filters
from conversations.generation import keeper
from conversations.models import (
    AnswerRecord,
    Charge,
    Conversation,
    Export,
    Folder,
    Generation,
    QueueEntry,
    Reading,
    RetentionRun,
    Rule,
)
from conversations.posting import Refused
from conversations.providers.recorded import RecordedUpstream, Script
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.everywhere import WORD, ledger, person_of, says, with_word
from tests.exporting import lines_of, sitting_of
from tests.races import at_once
from tests.test_access import DOORS, cookie_of, socket
from tests.test_generation import begin, until
from tests.test_generation import ended as end_of
from tests.test_order import HTMX, chat, press, shown
from tests.test_person_export import lines, my_data, of
from tests.test_reading import sit
from tests.test_retention import clean, there


@pytest.fixture
def member(live_cast: Cast) -> Client:
    client = Client(headers=HTMX)
    client.force_login(live_cast.member)
    return client


def pass_time(seconds: float = 13) -> None:
    """Have what was deleted been deleted so much longer ago."""
    Conversation.objects.filter(deleted_at__isnull=False).update(
        deleted_at=Now() - timedelta(seconds=seconds)
    )


def work() -> None:
    """What the keeper does about deleted chats."""
    while deleting.work():
        pass


# -- Out of sight, and back -------------------------------------------------------------------------


def test_it_leaves_at_once_and_comes_back_as_it_was(live_cast: Cast, member: Client) -> None:
    one, two = chat(live_cast, "One marzipan"), chat(live_cast, "Two")
    filing.file_ended()
    folder = order.make_folder(live_cast.member, "Recipes")
    order.move([one], folder)
    order.pin(live_cast.member, [one])
    page = press(member, "delete", one)
    assert "Chat deleted." in page
    assert 'value="restore"' in page
    assert (shown(member), shown(member, f"/chats/?folder={folder.pk}")) == (["Two"], [])
    assert recall.found(live_cast.member, "marzipan") == []
    assert "Chat brought back." in press(member, "restore", one)
    assert shown(member) == ["One marzipan", "Two"]
    assert shown(member, f"/chats/?folder={folder.pk}") == ["One marzipan"]
    assert [hit.conversation for hit in recall.found(live_cast.member, "marzipan")] == [one]
    assert "2 chats deleted." in press(member, "delete", one, two)
    assert "2 chats brought back." in press(member, "restore", one, two)


def test_an_archived_chat_is_deleted_as_any_other(live_cast: Cast, member: Client) -> None:
    one = chat(live_cast, "One")
    order.archive([one])
    press(member, "delete", one)
    assert shown(member, "/chats/?archived") == []
    press(member, "restore", one)
    assert shown(member, "/chats/?archived") == ["One"]


def test_no_door_of_the_owners_leads_to_it(live_cast: Cast, member: Client) -> None:
    turn = ended(live_cast)
    press(member, "delete", turn.conversation)
    chat_id, message_id = turn.conversation.pk, turn.answer.pk
    doors = [(name, [chat_id]) for name in ("conversation", "send", "stop", "chat_menu")]
    in_it = ("edit", "regenerate", "continue", "switch", "feedback", "flag")
    for name, keys in [*doors, *((name, [chat_id, message_id]) for name in in_it)]:
        assert member.generic(DOORS[name].method, reverse(name, args=keys)).status_code == 404, name
    for do in ("rename", "pin", "unpin", "archive", "unarchive", "move", "delete"):
        response = member.post("/chats/order/", {"do": do, "chat": turn.conversation.pk, "title": "x"})
        assert response.status_code == 404, do
    assert of(lines(my_data(live_cast.member)), "conversation") == []


def test_nobody_deletes_or_brings_back_what_is_not_theirs(live_cast: Cast, member: Client) -> None:
    theirs = ended(live_cast, by=live_cast.member2).conversation
    assert member.post("/chats/order/", {"do": "delete", "chat": theirs.pk}).status_code == 404
    deleting.delete([theirs])
    for do in ("restore", "wait"):
        assert member.post("/chats/order/", {"do": do, "chat": theirs.pk}).status_code == 404
    pass_time(1)
    theirs.refresh_from_db()
    assert theirs.deleted_at is not None
    assert list(access.deleted(live_cast.member2)) == [theirs]


def test_it_is_too_late_once_the_time_is_over(live_cast: Cast, member: Client) -> None:
    one = chat(live_cast, "One")
    press(member, "delete", one)
    pass_time()
    for do in ("restore", "wait"):
        response = member.post("/chats/order/", {"do": do, "chat": one.pk})
        assert response.status_code == 404
        assert "These chats are gone" in response.content.decode()


def test_whoever_is_still_deciding_is_waited_for(live_cast: Cast, member: Client) -> None:
    one = chat(live_cast, "One")
    filing.file_ended()
    press(member, "delete", one)
    pass_time(9)
    assert member.post("/chats/order/", {"do": "wait", "chat": one.pk}).status_code == 204
    Conversation.objects.update(deleted_at=Now() - timedelta(seconds=9))
    work()
    press(member, "restore", one)
    assert shown(member) == ["One"]


def test_pins_of_deleted_chats_leave_room(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "PINS", 1)
    one, two = chat(live_cast, "One"), chat(live_cast, "Two")
    order.pin(live_cast.member, [one])
    deleting.delete([one])
    order.pin(live_cast.member, [two])
    assert Conversation.objects.exclude(pinned_at=None).count() == 2


# -- Gone -------------------------------------------------------------------------------------------


def test_it_goes_when_its_time_is_over_and_not_before(live_cast: Cast) -> None:
    one, two = chat(live_cast, "One"), chat(live_cast, "Two")
    filing.file_ended()
    deleting.delete([one])
    work()
    assert there(one, two) == [True, True]
    pass_time()
    work()
    assert there(one, two) == [False, True]
    assert not RetentionRun.objects.exists()


def test_none_of_its_words_are_left_and_the_figures_are(live_cast: Cast) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    person.username, person.first_name, person.last_name, person.email = "plain", "", "", ""
    person.save()
    turn = says(person, live_cast.coca_cola, live_cast)
    order.rename(turn.conversation, f"{WORD} title")
    Reading.objects.all()._raw_delete("default")  # which stay, with the name that this one was given
    figures, charges = ledger(), list(Charge.objects.values())
    assert with_word()
    deleting.delete([turn.conversation])
    pass_time()
    clean()
    assert (ledger(), list(Charge.objects.values())) == (figures, charges)
    assert AnswerRecord.objects.filter(person=person, message=None, conversation=None).count() == 1
    assert with_word() == []


def test_who_read_it_stays_on_record(live_cast: Cast) -> None:
    turn = says(person_of(live_cast, live_cast.coca_cola), live_cast.coca_cola, live_cast)
    before = list(Reading.objects.values())
    deleting.delete([turn.conversation])
    pass_time()
    clean()
    assert there(turn.conversation) == [False]
    assert list(Reading.objects.values()) == before


def test_an_answer_that_is_not_filed_yet_is_filed_first(live_cast: Cast) -> None:
    turn = ended(live_cast)
    deleting.delete([turn.conversation])
    pass_time()
    work()
    assert there(turn.conversation) == [True]
    filing.file_ended()
    work()
    assert there(turn.conversation) == [False]
    assert AnswerRecord.objects.filter(conversation=None).count() == 1


def test_many_go_a_batch_at_a_time_and_by_several_processes_once(live_cast: Cast) -> None:
    chats = [chat(live_cast, f"Chat {number}") for number in range(45)]
    filing.file_ended()
    deleting.delete(chats)
    pass_time()
    at_once(work, work, work)
    assert not any(there(*chats))


def test_a_folder_that_is_removed_meanwhile_takes_nothing_along(live_cast: Cast, member: Client) -> None:
    one = chat(live_cast, "One")
    folder = order.make_folder(live_cast.member, "Recipes")
    order.move([one], folder)
    press(member, "delete", one)
    order.remove_folder(Folder.objects.get())
    press(member, "restore", one)
    assert shown(member) == ["One"]


# -- What has to stay -------------------------------------------------------------------------------


def reviewer(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.reviewer)
    sit(client, cast)
    return client


def page_of(client: Client, cast: Cast, conversation: Conversation) -> Any:
    return client.get(reverse("admin:review_conversation", args=[cast.coca_cola.pk, conversation.pk]))


def found_by(client: Client, cast: Cast, text: str = "") -> str:
    query = {"text": text} if text else {}
    page = client.get(reverse("admin:review_answers", args=[cast.coca_cola.pk]), query)
    return str(page.content.decode())


def test_reviewers_read_nothing_of_it_from_then_on(live_cast: Cast) -> None:
    turn = ended(live_cast, "marzipan", question="Sweets?")
    filing.file_ended()
    client = reviewer(live_cast)
    assert page_of(client, live_cast, turn.conversation).status_code == 200
    deleting.delete([turn.conversation])
    before = Reading.objects.count()
    assert page_of(client, live_cast, turn.conversation).status_code == 404
    assert "Sweets" not in found_by(client, live_cast)
    assert "No words: its chat was removed" in found_by(client, live_cast)
    assert "No answer fits all of this" in found_by(client, live_cast, "marzipan")
    assert Reading.objects.count() == before
    for kind in (Export.Kind.CSV, Export.Kind.CONVERSATIONS):
        assert lines_of(make(sitting_of(live_cast), kind, Filters())) == b""
    deleting.restore([turn.conversation])
    assert "Sweets" in found_by(client, live_cast, "marzipan")


def test_what_is_under_review_stays_for_its_reviewers_until_that_is_over(
    live_cast: Cast, member: Client
) -> None:
    turn = ended(live_cast, "marzipan", question="Sweets?")
    Rule.objects.create(company=live_cast.coca_cola, kind=Rule.Kind.SAMPLE, value="100")
    filing.file_ended()
    page = press(member, "delete", turn.conversation)
    assert (
        "Chat deleted. It is under review or held: reviewers can read it until that is over, then it goes too."
        in page
    )
    pass_time()
    work()
    assert there(turn.conversation) == [True]
    assert shown(member) == []
    client = reviewer(live_cast)
    assert (
        "The person has deleted this conversation"
        in page_of(client, live_cast, turn.conversation).content.decode()
    )
    assert "Sweets" in found_by(client, live_cast, "marzipan")
    assert lines_of(make(sitting_of(live_cast), Export.Kind.CSV, Filters())) == b""
    (line,) = of(lines(my_data(live_cast.member)), "conversation")
    assert line["deleted_at"]
    QueueEntry.objects.update(status=QueueEntry.Status.DONE)
    work()
    assert there(turn.conversation) == [False]


def test_what_is_held_goes_once_the_hold_is_lifted(live_cast: Cast, member: Client) -> None:
    held, free = chat(live_cast, "Held"), chat(live_cast, "Free")
    filing.file_ended()
    hold = holds.place(live_cast.coca_cola, "A dispute", live_cast.reviewer, conversation=held)
    page = press(member, "delete", held, free)
    assert (
        "One of them is under review or held: reviewers can read it until that is over, then it goes too."
        in page
    )
    pass_time()
    work()
    assert there(held, free) == [True, False]
    holds.place(live_cast.coca_cola, "All of theirs", live_cast.reviewer, person=live_cast.member)
    holds.lift(hold, "Settled", live_cast.manager)
    work()
    assert there(held) == [True]
    assert page_of(reviewer(live_cast), live_cast, held).status_code == 200


# -- While others are at it -------------------------------------------------------------------------


def test_a_question_asked_at_the_same_time_is_kept_whole_or_refused(live_cast: Cast) -> None:
    chats = [ended(live_cast).conversation for _ in range(6)]

    def ask(conversation: Conversation) -> str:
        try:
            posting.post(live_cast.member, conversation, "And?", client_id=uuid.uuid4())
        except Refused as refused:
            return refused.sentence
        return "kept"

    def delete(conversation: Conversation) -> str:
        deleting.delete([conversation])
        return ""

    for each in chats:
        said, _ = at_once(lambda each=each: ask(each), lambda each=each: delete(each))  # type: ignore[misc]
        live = Generation.objects.filter(conversation=each, finished_at=None)
        if said == "kept":
            assert live.get().stop_requested
        else:
            assert said == "This chat was deleted. Your text is kept; start a new chat to send it."
            assert not live.exists()


def test_bringing_back_and_removing_at_the_same_time_leave_all_or_nothing(live_cast: Cast) -> None:
    chats = [ended_in(ended(live_cast).conversation).conversation for _ in range(6)]
    filing.file_ended()
    for each in chats:
        deleting.delete([each])
        pass_time()
        back, _ = at_once(lambda each=each: deleting.restore([each]), lambda: int(deleting.work()))  # type: ignore[misc]
        assert there(each) == [bool(back)]
        assert Generation.objects.filter(conversation=each).count() == (2 if back else 0)


async def test_the_answer_that_is_being_written_ends(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(Script(pieces=("a ",) * 9, hang_after=3))
    turn = await begin(live_cast)
    await until(turn, lambda text: text == "a a a ")
    await in_database(deleting.delete, [turn.conversation])
    await keeper.save()
    assert await running.log.requests[0].client_left()
    answer = await end_of(turn)
    assert (answer.status, answer.message.text) == ("stopped", "a a a ")
    await in_database(deleting.restore, [turn.conversation])
    assert await in_database(access.conversation, live_cast.member, turn.conversation.pk)


async def test_open_pages_are_told_that_it_was_deleted(live_cast: Cast) -> None:
    turn = await in_database(ended, live_cast)
    cookie = await in_database(cookie_of, live_cast.member)
    path = f"/ws/c/{turn.conversation.pk}/"
    tab = socket(path, cookie)
    assert (await tab.connect())[0]
    await in_database(deleting.delete, [turn.conversation])
    await rechecks.look()
    assert await tab.receive_output() == {"type": "websocket.close", "code": 4410}
    assert not (await socket(path, cookie).connect())[0]
    await in_database(deleting.restore, [turn.conversation])
    tab = socket(path, cookie)
    assert (await tab.connect())[0]
    await tab.disconnect()


async def test_whoever_lost_the_company_too_is_told_that_alone(live_cast: Cast) -> None:
    turn = await in_database(ended, live_cast)
    tab = socket(f"/ws/c/{turn.conversation.pk}/", await in_database(cookie_of, live_cast.member))
    assert (await tab.connect())[0]
    await in_database(deleting.delete, [turn.conversation])
    await in_database(User.objects.filter(pk=live_cast.member.pk).update, is_active=False)
    await rechecks.look()
    assert await tab.receive_output() == {"type": "websocket.close", "code": 4401}
