"""A person's chats in their own order: titles, pins, folders, and what is put away."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from conversations import filing, order, recall
from conversations.models import Conversation, Folder
from conversations.posting import Refused
from conversations.views import history
from tests.answers import ended
from tests.conftest import Cast

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/"}
LINE = re.compile(r'<span class="chat-title" id="[^"]*" dir="auto">(.*?)</span>')


@pytest.fixture
def member(cast: Cast) -> Client:
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    return client


def chat(cast: Cast, title: str) -> Conversation:
    return ended(cast, question=title).conversation


def shown(client: Client, address: str = "/chats/") -> list[str]:
    return LINE.findall(client.get(address).content.decode())


def press(client: Client, do: str, *chats: Conversation, **fields: str) -> str:
    """What the page is given for a press that is let through."""
    response = client.post("/chats/order/", {"do": do, "chat": [each.pk for each in chats], **fields})
    assert response.status_code == 200, response.content.decode()
    return str(response.content.decode())


def test_a_title_is_the_persons_own(cast: Cast, member: Client) -> None:
    one = chat(cast, "What is Coca Cola?")
    filing.file_ended()
    page = press(member, "rename", one, title="  <b>Recipes</b>\n and more ")
    assert "&lt;b&gt;Recipes&lt;/b&gt; and more" in page
    assert "<b>Recipes" not in page
    one.refresh_from_db()
    assert (one.title, one.titled_by) == ("<b>Recipes</b> and more", "person")
    assert [hit.conversation for hit in recall.found(cast.member, "recip")] == [one]


@pytest.mark.parametrize("title", ["", " \n ", "\0", "x" * 121])
def test_a_title_is_a_line_of_some_words(cast: Cast, member: Client, title: str) -> None:
    one = chat(cast, "Before")
    response = member.post("/chats/order/", {"do": "rename", "chat": one.pk, "title": title})
    assert response.status_code == 400
    assert "Give a title" in response.content.decode()
    assert shown(member) == ["Before"]


def test_pinned_chats_stand_above_the_others_until_they_are_unpinned(cast: Cast, member: Client) -> None:
    chats = [chat(cast, f"Chat {number}") for number in range(4)]
    press(member, "pin", chats[1])
    page = press(member, "pin", chats[0])
    assert "Chat pinned." in page
    assert shown(member) == ["Chat 0", "Chat 1", "Chat 3", "Chat 2"]
    press(member, "unpin", chats[0], chats[1])
    assert shown(member) == ["Chat 3", "Chat 2", "Chat 1", "Chat 0"]


def test_there_are_only_so_many_pins(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "PINS", 2)
    chats = [chat(cast, f"Chat {number}") for number in range(3)]
    order.pin(cast.member, chats[:2])
    order.pin(cast.member, chats[:2])
    with pytest.raises(Refused, match="2 chats are pinned") as refused:
        order.pin(cast.member, chats[2:])
    assert refused.value.status == 409
    assert Conversation.objects.filter(pinned_at__isnull=False).count() == 2


def test_archived_chats_are_away_and_found_and_come_back(cast: Cast, member: Client) -> None:
    one, two = chat(cast, "One"), chat(cast, "Two marzipan")
    order.pin(cast.member, [one])
    page = press(member, "archive", one, two)
    assert "2 chats archived." in page
    assert shown(member) == []
    assert shown(member, "/chats/?archived") == ["Two marzipan", "One"]
    filing.file_ended()
    assert [hit.conversation for hit in recall.found(cast.member, "marzipan")] == [two]
    assert 'value="unarchive"' in page
    press(member, "unarchive", one, two)
    assert shown(member) == ["Two marzipan", "One"]


def test_a_folder_is_made_filled_renamed_and_removed(cast: Cast, member: Client) -> None:
    one, two = chat(cast, "One"), chat(cast, "Two")
    press(member, "move", one, new_folder="Recipes")
    folder = Folder.objects.get()
    page = press(member, "move", two, folder=str(folder.pk))
    assert "moved to “Recipes”" in page
    assert shown(member, f"/chats/?folder={folder.pk}") == ["Two", "One"]
    press(member, "move", two, folder="")
    assert shown(member, f"/chats/?folder={folder.pk}") == ["One"]
    assert member.post(f"/folders/{folder.pk}/", {"do": "rename", "name": "Food"}).status_code == 200
    assert "Food" in member.get(f"/folders/{folder.pk}/menu/").content.decode()
    assert member.post(f"/folders/{folder.pk}/", {"do": "remove"}).status_code == 200
    assert shown(member) == ["Two", "One"]


def test_many_folders_stand_folded(cast: Cast, member: Client) -> None:
    names = [f"Folder {number:02}" for number in range(history.MANY_FOLDERS + 1)]
    for number, name in enumerate(names):
        page = member.get("/chats/").content.decode()
        assert ('chat-folders" open' in page) == (number > 0)
        Folder.objects.create(owner=cast.member, name=name)
    page = member.get("/chats/").content.decode()
    assert 'chat-folders">' in page
    assert all(f">{name}</span>" in page for name in names)
    assert f"<span>{len(names)}</span>" in page


def test_two_folders_of_one_name_are_one(cast: Cast) -> None:
    first, again = order.make_folder(cast.member, "A"), order.make_folder(cast.member, " A ")
    other = order.make_folder(cast.member, "B")
    assert first == again
    assert order.make_folder(cast.member2, "A") != first
    with pytest.raises(Refused, match="a folder of this name"):
        order.rename_folder(other, "A")


def test_the_pages_of_a_folder_have_no_gaps(
    cast: Cast, member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = order.make_folder(cast.member, "Recipes")
    chats = [chat(cast, f"Chat {number}") for number in range(45)]
    order.move(chats, folder)
    chat(cast, "Elsewhere")
    first = member.get(f"/chats/?folder={folder.pk}").content.decode()
    (more,) = re.findall(r'hx-get="(/chats/\?[^"]*after[^"]*)"', first)
    rest = member.get(more.replace("&amp;", "&")).content.decode()
    assert LINE.findall(first) + LINE.findall(rest) == [f"Chat {number}" for number in reversed(range(45))]


def test_nobody_orders_what_is_not_theirs(cast: Cast, member: Client) -> None:
    mine, theirs = chat(cast, "Mine"), ended(cast, by=cast.member2, question="Theirs").conversation
    folder = order.make_folder(cast.member2, "Theirs")
    for chats, fields in (
        ([theirs.pk], {}),
        ([mine.pk, theirs.pk], {}),
        ([uuid.uuid4()], {}),
        (["x"], {}),
        ([], {}),
        ([mine.pk], {"folder": str(folder.pk)}),
        ([mine.pk], {"folder": "9" * 30}),
        ([mine.pk], {"folder": "x"}),
    ):
        do = "move" if fields else "archive"
        response = member.post("/chats/order/", {"do": do, "chat": chats, **fields})
        assert response.status_code == 404, (chats, fields)
    for address in (f"/folders/{folder.pk}/", f"/c/{theirs.pk}/menu/", f"/folders/{folder.pk}/menu/"):
        assert member.post(address, {"do": "remove"}).status_code in (404, 405)
        assert member.get(address).status_code in (404, 405)
    assert member.get(f"/chats/?folder={folder.pk}").status_code == 404
    assert not Conversation.objects.exclude(folder=None, archived_at=None).exists()
    assert Folder.objects.count() == 1


def test_a_form_that_asks_for_nothing_known_is_refused(cast: Cast, member: Client) -> None:
    one = chat(cast, "One")
    for fields in ({"do": "destroy", "chat": one.pk}, {"chat": one.pk}, {"do": "rename", "chat": one.pk}):
        assert member.post("/chats/order/", fields).status_code == 400
    many = [uuid.uuid4() for _ in range(101)]
    assert member.post("/chats/order/", {"do": "archive", "chat": many}).status_code == 400


def test_a_question_in_an_archived_chat_leaves_it_there(cast: Cast, member: Client) -> None:
    one = chat(cast, "One")
    order.archive([one])
    assert member.get(f"/c/{one.pk}/").status_code == 200
    assert Conversation.objects.get().archived_at is not None
