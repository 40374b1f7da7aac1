"""The pages of a trial: what they say, where they lead, and that our own pages alone may frame them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.test import AsyncClient
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from conversations import access, posting
from conversations.database import in_database
from conversations.models import Conversation, Generation, Message, Persona, PersonaVersion
from conversations.providers.recorded import RecordedUpstream
from tests.conftest import Cast
from tests.test_admin import form
from tests.test_generation import ended
from tests.test_pages import HTMX
from tests.test_posting import end
from tests.test_trial import SECRET, client_of, doors, draft, trial, try_page


async def test_the_first_question_leads_to_a_trial_of_what_the_page_named(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    named = await in_database(draft, live_cast)
    client = AsyncClient()
    await client.aforce_login(live_cast.manager)
    page = (await client.get(try_page(live_cast.guide))).content.decode()
    address = f"{try_page(live_cast.guide)}?version={named.pk}"
    assert f'hx-post="{address}"' in page
    await in_database(draft, live_cast, "Saved by somebody else meanwhile.")
    sent = {"text": "Who are you?", "client_id": str(uuid.uuid4())}
    answers = [await client.post(address, sent, headers=HTMX) for _ in range(2)]
    conversation = await in_database(Conversation.objects.get)
    assert {answer["HX-Redirect"] for answer in answers} == {f"/c/{conversation.pk}/"}
    made = await in_database(Generation.objects.select_related("message").get)
    await ended(posting.Turn(conversation, made.message, made))
    asked = running.log.requests[-1].body
    assert asked is not None
    assert asked["messages"][0] == {"role": "system", "content": SECRET}


def said(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_page_says_what_is_tried(cast: Cast) -> None:
    client = client_of(cast.manager)
    assert "Trial of version 1" in said(client.get(try_page(cast.guide)))
    saved = draft(cast)
    page = said(client.get(try_page(cast.guide)))
    assert f"Trial of the draft saved {saved.created_at:%H:%M}" in page
    assert "Trials are kept out of everybody's chats" in page
    assert SECRET not in page
    for part in ('aria-label="Chats"', 'href="/"', "autofocus"):
        assert part not in page
    turn = trial(cast)
    page = said(client.get(doors(turn)[0][1]))
    assert "Trial of the draft saved" in page
    assert try_page(cast.guide) in page
    back = reverse("admin:conversations_persona_change", args=[cast.guide.pk])
    assert f'href="{back}" target="_top"' in page
    for part in ('aria-label="Chats"', 'href="/"', SECRET):
        assert part not in page


def test_a_draft_of_another_day_is_named_with_its_day(cast: Cast) -> None:
    saved = draft(cast)
    moment = saved.created_at.replace(year=2020, month=5, day=4, hour=9, minute=30)
    QuerySet.update(PersonaVersion.objects.filter(pk=saved.pk), created_at=moment)
    assert "saved 4 May 2020, 09:30" in said(client_of(cast.manager).get(try_page(cast.guide)))


def test_only_the_pages_of_a_trial_are_framed_and_only_by_us(cast: Cast) -> None:
    turn = trial(cast)
    client = client_of(cast.manager)
    for address in (try_page(cast.guide), doors(turn)[0][1]):
        answer = client.get(address)
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    chat = posting.start(cast.manager, cast.guide, "Hello", client_id=uuid.uuid4())
    studio = reverse("admin:conversations_persona_change", args=[cast.guide.pk])
    for address in ("/", reverse("conversation", args=[chat.conversation.pk]), studio, "/chats/"):
        answer = client.get(address)
        assert answer["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert ("frame-src 'self'" in answer["Content-Security-Policy"]) is (address == studio)


def test_the_panel_stands_beside_a_persona_that_has_something_to_try(cast: Cast) -> None:
    client = client_of(cast.manager)
    studio = reverse("admin:conversations_persona_change", args=[cast.guide.pk])
    frame = f'<iframe title="Try it" src="{try_page(cast.guide)}">'
    assert frame in said(client.get(studio))
    assert "<iframe" not in said(client.get(reverse("admin:conversations_persona_add")))
    Persona.objects.filter(pk=cast.guide.pk).update(current=None)
    assert "<iframe" not in said(client.get(studio))
    assert client.get(try_page(cast.guide)).status_code == 404


def test_a_refused_form_is_not_saved_and_says_so_beside_the_trial(cast: Cast) -> None:
    address = reverse("admin:conversations_persona_change", args=[cast.guide.pk])
    note = "<span data-unsaved={} >Save the draft to try your latest changes.</span>"
    client = client_of(cast.manager)
    assert note.format('""').replace(" >", " hidden>") in said(client.get(address))
    refused = client.post(address, form(cast, temperature="99", _publish=None, _draft="Save draft"))
    assert note.format('"refused"') in said(refused)


def test_a_longer_trial_costs_no_more_queries(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    turn = trial(cast)
    conversation = access.conversation(cast.manager, turn.conversation.pk)
    for number in range(10):
        end(posting.post(cast.manager, conversation, f"Question {number}", client_id=uuid.uuid4()))
    client = client_of(cast.manager)
    with django_assert_max_num_queries(12):
        client.get(doors(turn)[0][1])
    assert Message.objects.count() == 22
