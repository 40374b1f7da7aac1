"""Titles by themselves: made once after the first exchange, never over a person's own, paid for, and harmless."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import (
    deleting,
    filing,
    generation,
    order,
    personas,
    posting,
    recall,
    spending,
    titles,
    usage,
)
from conversations.database import in_database
from conversations.models import Budget, Charge, Company, Conversation, Generation, Persona
from conversations.providers import Answer, Endpoint, Finished, FinishReason, title_request
from conversations.providers.naming import TITLE_REQUEST
from conversations.providers.recorded import RecordedUpstream, Script
from tests.answers import ended as answered
from tests.conftest import Cast
from tests.test_access import cookie_of, socket
from tests.test_generation import ask, begin, ended
from tests.test_trial import trial

QUESTION = "How long does an opened bottle keep?"


def says(*pieces: str, **more: Any) -> Script:
    """A title as a model gives it."""
    return Script(pieces=pieces, **more)


async def titled() -> None:
    """Wait until no title is being made."""
    while tasks := titles.at_work():
        await asyncio.wait(tasks)


async def asked(cast: Cast, question: str = QUESTION, persona: Persona | None = None) -> Conversation:
    """A chat whose first answer has ended, and whose title has been made or not."""
    turn = await begin(cast, question, persona)
    await ended(turn)
    await titled()
    return await in_database(Conversation.objects.get, pk=turn.conversation.pk)


# -- What is made of an exchange --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["guide", "historian", "helpdesk"])
async def test_the_first_exchange_gives_a_title_at_each_provider(
    live_cast: Cast, running: RecordedUpstream, settings: Any, name: str
) -> None:
    persona = getattr(live_cast, name)
    person = live_cast.outsider if name == "helpdesk" else live_cast.member
    running.title_scripts.append(says("Keeping ", "an opened bottle"))
    turn = await in_database(lambda: posting.start(person, persona, QUESTION, client_id=uuid.uuid4()))
    await generation.start(turn.generation)
    answer = await ended(turn)
    await titled()
    chat = await in_database(Conversation.objects.get, pk=turn.conversation.pk)
    assert (chat.title, chat.titled_by) == ("Keeping an opened bottle", "model")
    (seen,) = running.titles.requests
    assert seen.path == running.log.requests[0].path
    assert seen.headers["authorization"] == running.log.requests[0].headers["authorization"]
    assert (seen.body["stream"], seen.body["max_tokens"]) == (False, 40)
    said = f"Question:\n{QUESTION}\n\nAnswer:\n{answer.message.text[:1_000]}"
    assert seen.body["messages"] == [
        {"role": "system", "content": TITLE_REQUEST},
        {"role": "user", "content": said},
    ]
    assert set(seen.body) == {"model", "messages", "stream", "max_tokens"}


async def test_a_title_is_found_and_the_cut_is_no_more(live_cast: Cast, running: RecordedUpstream) -> None:
    running.title_scripts.append(says("Marzipan"))
    chat = await asked(live_cast)
    await in_database(filing.file_ended)
    assert [hit.conversation for hit in await in_database(recall.found, live_cast.member, "marzipan")] == [
        chat
    ]
    (hit,) = await in_database(recall.found, live_cast.member, "opened bottle")
    assert hit.message is not None  # by what was asked, and not by what it was called


async def test_a_title_that_comes_behind_the_filing_is_found_too(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    turn = await in_database(ask, live_cast, QUESTION)
    running.title_scripts.append(says("Marzipan", header_delay=0.2))
    await generation.start(turn.generation)
    await ended(turn)
    await in_database(filing.file_ended)
    await titled()
    (hit,) = await in_database(recall.found, live_cast.member, "marzipan")
    assert hit.conversation == turn.conversation


async def test_nothing_is_asked_for_twice(live_cast: Cast, running: RecordedUpstream) -> None:
    running.title_scripts.append(says(""))
    chat = await asked(live_cast)
    (first,) = await in_database(lambda: list(Generation.objects.select_related("message__parent")))
    again = await in_database(
        lambda: posting.regenerate(live_cast.member, first.message, client_id=uuid.uuid4())
    )
    await generation.start(again.generation)
    await ended(again)
    further = await in_database(
        lambda: posting.post(live_cast.member, chat, "And a can?", client_id=uuid.uuid4())
    )
    await generation.start(further.generation)
    await ended(further)
    titles.begin(first.pk)  # as a second process would
    await titled()
    assert len(running.titles.requests) == 1
    assert len(running.log.requests) == 3
    chat = await in_database(Conversation.objects.get, pk=chat.pk)
    assert (chat.title, chat.titled_by) == (QUESTION, "cut")


async def test_several_at_once_make_one(live_cast: Cast, running: RecordedUpstream) -> None:
    turn = await in_database(ask, live_cast, QUESTION)
    await generation.start(turn.generation)
    await ended(turn)
    await titled()
    await in_database(Charge.objects.filter(title=True).delete)
    jobs = await asyncio.gather(*(in_database(titles._reserve, turn.generation.pk) for _ in range(4)))
    assert sum(job is not None for job in jobs) == 1
    assert await in_database(Charge.objects.filter(title=True).count) == 1


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_a_person_s_own_title_stays(live_cast: Cast, running: RecordedUpstream, when: str) -> None:
    turn = await in_database(ask, live_cast, QUESTION)
    running.title_scripts.append(says("Of the model", hang_after=0 if when == "meanwhile" else None))
    if when == "before":
        await in_database(order.rename, turn.conversation, "Of the person")
    await generation.start(turn.generation)
    await ended(turn)
    if when == "meanwhile":
        job = await in_database(_job, turn)
        await in_database(order.rename, turn.conversation, "Of the person")
        assert await in_database(titles._keep, job, "Of the model", spending.NOTHING) is None
        await titles.close()
    else:
        await titled()
        assert running.titles.requests == []
    chat = await in_database(Conversation.objects.get)
    assert (chat.title, chat.titled_by) == ("Of the person", "person")


def _job(turn: posting.Turn) -> titles.Job:
    """What is being asked for, as another process would have it."""
    request = title_request("model", "question", "answer")
    server = Endpoint("mistral", "Mistral", "http://127.0.0.1:9")
    return titles.Job(turn.generation.pk, turn.conversation.pk, server, request)


async def test_a_chat_that_is_deleted_meanwhile_gets_none(live_cast: Cast, running: RecordedUpstream) -> None:
    turn = await in_database(ask, live_cast, QUESTION)
    await in_database(deleting.delete, [turn.conversation])
    assert await in_database(titles._keep, _job(turn), "Of the model", spending.NOTHING) is None
    assert (await in_database(Conversation.objects.get)).title == QUESTION


async def test_a_trial_and_what_did_not_end_well_get_none(live_cast: Cast, running: RecordedUpstream) -> None:
    tried = await in_database(trial, live_cast)
    await generation.start(tried.generation)
    await ended(tried)
    running.scripts.extend([Script(status=401), Script(pieces=("half ",), finish=None)])
    for _ in range(2):
        await asked(live_cast)
    assert running.titles.requests == []
    assert not await in_database(Charge.objects.filter(title=True).exists)


@pytest.mark.parametrize(
    "script",
    [
        Script(status=500),
        Script(status=429, headers={"Retry-After": "1"}),
        Script(raw=b"not json"),
        Script(raw=b'{"error": {"message": "no"}}'),
        says(" \n\n "),
        says("!?"),
        says("Cut in the mid", finish="length"),
    ],
)
async def test_the_cut_stays_where_none_comes(
    live_cast: Cast, running: RecordedUpstream, script: Script
) -> None:
    running.title_scripts.append(script)
    chat = await asked(live_cast)
    assert (chat.title, chat.titled_by) == (QUESTION, "cut")
    assert len(running.titles.requests) == 1
    assert not await in_database(Charge.objects.filter(settled_at=None).exists)


async def test_it_takes_no_time_of_the_answer_s(live_cast: Cast, running: RecordedUpstream) -> None:
    """The answer is over, for its readers and in the record, while the provider says nothing of a title."""
    running.title_scripts.append(says("Late", hang_after=0))
    turn = await begin(live_cast, QUESTION)
    assert (await ended(turn)).status == "done"
    assert await running.titles.arrived(1)
    further = await in_database(
        lambda: posting.post(live_cast.member, turn.conversation, "And?", client_id=uuid.uuid4())
    )
    await generation.start(further.generation)
    assert (await ended(further)).status == "done"


# -- Models that think ------------------------------------------------------------------------------


async def test_a_model_that_thinks_has_room_for_it(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(Script(pieces=("Yes.",), thinking=("Let me ", "see.")))
    running.title_scripts.append(says("A title", thinking=("Six ", "words.")))
    chat = await asked(live_cast)
    assert chat.title == "A title"
    assert running.titles.requests[0].body["max_tokens"] == 1_064


async def test_where_an_effort_is_chosen_there_is_to_be_none(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    await in_database(_think, live_cast.guide)
    await asked(live_cast)
    body = running.titles.requests[0].body
    assert (body["reasoning_effort"], body["max_tokens"]) == ("none", 40)


def _think(persona: Persona) -> None:
    assert persona.current is not None
    version = personas.copy(persona.current)
    version.reasoning_effort = "high"
    personas.publish(persona, version, by=None)
    persona.refresh_from_db()


# -- What it costs ----------------------------------------------------------------------------------


async def test_it_is_reserved_settled_and_counted(live_cast: Cast, running: RecordedUpstream) -> None:
    budget = await in_database(_budget, live_cast, 1_000_000)
    running.title_scripts.append(says("Five ", "words"))
    chat = await asked(live_cast)
    charge = await in_database(Charge.objects.get, pk=chat.pk)
    assert charge.title
    assert charge.settled_at is not None
    assert 0 < charge.tokens < charge.reserved_tokens
    assert charge.reserved_completion == 40
    await in_database(budget.refresh_from_db)
    spent = await in_database(lambda: sum(each.tokens for each in Charge.objects.all()))
    assert (budget.reserved, budget.spent) == (0, spent)
    today = usage.Span.until_today(1)
    here = Company.objects.filter(pk=live_cast.coca_cola.pk)
    counted = await in_database(spending.titles, here, today.first, today.last)
    assert (counted.number, counted.tokens_in, counted.tokens_out) == (
        1,
        charge.prompt_tokens,
        charge.completion_tokens,
    )


def test_the_page_of_usage_tells_what_titles_took(cast: Cast) -> None:
    turn = answered(cast)
    filing.file_ended()
    client = Client()
    client.force_login(cast.reviewer)
    address = reverse("admin:review_usage", args=[cast.coca_cola.pk])
    assert "asked for" not in client.get(address).content.decode()
    spending.reserve_title(turn.generation, 200, 40)
    spending.settle({turn.conversation.pk: spending.Used(190, 6)})
    page = client.get(address).content.decode()
    assert (
        "Beside the answers 1 title was asked for: 190 tokens in, 6 out, –. Budgets count these too." in page
    )
    client.force_login(cast.admin)
    assert "1 title was asked for" in client.get(reverse("admin:review_usage_all")).content.decode()


async def test_without_room_the_cut_stays(live_cast: Cast, running: RecordedUpstream) -> None:
    turn = await in_database(ask, live_cast, QUESTION)
    await in_database(_budget, live_cast, 1)
    await generation.start(turn.generation)
    await ended(turn)
    await titled()
    assert running.titles.requests == []
    chat = await in_database(Conversation.objects.get)
    assert (chat.title, chat.titled_by) == (QUESTION, "cut")
    assert not await in_database(Charge.objects.filter(title=True).exists)


async def test_a_title_is_no_answer_that_is_being_written(
    live_cast: Cast, running: RecordedUpstream, settings: Any
) -> None:
    settings.COMPANY_ANSWERS_AT_ONCE = 1
    running.title_scripts.append(says("Late", hang_after=0))
    turn = await begin(live_cast, QUESTION)
    await ended(turn)
    assert await running.titles.arrived(1)
    assert await in_database(ask, live_cast, "Another?")


async def test_what_a_lost_process_reserved_is_settled(live_cast: Cast, running: RecordedUpstream) -> None:
    running.title_scripts.append(says("Late", hang_after=0))
    await ended(await begin(live_cast, QUESTION))
    assert await running.titles.arrived(1)
    await titles.close()
    assert await in_database(Charge.objects.filter(title=True, settled_at=None).count) == 1
    assert await in_database(lambda: spending.settle_lost(alone=True)) == 1
    charge = await in_database(Charge.objects.get, title=True)
    assert charge.tokens == charge.reserved_tokens


def _budget(cast: Cast, hard: int) -> Budget:
    with transaction.atomic():
        budget = Budget(company=cast.coca_cola, unit="tokens", period="day", hard=hard)
        spending.count_anew(budget)
        budget.save()
    return budget


# -- Somebody else's text ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ('"Keeping an opened bottle"', "Keeping an opened bottle"),
        ("“Flaschen aufbewahren.”", "Flaschen aufbewahren"),
        ("**Title:** Bottles\n\nThis title says…", "Bottles"),
        ("# Title: Bottles", "Bottles"),
        ("\n\n  Two   words \nand a reason", "Two words"),
        ("x" * 5_000, f"{'x' * 60}…"),
        ("word " * 50, f"{('word ' * 12).strip()}…"),
        ("\x1b[31mred\x07 \u202egnp.exe\u2066\u200f", "[31mred gnp.exe"),
        ("a\u2028b\u0085c", "a"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("Family 👨‍👩‍👧 outing", "Family 👨‍👩‍👧 outing"),
        ("می‌خواهم", "می‌خواهم"),
        ("\n" * 900_000, ""),
        ("…", ""),
    ],
)
def test_one_harmless_line_is_taken(said: str, title: str) -> None:
    answer = Answer(said, "", None, Finished(FinishReason.COMPLETE), None, None)
    assert titles.title_in(answer) == title


def test_of_what_breaks_off_the_whole_lines_count() -> None:
    for said, title in (("Half a tit", ""), ("Bottles\n\nThis title", "Bottles")):
        answer = Answer(said, "", None, Finished(FinishReason.LENGTH), None, None)
        assert titles.title_in(answer) == title
    refused = Answer("I cannot", "", None, Finished(FinishReason.FILTERED), None, None)
    assert titles.title_in(refused) == ""


# -- Told to pages ----------------------------------------------------------------------------------


async def opened(cast: Cast, conversation: Conversation, title: str = "") -> WebsocketCommunicator:
    query = f"?state=&title={title}" if title else ""
    tab = socket(f"/ws/c/{conversation.pk}/{query}", await in_database(cookie_of, cast.member))
    assert (await tab.connect())[0]
    return tab


async def test_every_open_page_of_the_person_is_told(live_cast: Cast, running: RecordedUpstream) -> None:
    other = await asked(live_cast, "Elsewhere")
    running.title_scripts.append(says("<b>Bottles</b>"))
    turn = await in_database(ask, live_cast, QUESTION)
    tabs = [await opened(live_cast, turn.conversation), await opened(live_cast, other)]
    await generation.start(turn.generation)
    sign = f'<i id="titled" data-chat="{turn.conversation.pk}" data-title="&lt;b&gt;Bottles&lt;/b&gt;" hidden'
    for tab in tabs:
        while not (await tab.receive_from()).startswith(sign):
            pass
        await tab.disconnect()


async def test_a_page_that_was_not_told_is_told_when_it_comes(live_cast: Cast) -> None:
    turn = await in_database(ask, live_cast, QUESTION)
    await in_database(Generation.objects.update, status="stopped", finished_at=timezone.now())
    await in_database(order.rename, turn.conversation, "Bottles")
    tab = await opened(live_cast, turn.conversation, QUESTION)
    assert 'data-title="Bottles"' in await tab.receive_from()
    assert await tab.receive_nothing()
    await tab.disconnect()
    tab = await opened(live_cast, turn.conversation, "Bottles")
    assert await tab.receive_nothing()
    await tab.disconnect()
