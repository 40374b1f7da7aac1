"""A long conversation is read part by part, and every part costs the same."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from conversations import pages, posting, thread
from conversations.models import Conversation, Message
from tests.conftest import Cast
from tests.lengthy import lengthy
from tests.test_posting import end

DEPTH = re.compile(r'data-depth="(\d+)"')
EARLIER = re.compile(r'id="earlier"\s+href="([^"]+)"\s+hx-get="([^"]+)"')
GAP = re.compile(r'id="(later|earlier)-[0-9a-f-]+"\s+href="([^"]+)"\s+hx-get="([^"]+)"')


@pytest.fixture
def chat(cast: Cast) -> Conversation:
    """The member's, of 200 messages."""
    return lengthy(cast.member, cast.guide, 100)


@pytest.fixture
def member(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.member)
    return client


def page_of(chat: Conversation) -> str:
    return reverse("conversation", args=[chat.pk])


def at(chat: Conversation, depth: int) -> Message:
    """The message of the first strand that so many stand above."""
    return chat.messages.get(depth=depth, strand=chat.messages.order_by("created_at").first().pk)  # type: ignore[union-attr]


def depths(html: str) -> list[int]:
    return [int(depth) for depth in DEPTH.findall(html)]


def gap(html: str) -> dict[str, str]:
    """By "earlier" and "later": where a part of what is left out is fetched."""
    return {which: further.replace("&amp;", "&") for which, _, further in GAP.findall(html)}


def test_a_page_shows_the_end_and_leads_to_the_beginning(member: Client, chat: Conversation) -> None:
    html = member.get(page_of(chat)).content.decode()
    shown = depths(html)
    assert shown == list(range(160, 200))
    while found := EARLIER.search(html):
        html = member.get(found[2]).content.decode()
        shown = depths(html) + shown
    assert shown == list(range(200))


def test_the_length_costs_no_queries(
    cast: Cast, member: Client, chat: Conversation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    short = lengthy(cast.member, cast.guide, 2)
    member.get(page_of(short))
    old = at(chat, 70).pk
    with django_assert_num_queries(14):
        member.get(page_of(short))
    with django_assert_num_queries(14):
        member.get(page_of(chat))
    with django_assert_num_queries(17):  # where the message stands that is looked for, and the part around it
        member.get(page_of(chat), {"to": str(old)})
    with django_assert_num_queries(7):
        member.get(reverse("earlier", args=[chat.pk, old]))


def test_a_turn_just_made_is_shown_without_a_query(
    cast: Cast, chat: Conversation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = posting.post(cast.member, chat, "And then?", client_id=uuid.uuid4())
    with django_assert_num_queries(0):
        shown = pages.asked(made)
    assert "And then?" in shown


@pytest.mark.parametrize("depth", [0, 1, 19, 20, 70, 71, 139, 140])
def test_a_link_to_a_message_shows_what_is_around_it_and_the_end(
    member: Client, chat: Conversation, depth: int
) -> None:
    html = member.get(page_of(chat), {"to": str(at(chat, depth).pk)}).content.decode()
    first = max(depth - depth % 2 - 20, 0)
    assert depths(html) == [*range(first, first + 40), *range(180, 200)]
    assert bool(EARLIER.search(html)) == (first > 0)


@pytest.mark.parametrize("depth", [160, 179, 180, 199])
def test_what_is_near_the_end_is_shown_with_all_below_it(
    member: Client, chat: Conversation, depth: int
) -> None:
    html = member.get(page_of(chat), {"to": str(at(chat, depth).pk)}).content.decode()
    assert depths(html) == list(range(depth - depth % 2 - 20, 200))
    assert not gap(html)


@pytest.mark.parametrize(
    "ways", [["later"] * 4, ["earlier"] * 4, ["later", "earlier"] * 2, ["earlier", "later"] * 2]
)
def test_a_gap_is_closed_from_above_and_from_below(
    member: Client, chat: Conversation, ways: list[str]
) -> None:
    html = member.get(page_of(chat), {"to": str(at(chat, 10).pk)}).content.decode()
    above, below = list(range(40)), list(range(180, 200))
    for way in ways:
        html = member.get(gap(html)[way]).content.decode()
        if way == "later":
            above = above + depths(html)
        else:
            below = depths(html) + below
        assert not EARLIER.search(html)
    assert above + below == list(range(200))
    assert not gap(html)


def test_without_scripts_links_lead_up_and_down(member: Client, chat: Conversation) -> None:
    html = member.get(page_of(chat)).content.decode()
    found = EARLIER.search(html)
    assert found
    html = member.get(f"{page_of(chat)}{found[1].removeprefix(page_of(chat))}").content.decode()
    assert depths(html) == list(range(140, 200))
    html = member.get(page_of(chat), {"to": str(at(chat, 50).pk)}).content.decode()
    down = next(href for which, href, _ in GAP.findall(html) if which == "later")
    assert depths(member.get(down).content.decode())[:40] == list(range(48, 88))


def test_only_what_is_a_gap_is_read_as_one(cast: Cast, member: Client, chat: Conversation) -> None:
    other, aside = lengthy(cast.member, cast.guide, 3), at(chat, 101).version("Aside.")
    Message.objects.bulk_create([aside])
    address = reverse("later", args=[chat.pk, at(chat, 100).pk])
    for until in (
        at(chat, 100).pk,
        at(chat, 101).pk,
        at(chat, 3).pk,
        at(other, 5).pk,
        aside.pk,
        uuid.uuid4(),
        "x",
    ):
        assert member.get(address, {"until": str(until)}).status_code == 404, until
    assert member.get(address).status_code == 404
    assert member.get(reverse("earlier", args=[chat.pk, aside.pk])).status_code == 200
    assert member.get(reverse("earlier", args=[chat.pk, at(other, 1).pk])).status_code == 404
    assert member.get(page_of(chat), {"to": "\x00"}).status_code == 200


def test_another_version_of_an_old_message_is_shown_where_it_stands(
    cast: Cast, member: Client, chat: Conversation
) -> None:
    old = at(chat, 71)
    turn = posting.regenerate(cast.member, old, client_id=uuid.uuid4())
    end(turn)
    html = member.get(page_of(chat)).content.decode()
    assert depths(html) == list(range(32, 72))
    assert "2/2" in html
    html = member.post(reverse("switch", args=[chat.pk, old.pk])).content.decode()
    assert depths(html) == [*range(50, 90), *range(180, 200)]
    assert f'id="message-{old.pk}"' in html
    chat.refresh_from_db()
    assert chat.head == at(chat, 199)
    assert not thread.is_shown(chat, turn.answer.pk)
    assert thread.is_shown(chat, old.pk)
    assert thread.is_shown(chat, at(chat, 199).pk)


def test_a_reviewer_is_shown_the_whole_branch(chat: Conversation) -> None:
    assert [turn.depth for turn in thread.whole(chat)] == list(range(200))
    aside = at(chat, 100).version("Aside.")
    Message.objects.bulk_create([aside])
    through = thread.whole(chat, at(chat, 7).pk)  # by its newest replies
    assert [turn.depth for turn in through] == list(range(101))
    assert through[-1].text == "Aside."


def test_a_page_that_fell_behind_gets_the_end(chat: Conversation) -> None:
    whole: Any = pages.whole_thread(chat, follow=False)
    assert depths(whole) == list(range(160, 200))
