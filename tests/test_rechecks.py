"""A socket does not outlive what let it in, whatever that was, and costs nothing to speak of while it holds."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.utils import OperationalError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations import generation, posting, rechecks, window
from conversations.consumers import ConversationConsumer
from conversations.database import WRITERS, in_database, writing
from conversations.generation import keeper, store
from conversations.generation.runner import RUNS
from conversations.models import Company, Conversation, Persona
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import Cast
from tests.test_access import cookie_of, socket
from tests.test_generation import begin, ended, until
from tests.test_posting import end, start
from tests.test_trial import trial

CLOSED = {"type": "websocket.close", "code": 4401}


def deactivated(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def given_a_password(person: User) -> None:
    person.set_password("another one, as long as it should be")
    person.save()


def removed(person: User) -> None:
    person.memberships.all().delete()


def signed_out(person: User) -> None:
    Session.objects.all().delete()


def timed_out(person: User) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def deleted(person: User) -> None:
    Conversation.objects.filter(owner=person).delete()


def moved_to_another_person(person: User) -> None:
    other = User.objects.get(username="member2" if person.username == "member" else "member")
    Conversation.objects.filter(owner=person).update(owner=other)


CHANGES = [
    deactivated,
    given_a_password,
    removed,
    signed_out,
    timed_out,
    deleted,
    moved_to_another_person,
]


async def path_of_a_chat(cast: Cast) -> str:
    """Of the socket of a chat of the member's, whose answer has ended."""
    turn = await in_database(start, cast)
    await in_database(end, turn)
    return f"/ws/c/{turn.conversation.pk}/"


async def opened(path: str, person: User) -> WebsocketCommunicator:
    tab = socket(path, await in_database(cookie_of, person))
    assert (await tab.connect())[0]
    return tab


@pytest.mark.parametrize("change", CHANGES)
async def test_a_socket_closes_with_what_let_it_in(live_cast: Cast, change: Callable[[User], None]) -> None:
    tab = await opened(await path_of_a_chat(live_cast), live_cast.member)
    await rechecks.look()
    assert await tab.receive_nothing()
    await in_database(change, live_cast.member)
    await rechecks.look()
    assert await tab.receive_output() == CLOSED


def asked_for_a_second_factor(person: User) -> None:
    Company.objects.filter(memberships__user=person).update(requires_second_factor=True)


@pytest.mark.parametrize(
    "change", [deactivated, given_a_password, removed, signed_out, asked_for_a_second_factor]
)
async def test_an_answer_ends_with_the_right_to_see_it(
    live_cast: Cast, running: RecordedUpstream, change: Callable[[User], None]
) -> None:
    running.scripts.append(Script(pieces=("a ",) * 9, hang_after=3))
    turn = await begin(live_cast)
    tab = await opened(f"/ws/c/{turn.conversation.pk}/", live_cast.member)
    await until(turn, lambda text: text == "a a a ")
    await in_database(change, live_cast.member)
    await rechecks.look()
    sent = [await tab.receive_output()]
    while sent[-1] != CLOSED:
        sent.append(await tab.receive_output())
    assert await running.log.requests[0].client_left()
    answer = await ended(turn)
    assert (answer.status, answer.message.text) == ("stopped", "a a a ")
    assert "the page was closed to you" in answer.sentence
    assert await tab.receive_nothing()


@pytest.mark.parametrize("change", [deactivated, removed])
async def test_an_answer_of_somebody_who_was_shut_out_ends_without_a_socket(
    live_cast: Cast, running: RecordedUpstream, change: Callable[[User], None]
) -> None:
    running.scripts.extend([Script(pieces=("a ",) * 9, hang_after=3)] * 2)
    turn, others = await begin(live_cast), await begin_as(live_cast.member2, live_cast.guide)
    for each in (turn, others):
        await until(each, lambda text: text == "a a a ")
    await in_database(change, live_cast.member)
    await keeper.dismiss()
    answer = await ended(turn)
    assert (answer.status, answer.sentence) == ("stopped", store.SHUT)
    assert others.generation.pk in RUNS


async def begin_as(person: User, persona: Persona) -> posting.Turn:
    turn = await in_database(lambda: posting.start(person, persona, "Why?", client_id=uuid.uuid4()))
    await generation.start(turn.generation)
    return turn


