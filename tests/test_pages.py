"""The pages and forms over HTTP, and the socket beside them: what each answers, and that they agree."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.test import AsyncClient, Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from conversations import access, generation, pages, posting, thread
from conversations.database import in_database
from conversations.models import Conversation, Generation, Judgement, Message
from conversations.models.persona import MAX_PROMPT_BYTES
from conversations.posting import MAX_MESSAGE_BYTES
from conversations.providers.recorded import RecordedUpstream
from conversations.reviewing.work import CORRECTION_CHARS, NOTE_CHARS
from tests import reviews
from tests.conftest import PASSWORD, Cast
from tests.test_admin import form as persona_form
from tests.test_generation import ended
from tests.test_posting import end, start

HTMX = {"HX-Request": "true"}
FORM = "application/x-www-form-urlencoded"


async def signed_in(cast: Cast) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(cast.member)
    return client


def first_turn(cast: Cast, text: str = "An answer.") -> posting.Turn:
    turn = start(cast)
    end(turn, text=text)
    return turn


async def test_the_first_question_leads_to_its_conversation(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    client = await signed_in(live_cast)
    form = {"text": "What is Coca Cola?", "persona": str(live_cast.guide.pk), "client_id": str(uuid.uuid4())}
    answers = [await client.post("/start/", form, headers=HTMX) for _ in range(2)]
    conversation = await in_database(Conversation.objects.get)
    assert {answer["HX-Redirect"] for answer in answers} == {f"/c/{conversation.pk}/"}
    assert json.loads(answers[0]["HX-Trigger"]) == {"accepted": {}}
    page = (await client.get(f"/c/{conversation.pk}/")).content.decode()
    assert 'role="log" aria-label="Conversation"' in page
    assert f'ws-connect="/ws/c/{conversation.pk}/"' in page
    assert "You are an assistant" not in page


async def test_without_scripts_a_form_leads_to_the_page(live_cast: Cast, running: RecordedUpstream) -> None:
    client = AsyncClient()
    await client.aforce_login(live_cast.member)
    form = {"text": "hello", "persona": str(live_cast.guide.pk), "client_id": str(uuid.uuid4())}
    answer = await client.post("/start/", form)
    assert answer.status_code == 302
    conversation = await in_database(Conversation.objects.get)
    made = await in_database(Generation.objects.select_related("message").get)
    await ended(posting.Turn(conversation, made.message, made))
    form = {"text": "more", "client_id": str(uuid.uuid4())}
    answer = await client.post(f"/c/{conversation.pk}/send/", form)
    assert (answer.status_code, answer["Location"]) == (302, f"/c/{conversation.pk}/")


async def test_a_question_comes_back_as_its_bubble_and_an_empty_answer(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    turn = await in_database(first_turn, live_cast)
    client = await signed_in(live_cast)
    address = reverse("send", args=[turn.conversation.pk])
    answer = await client.post(address, {"text": "<b>more</b>", "client_id": str(uuid.uuid4())}, headers=HTMX)
    fragment = answer.content.decode()
    assert answer.status_code == 200
    assert json.loads(answer["HX-Trigger"]) == {"accepted": {}}
    assert fragment.count("<article") == 2
    assert "&lt;b&gt;more&lt;/b&gt;" in fragment
    assert 'hx-swap-oob="beforeend:#messages"' in fragment
    assert 'aria-label="Stop"' in fragment
    new_id = re.search(r'id="client-id" value="([0-9a-f-]{36})"', fragment)
    assert new_id


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"text": ""}, 400, "Write a message first."),
        ({"text": "   "}, 400, "Write a message first."),
        ({"text": "a" * 32_769}, 413, "at most 32 KB"),
        ({"text": "hello", "client_id": "x"}, 400, "Reload it"),
    ],
    ids=["empty", "blank", "long", "no id"],
)
def test_a_refusal_is_a_sentence_above_the_composer(
    cast: Cast, form: dict[str, str], status: int, says: str
) -> None:
    turn = first_turn(cast)
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    for name, extra in (("send", {}), ("start_chat", {"persona": str(cast.guide.pk)})):
        address = reverse(name, args=[turn.conversation.pk] if name == "send" else [])
        answer = client.post(address, {"client_id": str(uuid.uuid4())} | extra | form)
        assert answer.status_code == status
        assert says in answer.content.decode()
        assert 'id="composer-error" role="alert" hx-swap-oob' in answer.content.decode()
        assert "HX-Trigger" not in answer
    assert Message.objects.count() == 2


def test_an_unknown_persona_is_a_sentence(cast: Cast) -> None:
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    for persona in ("", "x", str(uuid.uuid4()), str(cast.helpdesk.pk)):
        form = {"text": "hello", "persona": persona, "client_id": str(uuid.uuid4())}
        answer = client.post("/start/", form)
        assert answer.status_code == 404
        assert "not available to you" in answer.content.decode()


def test_a_body_past_all_measure_is_refused(cast: Cast) -> None:
    turn = first_turn(cast)
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    for chars in (40_000, 300_000, 2_000_000):
        answer = client.post(
            reverse("send", args=[turn.conversation.pk]),
            {"text": "a" * chars, "client_id": str(uuid.uuid4())},
        )
        assert answer.status_code == 413
        assert "at most 32 KB" in answer.content.decode()
        assert answer.content.decode().strip().startswith('<p class="composer-error"')


def test_a_body_past_all_measure_is_refused_in_words_of_its_place(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.manager)
    body = "a" * 2_000_000
    chat = client.post("/start/", {"text": body})
    persona = client.post(reverse("admin:conversations_persona_change", args=[cast.guide.pk]), {"name": body})
    assert cast.guide.current is not None
    tried = (
        f"{reverse('admin:conversations_persona_try', args=[cast.guide.pk])}?version={cast.guide.current.pk}"
    )
    trial = client.post(tried, {"text": body}, headers=HTMX)
    assert "at most 32 KB" in trial.content.decode()
    assert trial.content.decode().strip().startswith('<p class="composer-error"')
    desk_address = reverse("admin:review_note", args=[cast.coca_cola.pk, first_turn(cast).conversation.pk])
    desk = client.post(desk_address, {"text": body}, headers=HTMX)
    assert {answer.status_code for answer in (chat, persona, desk)} == {413}
    assert "at most 32 KB" in chat.content.decode()
    assert "This form is too long" in persona.content.decode()
    assert "Back to the administration" in persona.content.decode()
    for page in (chat, persona):
        assert "<h1>This was not sent</h1>" in page.content.decode()
        assert page.content.decode().strip().startswith("<!doctype html>")
    assert desk.content.decode().strip().startswith('<p class="desk-sentence"')
    assert "32 KB" not in persona.content.decode() + desk.content.decode()


@pytest.mark.parametrize("correction", ["語" * 30_000, "🙂" * 100_000], ids=["japanese", "emoji"])
def test_a_correction_of_any_legal_length_is_kept(cast: Cast, correction: str) -> None:
    case = reviews.make(cast)
    review = case.claimed(cast.reviewer)
    sent = {"review": review.pk, "answer": reviews.answer(case), "correction": correction}
    address = reviews.page(case) + "judge/"
    answer = reviews.client_of(cast, "reviewer").post(address, urlencode(sent), content_type=FORM)
    assert answer.status_code == 302
    assert Judgement.objects.get(review=review).correction == correction


def test_a_prompt_of_any_legal_length_is_kept(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.manager)
    for prompt in ("é" * 45_000, "🙂" * 25_600, "\r\n.." * 25_600):
        address = reverse("admin:conversations_persona_change", args=[cast.guide.pk])
        sent = urlencode(persona_form(cast, system_prompt=prompt))
        assert client.post(address, sent, content_type=FORM).status_code == 302
        kept = cast.guide.versions.latest("number").system_prompt == prompt.replace("\r\n", "\n").strip()
        assert kept  # said of texts of this length, a difference takes minutes to tell


def test_every_form_that_may_be_sent_gets_through() -> None:
    percent_encoded = 3
    legal = (
        MAX_PROMPT_BYTES + 4 * 500,  # with a greeting
        MAX_MESSAGE_BYTES,
        4 * CORRECTION_CHARS,  # of emoji
        4 * NOTE_CHARS,
    )
    assert percent_encoded * max(legal) + 32 * 1024 < settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_signed_out_is_said_and_nothing_is_lost(cast: Cast) -> None:
    turn = first_turn(cast)
    answer = Client(headers=HTMX).post(reverse("send", args=[turn.conversation.pk]), {"text": "hello"})
    assert answer.status_code == 401
    assert "Your text is kept." in answer.content.decode()


def test_after_signing_in_elsewhere_the_page_goes_on(cast: Cast) -> None:
    turn = first_turn(cast)
    client = Client(enforce_csrf_checks=True, headers=HTMX)

    def sign_in() -> None:
        page = client.get("/accounts/login/").content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        form = {"username": "member", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        assert client.post("/accounts/login/", form).status_code == 302

    sign_in()
    del client.cookies["sessionid"]
    sign_in()
    # The page sends the token of the cookie, as requests.js does, not the one that it was made with.
    token = client.cookies["csrftoken"].value
    answer = client.post(
        reverse("send", args=[turn.conversation.pk]), {"text": ""}, headers={**HTMX, "X-CSRFToken": token}
    )
    assert answer.status_code == 400
    assert "Reload it" in answer.content.decode()


def test_a_page_that_fell_behind_gets_the_whole_thread_with_its_own_turn(live_cast: Cast) -> None:
    turn = first_turn(live_cast)
    shown = thread.standing(turn.conversation).state
    stale = access.conversation(live_cast.member, turn.conversation.pk)
    end(posting.post(live_cast.member, turn.conversation, "missed", client_id=uuid.uuid4()))
    whole = pages.whole_thread(stale, follow=False)
    assert "missed" in whole
    client = Client(headers=HTMX)
    client.force_login(live_cast.member)
    form = {"text": "my own", "client_id": str(uuid.uuid4()), "state": shown}
    answer = client.post(reverse("send", args=[turn.conversation.pk]), form).content.decode()
    assert 'id="messages" hx-swap-oob="outerHTML"' in answer
    assert answer.index("missed") < answer.index("my own")


def test_a_closed_chat_offers_nothing_that_would_be_refused(cast: Cast) -> None:
    turn = first_turn(cast)
    cast.guide.published = False
    cast.guide.save()
    client = Client()
    client.force_login(cast.member)
    page = client.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert "is not published at the moment" in page
    for name in ("Edit", "Regenerate", "Send", "Stop"):
        assert f'aria-label="{name}"' not in page
    Generation.objects.update(status="running", finished_at=None)
    page = client.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert 'aria-label="Stop"' in page


def test_stop_with_nothing_running_gives_the_send_button_back(live_cast: Cast) -> None:
    turn = first_turn(live_cast)
    client = Client(headers=HTMX)
    client.force_login(live_cast.member)
    answer = client.post(reverse("stop", args=[turn.conversation.pk]))
    assert answer.status_code == 200
    assert 'aria-label="Send"' in answer.content.decode()


def test_pages_of_people_are_not_cached_and_carry_the_policy(cast: Cast) -> None:
    turn = first_turn(cast)
    client = Client()
    client.force_login(cast.member)
    for address in ("/", reverse("conversation", args=[turn.conversation.pk]), "/chats/"):
        answer = client.get(address)
        assert answer["Cache-Control"] == "no-store, private"
        policy = answer["Content-Security-Policy"]
        assert re.search(r"script-src( 'nonce-[^' ]+')?;", policy)  # a list has no scripts
        assert "unsafe" not in policy


def test_a_long_conversation_costs_no_more_queries(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    turn = first_turn(cast)
    client = Client()
    client.force_login(cast.member)
    address = reverse("conversation", args=[turn.conversation.pk])
    queries = 14
    with django_assert_num_queries(queries):
        client.get(address)
    for _ in range(10):
        end(posting.post(cast.member, turn.conversation, "more", client_id=uuid.uuid4()))
    with django_assert_num_queries(queries):
        client.get(address)


def test_the_list_of_chats_pages_without_a_gap(cast: Cast) -> None:
    for number in range(95):
        end(start(cast, f"chat number {number}"))
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    titles: list[str] = []
    address: str | None = "/chats/"
    pages = 0
    while address:
        page = client.get(address).content.decode()
        titles += re.findall(r'<span class="chat-title" id="[^"]*" dir="auto">(.*?)</span>', page)
        more = re.search(r'hx-get="([^"]+after=[^"]+)"', page)
        address = more.group(1).replace("&amp;", "&") if more else None
        pages += 1
    assert pages == 3
    assert titles == [f"chat number {number}" for number in reversed(range(95))]
    for cursor in (
        "x",
        "~",
        f"0001-01-01T00:00:00+14:00~{uuid.uuid4()}",
        "2026-01-01~x",
        "2026-01-01T00:00:00+00:00~" + "9" * 40,
    ):
        assert client.get("/chats/", {"after": cursor}).status_code == 200


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-7"])
def test_a_form_in_another_alphabet_is_refused_in_a_line(
    client: Client, db: None, caplog: pytest.LogCaptureFixture, charset: str
) -> None:
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = client.post("/accounts/login/", "username=x", content_type=kind)
    assert answer.status_code == 400
    assert "This was not understood" in answer.content.decode()


def test_what_anybody_can_send_orders_no_traceback(tmp_path: Path) -> None:
    """In a process of its own, for what the log really looks like."""
    code = (
        "import django; django.setup(); from django.core.management import call_command;"
        "call_command('collectstatic', interactive=False, verbosity=0);"
        "from django.test import Client; c = Client(raise_request_exception=False);"
        "print(c.get('/', headers={'host': 'evil.test'}).status_code,"
        " c.get('/healthz', headers={'host': '10.0.0.7'}).status_code, c.head('/accounts/login/').status_code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "chatsite.settings",
            "DATA_DIR": str(tmp_path),
        }
        | {"DEBUG": "off"},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "evil.test" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("400 200")


def test_a_locked_database_is_a_sentence(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def locked(*given: object, **named: object) -> None:
        raise OperationalError("database is locked")

    turn = first_turn(cast)
    monkeypatch.setattr(posting, "post", locked)
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    answer = client.post(
        reverse("send", args=[turn.conversation.pk]), {"text": "x", "client_id": str(uuid.uuid4())}
    )
    assert answer.status_code == 503
    assert "The database does not answer at the moment. Your text is kept." in answer.content.decode()
    assert not [record for record in caplog.records if record.exc_info]


def test_the_health_of_the_parts(client: Client, db: None, settings: Settings) -> None:
    assert client.get("/healthz").content == b"ok\n"
    assert client.get("/readyz").status_code == 200
    settings.REDIS_URL = "redis://127.0.0.1:9"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert b"redis" in answer.content


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/admin/"])
@pytest.mark.parametrize(
    "error", [OperationalError("the connection is lost"), InterfaceError("it is closed")]
)
def test_a_database_that_is_away_is_said_on_every_page(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch, path: str, error: Exception
) -> None:
    client.force_login(cast.admin)

    def away(*given: object) -> None:
        raise error

    monkeypatch.setattr(SessionStore, "load", away)
    reply = client.get(path)
    assert (reply.status_code, reply["Retry-After"]) == (503, "5")
    assert "This page cannot be shown" in reply.content.decode()
    assert "no-store" in reply["Cache-Control"]


@pytest.mark.parametrize("first", [True, False])
async def test_a_question_whose_process_ended_before_it_began_is_begun_by_who_is_asked_again(
    live_cast: Cast, running: RecordedUpstream, first: bool
) -> None:
    """A proxy asks the next process where one ends over a form: the question is kept, and is to be answered."""
    client, client_id = await signed_in(live_cast), uuid.uuid4()
    form = {"text": "hello", "client_id": str(client_id)}
    if first:
        kept = await in_database(
            posting.start, live_cast.member, live_cast.guide, "hello", client_id=client_id
        )
        path, form = "/start/", form | {"persona": str(live_cast.guide.pk)}
    else:
        chat = (await in_database(first_turn, live_cast)).conversation
        kept = await in_database(posting.post, live_cast.member, chat, "hello", client_id=client_id)
        path = f"/c/{chat.pk}/send/"
    for _ in range(2):
        assert (await client.post(path, form, headers=HTMX)).status_code == 200
    answer = await ended(kept)
    assert answer.status == Generation.Status.DONE
    assert len(running.log.requests) == 1


async def test_a_process_that_ends_waits_for_a_form_that_is_being_kept(
    live_cast: Cast, running: RecordedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked just before is answered, as if it had been asked long before."""
    monkeypatch.setattr(generation, "_leaving", False)
    with generation.form():
        leaving = asyncio.create_task(generation.leave(10))
        await asyncio.sleep(0)
        assert generation.leaving()
        turn = await in_database(
            posting.start, live_cast.member, live_cast.guide, "hello", client_id=uuid.uuid4()
        )
        await generation.start(turn.generation)
    await leaving
    assert (await in_database(Generation.objects.get)).status == Generation.Status.DONE
