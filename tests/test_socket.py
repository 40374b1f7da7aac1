"""The socket of a page: what it sends, what it mends, and how it ends."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest
from channels.testing import WebsocketCommunicator
from django.db import OperationalError
from django.urls import reverse

from chatsite.application import application
from conversations import announcements, generation, pages, posting, thread
from conversations.consumers import ConversationConsumer
from conversations.database import in_database
from conversations.models import Generation, Message
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import Cast
from tests.test_access import cookie_of, socket
from tests.test_pages import HTMX, first_turn, signed_in
from tests.test_posting import end, start


async def frames(communicator: WebsocketCommunicator, until: str) -> str:
    """What the socket says, up to a frame that holds `until`."""
    said = ""
    while until not in said:
        said += await communicator.receive_from()
    return said


async def test_the_socket_shows_an_answer_to_its_end(live_cast: Cast, running: RecordedUpstream) -> None:
    turn = await in_database(start, live_cast)
    cookie = await in_database(cookie_of, live_cast.member)
    communicator = socket(f"/ws/c/{turn.conversation.pk}/", cookie)
    assert (await communicator.connect())[0]
    await generation.start(turn.generation)
    said = await frames(communicator, 'data-status="done"')
    assert "most recognizable" in said
    assert "The answer was cut at its length limit." in said
    assert "Continue" in said
    assert 'aria-label="Send"' in said
    await communicator.disconnect()


async def test_other_tabs_get_the_question_before_its_answer(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    turn = await in_database(first_turn, live_cast)
    cookie = await in_database(cookie_of, live_cast.member)
    state = (await in_database(thread.standing, turn.conversation)).state
    tabs = [socket(f"/ws/c/{turn.conversation.pk}/?state={state}", cookie) for _ in range(2)]
    for tab in tabs:
        assert (await tab.connect())[0]
    client = await signed_in(live_cast)
    await client.post(
        reverse("send", args=[turn.conversation.pk]),
        {"text": "What is Coca Cola?", "client_id": str(uuid.uuid4())},
    )
    for tab in tabs:
        said = await frames(tab, 'data-status="done"')
        assert said.index("What is Coca Cola?") < said.index("Coca-Cola, often")
        assert "ws-send" not in said  # the socket follows by itself; only a page has to ask
        await tab.disconnect()


async def test_a_page_that_fell_behind_gets_the_whole_thread(live_cast: Cast) -> None:
    turn = await in_database(first_turn, live_cast)
    state = await in_database(lambda: thread.standing(turn.conversation).state)
    cookie = await in_database(cookie_of, live_cast.member)
    current = socket(f"/ws/c/{turn.conversation.pk}/?state={state}", cookie)
    assert (await current.connect())[0]
    assert await current.receive_nothing()
    await current.disconnect()

    def more() -> None:
        end(posting.post(live_cast.member, turn.conversation, "more", client_id=uuid.uuid4()), text="missed")

    await in_database(more)
    behind = socket(f"/ws/c/{turn.conversation.pk}/?state={state}", cookie)
    assert (await behind.connect())[0]
    said = await behind.receive_from()
    assert 'id="messages" hx-swap-oob="outerHTML"' in said
    assert said.count("<article") == 4
    assert "missed" in said
    await behind.disconnect()


async def test_a_page_that_missed_an_announcement_gets_the_whole_with_the_next(live_cast: Cast) -> None:
    turn = await in_database(first_turn, live_cast)
    cookie = await in_database(cookie_of, live_cast.member)
    tab = socket(f"/ws/c/{turn.conversation.pk}/", cookie)
    assert (await tab.connect())[0]
    await tab.send_to(text_data=json.dumps({"follow": str(turn.generation.pk)}))
    await frames(tab, 'data-status="done"')

    def ask(text: str) -> posting.Turn:
        made = posting.post(live_cast.member, turn.conversation, text, client_id=uuid.uuid4())
        end(made)
        return made

    await in_database(ask, "missed")
    announced = await in_database(ask, "announced")
    await announcements.turn_added(announced, await in_database(pages.asked, announced))
    said = await tab.receive_from()
    assert said.index("missed") < said.index("announced")
    await tab.disconnect()


@pytest.mark.parametrize("broken", ["follower", "handler"])
@pytest.mark.parametrize(
    ("error", "code"), [(OperationalError("database is locked"), 4013), (ValueError("of ours"), 4011)]
)
async def test_what_breaks_in_a_socket_closes_it_and_leaves_nothing_behind(
    live_cast: Cast,
    running: RecordedUpstream,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
    error: Exception,
    code: int,
) -> None:
    running.scripts.append(Script(pieces=("a ",) * 20, hang_after=5))
    turn = await in_database(start, live_cast)
    await generation.start(turn.generation)
    cookie = await in_database(cookie_of, live_cast.member)
    tab = socket(f"/ws/c/{turn.conversation.pk}/", cookie)
    assert (await tab.connect())[0]
    await frames(tab, "a a a")

    def fails(*given: object) -> None:
        raise error

    if broken == "follower":
        monkeypatch.setattr(thread, "turn", fails)
        await generation.stop(turn.conversation.pk)
    else:
        monkeypatch.setattr(thread, "standing", fails)
        await announcements.branch_changed(turn.conversation.pk)
    while (message := await tab.receive_output())["type"] != "websocket.close":
        pass
    assert message["code"] == code
    await tab.disconnect()
    assert not [task for task in asyncio.all_tasks() if "ConversationConsumer" in repr(task)]


async def test_a_client_that_has_just_left_is_no_incident(
    live_cast: Cast, running: RecordedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    running.scripts.append(Script(pieces=("a ",) * 9, hang_after=3))
    turn = await in_database(start, live_cast)
    await generation.start(turn.generation)
    cookie = await in_database(cookie_of, live_cast.member)
    told, tried = asyncio.Queue[dict[str, object]](), asyncio.Event()
    told.put_nowait({"type": "websocket.connect"})

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "websocket.send":
            tried.set()
            raise RuntimeError("the server's own way to say that nobody is there")

    scope = socket(f"/ws/c/{turn.conversation.pk}/", cookie).scope
    serving = asyncio.create_task(application(scope, told.get, send))
    await asyncio.wait_for(tried.wait(), 5)
    told.put_nowait({"type": "websocket.disconnect", "code": 1006})
    await asyncio.wait_for(serving, 5)
    await generation.stop(turn.conversation.pk)
    assert not [record for record in caplog.records if record.exc_info]


async def test_the_channel_layer_out_of_reach_loses_nothing(
    live_cast: Cast, running: RecordedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unreachable:
        def __getattr__(self, name: str) -> object:
            async def fail(*given: object) -> None:
                raise ConnectionError("Redis is down")

            return fail

    turn = await in_database(first_turn, live_cast)
    monkeypatch.setattr(announcements, "get_channel_layer", Unreachable)
    cookie = await in_database(cookie_of, live_cast.member)
    tab = socket(f"/ws/c/{turn.conversation.pk}/", cookie)
    assert (await tab.connect())[0]
    client = await signed_in(live_cast)
    form = {"text": "What is Coca Cola?", "client_id": str(uuid.uuid4())}
    answer = await client.post(reverse("send", args=[turn.conversation.pk]), form, headers=HTMX)
    assert answer.status_code == 200
    made = await in_database(Generation.objects.exclude(pk=turn.generation.pk).get)
    await tab.send_to(text_data=json.dumps({"follow": str(made.pk)}))
    assert "most recognizable" in await frames(tab, 'data-status="done"')
    await tab.disconnect()


async def test_a_switch_of_version_reaches_the_other_tabs(live_cast: Cast) -> None:
    turn = await in_database(first_turn, live_cast, "first")
    answer = await in_database(
        Message.objects.select_related("generation", "parent", "conversation__persona__current").get,
        pk=turn.answer.pk,
    )

    def again() -> None:
        end(posting.regenerate(live_cast.member, answer, client_id=uuid.uuid4()), text="second")

    await in_database(again)
    cookie = await in_database(cookie_of, live_cast.member)
    tab = socket(f"/ws/c/{turn.conversation.pk}/", cookie)
    assert (await tab.connect())[0]
    client = await signed_in(live_cast)
    switched = await client.post(reverse("switch", args=[turn.conversation.pk, turn.answer.pk]))
    for said in (switched.content.decode(), await tab.receive_from()):
        assert ">first</p>" in said.replace(' dir="auto"', "")
        assert "1/2" in said
    await tab.disconnect()


async def test_stop_answers_with_the_end(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(Script(pieces=("a ",) * 9, hang_after=3))
    turn = await in_database(start, live_cast)
    await generation.start(turn.generation)
    assert await running.log.arrived(1)
    client = await signed_in(live_cast)
    answer = await client.post(reverse("stop", args=[turn.conversation.pk]))
    assert 'data-status="stopped"' in answer.content.decode()
    assert 'aria-label="Send"' in answer.content.decode()
    assert (await in_database(Generation.objects.get)).status == "stopped"


async def test_an_announcement_to_a_socket_that_could_not_be_opened_is_passed_over(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    turn = await in_database(first_turn, live_cast)
    tab = socket(f"/ws/c/{turn.conversation.pk}/", await in_database(cookie_of, live_cast.member))

    async def left(*given: object) -> None:
        """The layer has the message already that is now too late."""
        await announcements.turn_added(turn, "<article></article>")

    def away(*given: object) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(announcements, "leave", left)
    monkeypatch.setattr(ConversationConsumer, "_enter", away)
    assert (await tab.connect())[0] is False
    await tab.send_input({"type": "websocket.disconnect", "code": 1006})
    await tab.wait()
    assert "broke" not in caplog.text
