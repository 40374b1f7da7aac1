"""Every limit at its number and one past it: what is refused, in which words, and that it is counted."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from chatsite.application import application
from chatsite.handler import PageHandler
from conversations import attaching, generation, hearing, metrics, posting
from conversations.consumers import FULL, TOO_MUCH
from conversations.database import in_database
from conversations.generation.runner import RUNS
from conversations.hearing import BURST, EARNED, LONGEST, Ear, TooMuch
from conversations.models import Charge, Conversation
from conversations.posting import Refused
from conversations.window import Window
from tests.conftest import Cast
from tests.races import at_once
from tests.test_access import Tab, cookie_of, socket
from tests.test_pages import HTMX, first_turn
from tests.test_posting import end, start
from tests.test_sweeping import Clock


def counted(limit: str) -> float:
    """How often this process has refused something for `limit`."""
    families = text_string_to_metric_families(metrics.text().decode())
    samples = [sample for family in families for sample in family.samples]
    return sum(
        each.value for each in samples if each.name == "chat_refused_total" and each.labels["limit"] == limit
    )


def outcome(send: Callable[[], object]) -> str:
    """`sent`, or the limit that refused it."""
    try:
        send()
    except Refused as refusal:
        return (
            refusal.limit
            if (refusal.status, "Your text is kept" in refusal.sentence) == (429, True)
            else "mute"
        )
    return "sent"


@pytest.mark.parametrize(
    ("setting", "limit"),
    [
        ("MESSAGES_PER_MINUTE", "messages_per_minute"),
        ("ANSWERS_AT_ONCE", "answers_of_a_person"),
        ("COMPANY_ANSWERS_AT_ONCE", "answers_of_a_company"),
    ],
)
def test_of_fifty_questions_at_once_as_many_are_taken_as_may_be(
    live_cast: Cast, settings: Settings, setting: str, limit: str
) -> None:
    setattr(settings, setting, 4)
    people = [live_cast.member, live_cast.member2] if setting.startswith("COMPANY") else [live_cast.member]

    def ask(number: int) -> str:
        person = people[number % len(people)]
        send = partial(posting.start, person, live_cast.guide, "hello", client_id=uuid.uuid4())
        return outcome(send)

    outcomes = at_once(*[partial(ask, number) for number in range(50)])
    assert sorted(outcomes, key="sent".__eq__) == [limit] * 46 + ["sent"] * 4
    assert Conversation.objects.count() == Charge.objects.count() == 4


def test_the_answers_of_a_company_are_all_of_its_people_and_nobody_elses(
    cast: Cast, settings: Settings
) -> None:
    settings.COMPANY_ANSWERS_AT_ONCE = 2
    first = start(cast)
    posting.start(cast.member2, cast.historian, "hello", client_id=uuid.uuid4())
    third = partial(posting.start, cast.reviewer, cast.guide, "hello", client_id=uuid.uuid4())
    assert outcome(third) == "answers_of_a_company"
    assert (
        outcome(partial(posting.start, cast.outsider, cast.helpdesk, "hello", client_id=uuid.uuid4()))
        == "sent"
    )
    end(first)
    assert outcome(third) == "sent"


def test_what_was_taken_is_given_back_and_not_counted_again(cast: Cast, settings: Settings) -> None:
    settings.COMPANY_ANSWERS_AT_ONCE = 1
    client_id = uuid.uuid4()
    first = posting.start(cast.member, cast.guide, "hello", client_id=client_id)
    assert posting.start(cast.member, cast.guide, "hello", client_id=client_id).answer == first.answer


def test_a_refusal_for_a_limit_keeps_the_text_says_when_and_is_counted(
    live_cast: Cast, settings: Settings
) -> None:
    settings.COMPANY_ANSWERS_AT_ONCE = 1
    turn = start(live_cast)
    before = counted("answers_of_a_company")
    client = Client(headers=HTMX)
    client.force_login(live_cast.member2)
    form = {"persona": str(live_cast.guide.pk), "text": "hello", "client_id": str(uuid.uuid4())}
    reply = client.post(reverse("start_chat"), form)
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "10")
    assert "Coca Cola has as many answers being written as it may have at once: 1." in reply.content.decode()
    assert "Your text is kept." in reply.content.decode()
    assert counted("answers_of_a_company") == before + 1
    assert Conversation.objects.get() == turn.conversation


def test_a_process_takes_as_many_answers_as_it_may(
    live_cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROCESS_ANSWERS_AT_ONCE = 2
    monkeypatch.setitem(RUNS, uuid.uuid4(), None)
    turn = first_turn(live_cast)
    client = Client(headers=HTMX)
    client.force_login(live_cast.member)
    address = reverse("send", args=[turn.conversation.pk])
    form = {"text": "", "client_id": str(uuid.uuid4())}
    assert client.post(address, form).status_code == 400  # there is a place: what is missing is a text
    assert client.post(address, form).status_code == 400  # which was given back
    monkeypatch.setitem(RUNS, uuid.uuid4(), None)
    before = counted("answers_of_a_process")
    full = client.post(address, form)
    assert (full.status_code, full.headers["Retry-After"]) == (503, "5")
    assert "as many answers as it can" in full.content.decode()
    assert counted("answers_of_a_process") == before + 1


def test_places_of_a_process_hold_at_once_too(settings: Settings) -> None:
    settings.PROCESS_ANSWERS_AT_ONCE = 3

    def take() -> bool:
        place = generation.place()
        held.append(place)  # entered, and not left: they are all there at once
        return place.__enter__()

    held: list[object] = []
    try:
        assert sum(at_once(*[take] * 20)) == 3
    finally:
        for place in held:
            place.__exit__(None, None, None)  # type: ignore[attr-defined]
    with generation.place() as free:
        assert free


@pytest.mark.parametrize(
    ("address", "more"), [("/start/", attaching.TOTAL_BYTES), ("/chats/order/", 0), ("/admin/login/", 0)]
)
def test_no_body_is_longer_than_any_form_whatever_it_holds(
    cast: Cast, settings: Settings, address: str, more: int
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    client = Client()
    before = counted("body_bytes")
    for filling, status in ((100, 302), (2_000 + more, 413)):
        edge = "\r\n".join(
            (
                "--edge",
                'Content-Disposition: form-data; name="file"; filename="f"',
                "",
                "a" * filling,
                "--edge--",
                "",
            )
        )
        reply = client.generic("POST", address, edge, content_type="multipart/form-data; boundary=edge")
        assert reply.status_code == status
    assert counted("body_bytes") == before + 1


@pytest.mark.django_db(transaction=True)
async def test_what_comes_in_chunks_is_measured(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    headers = [(b"host", b"testserver"), (b"transfer-encoding", b"chunked")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/chats/order/",
        "headers": headers,
        "query_string": b"",
    }
    for pieces, status in ((2, 403), (20, 413)):  # short, it is refused for want of a token
        arriving = [
            {"type": "http.request", "body": b"a" * 100, "more_body": number + 1 < pieces}
            for number in range(pieces)
        ]
        said: list[dict[str, object]] = []

        async def receive(arriving: list[dict[str, object]] = arriving) -> dict[str, object]:
            return arriving.pop(0) if arriving else {"type": "http.disconnect"}

        async def send(message: dict[str, object], said: list[dict[str, object]] = said) -> None:
            said.append(message)

        await PageHandler()(scope, receive, send)
        assert said[0]["status"] == status


# -- Sockets ----------------------------------------------------------------------------------------


async def code_of(communicator: Tab) -> int:
    """With which code the server closes."""
    message = await communicator.receive_output()
    assert message["type"] == "websocket.close", message
    return int(message["code"])


@pytest.mark.parametrize(
    ("setting", "limit"),
    [
        ("PERSON_SOCKETS", "sockets_of_a_person"),
        ("COMPANY_SOCKETS", "sockets_of_a_company"),
        ("PROCESS_SOCKETS", "sockets_of_a_process"),
    ],
)
async def test_one_socket_too_many_is_closed_with_a_code_until_another_goes(
    live_cast: Cast, settings: Settings, setting: str, limit: str
) -> None:
    setattr(settings, setting, 2)
    turn = await in_database(first_turn, live_cast)
    cookie = await in_database(cookie_of, live_cast.member)
    tabs = [socket(f"/ws/c/{turn.conversation.pk}/", cookie) for _ in range(4)]
    before = counted(limit)
    for tab in tabs[:3]:
        assert (await tab.connect())[0]
    assert await code_of(tabs[2]) == FULL
    assert counted(limit) == before + 1
    await tabs[0].disconnect()
    assert (await tabs[3].connect())[0]
    assert await tabs[3].receive_nothing()
    for tab in (tabs[1], tabs[3]):
        await tab.disconnect()


@pytest.mark.parametrize(("setting", "closed"), [("PERSON_SOCKETS", False), ("COMPANY_SOCKETS", False)])
async def test_the_sockets_of_others_leave_room(
    live_cast: Cast, settings: Settings, setting: str, closed: bool
) -> None:
    setattr(settings, setting, 1)
    mine = await in_database(first_turn, live_cast)

    def of_another() -> posting.Turn:
        person, persona = (
            (live_cast.member2, live_cast.guide)
            if setting == "PERSON_SOCKETS"
            else (live_cast.outsider, live_cast.helpdesk)
        )
        turn = posting.start(person, persona, "hello", client_id=uuid.uuid4())
        end(turn)
        return turn

    other = await in_database(of_another)
    tabs = []
    for turn in (mine, other):
        cookie = await in_database(cookie_of, turn.conversation.owner)
        tabs.append(socket(f"/ws/c/{turn.conversation.pk}/", cookie))
        assert (await tabs[-1].connect())[0]
        assert await tabs[-1].receive_nothing()
    for tab in tabs:
        await tab.disconnect()


@pytest.mark.parametrize("kind", ["text_data", "bytes_data"])
async def test_a_message_of_a_page_has_at_most_64_kb(live_cast: Cast, kind: str) -> None:
    turn = await in_database(first_turn, live_cast)
    cookie = await in_database(cookie_of, live_cast.member)
    tab = Tab(
        application,
        f"/ws/c/{turn.conversation.pk}/",
        headers=[(b"host", b"testserver"), (b"cookie", cookie.encode()), (b"origin", b"http://testserver")],
    )
    assert (await tab.connect())[0]
    longest = "x" * LONGEST
    before = counted("socket_message_bytes")
    await tab.send_to(**{kind: longest if kind == "text_data" else longest.encode()})
    assert await tab.receive_nothing()
    await tab.send_to(**{kind: longest + "x" if kind == "text_data" else longest.encode() + b"x"})
    assert await code_of(tab) == TOO_MUCH
    assert counted("socket_message_bytes") == before + 1
    await tab.disconnect()


async def test_a_page_that_says_too_much_is_closed(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "A_SECOND", 0)
    turn = await in_database(first_turn, live_cast)
    cookie = await in_database(cookie_of, live_cast.member)
    tab = socket(f"/ws/c/{turn.conversation.pk}/", cookie)
    assert (await tab.connect())[0]
    before = counted("socket_messages")
    for _ in range(BURST):
        await tab.send_to(text_data=json.dumps({"taken": 5}))
    assert await tab.receive_nothing()
    await tab.send_to(text_data=json.dumps({"taken": 5}))
    assert await code_of(tab) == TOO_MUCH
    assert counted("socket_messages") == before + 1
    await tab.disconnect()


def test_a_page_may_say_so_much_at_once_and_so_much_a_second() -> None:
    clock = Clock()
    ear = Ear(Window(), now=clock)
    for _ in range(BURST):
        ear.hear("{}")
    for _ in range(100):
        clock.now += 1
        for _ in range(5):
            ear.hear("{}")
        with pytest.raises(TooMuch):
            ear.hear("{}")
    clock.now += 1_000  # in which they gather again, and no more than that
    for _ in range(BURST):
        ear.hear("{}")
    with pytest.raises(TooMuch):
        ear.hear("{}")


def test_a_page_that_takes_in_much_is_never_closed_for_saying_so() -> None:
    """As fast as it is sent anything: every report is of an eighth of the window, in characters that count double."""
    window = Window()
    ear = Ear(window, now=Clock())
    for number in range(1, 10_001):
        window.sent("😀" * EARNED)
        assert ear.hear(json.dumps({"taken": number})) is None
    assert not window.full