async def test_a_trial_closes_with_the_role(live_cast: Cast) -> None:
    turn = await in_database(trial, live_cast)
    tab = await opened(f"/ws/c/{turn.conversation.pk}/", live_cast.manager)
    await in_database(live_cast.manager.memberships.update, role="reviewer")
    await rechecks.look()
    assert await tab.receive_output() == CLOSED


async def test_a_change_that_takes_nothing_away_closes_nothing(live_cast: Cast) -> None:
    tab = await opened(await path_of_a_chat(live_cast), live_cast.member)
    await in_database(live_cast.member.memberships.update, role="manager")
    await rechecks.look()
    await in_database(deactivated, live_cast.member2)
    await rechecks.look()
    assert await tab.receive_nothing()
    await tab.disconnect()


@contextmanager
def counted(queries: list[int]) -> Iterator[None]:
    with CaptureQueriesContext(connection) as seen:
        yield
    queries.append(len(seen))


async def test_many_sockets_take_no_more_queries_than_one(live_cast: Cast) -> None:
    held = []
    queries: list[int] = []
    for _ in range(3):
        turn = await in_database(start, live_cast)
        await in_database(end, turn)
        held.append(("a session", turn.conversation.pk))

    def count() -> None:
        for number in (1, 3):
            with counted(queries):
                assert len(rechecks.evidence(held[:number])) == number

    await in_database(count)
    assert queries[0] == queries[1] <= 3


async def test_a_database_that_is_away_closes_nothing(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = await opened(await path_of_a_chat(live_cast), live_cast.member)
    with monkeypatch.context() as broken:
        broken.setattr(rechecks, "evidence", lambda held: (_ for _ in ()).throw(OperationalError("away")))
        with pytest.raises(OperationalError):
            await rechecks.look()
    assert await tab.receive_nothing()
    await in_database(deactivated, live_cast.member)
    await rechecks.look()
    assert await tab.receive_output() == CLOSED


async def test_a_closed_socket_is_looked_after_no_more(live_cast: Cast) -> None:
    tab = await opened(await path_of_a_chat(live_cast), live_cast.member)
    await tab.disconnect()
    await in_database(deactivated, live_cast.member)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rechecks, "evidence", lambda held: pytest.fail("nothing is open"))
        await rechecks.look()


async def test_a_socket_that_is_given_up_while_it_opens_leaves_nothing(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, showing = await path_of_a_chat(live_cast), asyncio.Event()

    async def stuck(*given: object, **named: object) -> None:
        showing.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(ConversationConsumer, "_show", stuck)
    tab = await opened(path, live_cast.member)
    await showing.wait()
    tab.stop(exceptions=False)
    with contextlib.suppress(asyncio.CancelledError):
        await tab.future
    monkeypatch.setattr(rechecks, "evidence", lambda held: pytest.fail("nothing is open"))
    await rechecks.look()


async def test_a_socket_opens_while_every_writer_waits(live_cast: Cast) -> None:
    path, lock = await path_of_a_chat(live_cast), threading.Event()
    waiting = [asyncio.ensure_future(writing(lock.wait, 10)) for _ in range(2 * WRITERS)]
    try:
        tab = await opened(path, live_cast.member)
    finally:
        lock.set()
    assert all(await asyncio.gather(*waiting))
    await tab.disconnect()


async def test_a_page_that_takes_nothing_in_holds_up_no_other(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown what it missed when it can take it; others are closed meanwhile where they have to be."""
    monkeypatch.setattr(window, "SIZE", 1)
    turn = await in_database(start, live_cast)
    await in_database(end, turn)
    path = f"/ws/c/{turn.conversation.pk}/"
    deaf, other = await opened(f"{path}?state=old", live_cast.member), await opened(path, live_cast.member)
    await in_database(Conversation.objects.update, head=None)  # which neither page has been told
    await rechecks.look()
    await rechecks.look()
    await in_database(signed_out, live_cast.member)
    await rechecks.look()
    while (said := await other.receive_output())["type"] != "websocket.close":
        pass
    assert said == CLOSED
    await deaf.disconnect()
