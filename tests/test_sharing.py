"""Links to chats: who reads what by one, until when, and that their secret is told to nobody else."""

from __future__ import annotations

import logging
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import deleting, erasing, expiry, filing, holds, posting, retention, sharing
from conversations.models import Conversation, Membership, Message, RetentionRun, SharedLink
from tests.answers import ended, ended_in
from tests.conftest import PASSWORD, Cast
from tests.everywhere import age, carry_out
from tests.test_access import EVERYBODY, sign_in

GUESSED = "A" * 43
PROMPT = "You are an assistant for the company"


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def share(chat: Conversation, days: int = 7) -> str:
    """The path of a link, as its maker is shown it."""
    page = client_of(chat.owner).post(reverse("share", args=[chat.pk]), {"days": days})
    assert page.status_code == 200
    found = re.search(r'value="http://testserver(/s/[\w-]+/)"', page.content.decode())
    assert found
    return found[1]


def reads(person: User, path: str) -> str:
    response = client_of(person).get(path)
    return response.content.decode() if response.status_code == 200 else ""


def is_gone(response: Any) -> bool:
    return response.status_code == 404 and "This link does not lead anywhere" in response.content.decode()


@pytest.fixture
def chat(live_cast: Cast) -> Conversation:
    return ended(live_cast, "zzfirst **answer**", question="zzfirst question").conversation


@pytest.fixture
def path(chat: Conversation) -> str:
    return share(chat)


@pytest.mark.parametrize("who", EVERYBODY)
def test_colleagues_read_it_and_nobody_else(live_cast: Cast, path: str, who: str) -> None:
    client = Client()
    sign_in(client, live_cast, who)
    response = client.get(path)
    guessed = client.get(f"/s/{GUESSED}/")
    if who in {"member", "member2", "reviewer", "manager"}:
        assert "zzfirst <strong>answer</strong>" in response.content.decode()
        assert "zzfirst question" in response.content.decode()
        assert PROMPT not in response.content.decode()
    elif who == "nobody":
        assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/s/")
    else:
        assert is_gone(response)
        assert response.content == guessed.content
    assert is_gone(guessed) or who == "nobody"
    for each in (response, guessed):
        assert each["Referrer-Policy"] == "no-referrer"
        assert "no-store" in each.get("Cache-Control", "no-store")  # the server adds it where it is not said


def test_it_shows_what_was_there_and_nothing_later(live_cast: Cast, chat: Conversation, path: str) -> None:
    later = ended_in(chat, "zzlater answer", question="zzlater question")
    question = Message.objects.get(conversation=chat, parent=None)
    again = posting.edit(live_cast.member, question, "zzedited", client_id=uuid.uuid4())
    assert again.answer.conversation_id == later.conversation.pk
    page = reads(live_cast.member2, path)
    assert "zzfirst question" in page
    assert "zzlater" not in page
    assert "zzedited" not in page


def test_it_can_be_read_and_nothing_else(live_cast: Cast, chat: Conversation, path: str) -> None:
    """No form, no script, nothing that leads back to the chat."""
    page = reads(live_cast.member2, path)
    assert not re.search(r"<(form|script|button|input)", page)
    assert str(chat.pk) not in page
    assert client_of(live_cast.member2).post(path).status_code == 405
    assert client_of(live_cast.member2).get(reverse("conversation", args=[chat.pk])).status_code == 404


@pytest.mark.parametrize("held", [False, True])
def test_a_deleted_chat_is_read_by_no_link(
    live_cast: Cast, chat: Conversation, path: str, held: bool
) -> None:
    if held:
        holds.place(live_cast.coca_cola, "A dispute", live_cast.admin, conversation=chat)
    reader = client_of(live_cast.member2)
    assert reader.get(path).status_code == 200
    deleting.delete([chat])
    assert is_gone(reader.get(path))
    deleting.restore([chat])
    assert reader.get(path).status_code == 200


def test_a_link_that_expired_or_was_revoked_is_as_a_guessed_one(live_cast: Cast, chat: Conversation) -> None:
    expired, revoked, good = (share(chat) for _ in range(3))
    for number, link in enumerate(SharedLink.objects.order_by("pk")):
        if number == 0:
            SharedLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())
        if number == 1:
            client_of(live_cast.member).post(reverse("revoke", args=[link.pk]))
    reader = client_of(live_cast.member2)
    pages = {reader.get(each).content for each in (expired, revoked, f"/s/{GUESSED}/", f"{good[:-2]}/")}
    assert len(pages) == 1
    assert is_gone(reader.get(expired))
    assert reads(live_cast.member2, good)


def test_it_ends_with_the_membership_of_either(live_cast: Cast, path: str) -> None:
    theirs = Membership.objects.filter(user=live_cast.member2)
    place = theirs.get()
    theirs.delete()
    assert is_gone(client_of(live_cast.member2).get(path))
    place.save(force_insert=True)
    assert reads(live_cast.member2, path)
    User.objects.filter(pk=live_cast.member.pk).update(is_active=False)
    assert is_gone(client_of(live_cast.member2).get(path))
    User.objects.filter(pk=live_cast.member.pk).update(is_active=True)
    Membership.objects.filter(user=live_cast.member).delete()
    assert is_gone(client_of(live_cast.member2).get(path))


def test_it_goes_with_the_chat_whose_time_is_over(live_cast: Cast, chat: Conversation, path: str) -> None:
    filing.file_ended()
    row = retention.period(live_cast.coca_cola)
    row.days = 30
    row.save()
    age(chat, 31)
    held = holds.place(live_cast.coca_cola, "A case", live_cast.manager, conversation=chat)
    while expiry.work():
        pass
    assert reads(live_cast.member2, path)
    holds.lift(held, "Over", live_cast.manager)
    RetentionRun.objects.all().delete()
    while expiry.work():
        pass
    assert is_gone(client_of(live_cast.member2).get(path))
    assert not SharedLink.objects.exists()


def test_it_goes_with_its_owner(live_cast: Cast, path: str) -> None:
    filing.file_ended()
    carry_out(erasing.ask(live_cast.member, None, by=live_cast.admin, typed=live_cast.member.username))
    assert is_gone(client_of(live_cast.member2).get(path))
    assert not SharedLink.objects.exists()


def test_who_has_to_sign_in_first_comes_back_to_it(live_cast: Cast, path: str) -> None:
    client = Client()
    assert client.get(path)["Location"] == "/accounts/login/?next=/s/"
    assert path.split("/")[2] not in str(client.get(path).headers)
    morsel = client.cookies["shared"]
    assert (morsel["path"], morsel["httponly"], morsel["samesite"]) == ("/s/", True, "Lax")
    answer = client.post("/accounts/login/", {"username": "member2", "password": PASSWORD, "next": "/s/"})
    assert answer["Location"] == "/s/"
    assert client.get("/s/")["Location"] == path
    assert "zzfirst question" in client.get(path).content.decode()
    assert is_gone(client.get("/s/"))


@pytest.mark.parametrize("cookie", ["", "../c/", "a/b", "x" * 65, "é"])
def test_a_cookie_that_nobody_set_leads_nowhere(live_cast: Cast, cookie: str) -> None:
    client = client_of(live_cast.member2)
    client.cookies["shared"] = cookie
    assert is_gone(client.get("/s/"))


def test_links_are_listed_with_the_chat_and_together(live_cast: Cast, chat: Conversation, path: str) -> None:
    client = client_of(live_cast.member)
    link = SharedLink.objects.get()
    revoke = reverse("revoke", args=[link.pk])
    for address in (reverse("share", args=[chat.pk]), reverse("chat_files")):
        page = client.get(address).content.decode()
        assert f'action="{revoke}"' in page
        assert path not in page  # told once
    assert "Shared by a link" in client.get(reverse("conversation", args=[chat.pk])).content.decode()
    assert client.post(revoke)["Location"] == reverse("chat_files")
    assert "Shared by a link" not in client.get(reverse("conversation", args=[chat.pk])).content.decode()
    assert client.post(revoke).status_code == 404


@pytest.mark.parametrize("who", ["member2", "manager", "admin", "outsider"])
def test_nobody_else_makes_or_revokes_one(live_cast: Cast, chat: Conversation, path: str, who: str) -> None:
    client = client_of(getattr(live_cast, who))
    assert client.post(reverse("share", args=[chat.pk]), {"days": "7"}).status_code == 404
    assert client.post(reverse("revoke", args=[SharedLink.objects.get().pk])).status_code == 404
    assert SharedLink.objects.count() == 1


@pytest.mark.parametrize("days", ["", "0", "8", "-7", "9" * 400, "x"])
def test_it_is_good_for_days_that_are_offered(live_cast: Cast, chat: Conversation, days: str) -> None:
    response = client_of(live_cast.member).post(reverse("share", args=[chat.pk]), {"days": days})
    assert response.status_code == 400
    assert "None was made" in response.content.decode()
    assert not SharedLink.objects.exists()


def test_an_answer_that_is_being_written_is_waited_for(live_cast: Cast) -> None:
    turn = posting.start(live_cast.member, live_cast.guide, "Hello", client_id=uuid.uuid4())
    with pytest.raises(posting.Refused, match="still being written"):
        sharing.share(turn.conversation, 7)


def test_there_is_an_end_to_links(live_cast: Cast, chat: Conversation, monkeypatch: Any) -> None:
    monkeypatch.setattr(sharing, "OPEN", 2)
    sharing.share(chat, 1)
    sharing.share(chat, 1)
    with pytest.raises(posting.Refused, match="Revoke one first"):
        sharing.share(chat, 1)
    SharedLink.objects.update(expires_at=timezone.now() - timedelta(days=1))
    sharing.share(chat, 1)
    assert SharedLink.objects.count() == 1  # expired ones are gone


def test_the_secret_is_kept_nowhere(live_cast: Cast, chat: Conversation, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    token = share(chat).split("/")[2]
    reads(live_cast.member2, f"/s/{token}/")
    Client().get(f"/s/{token}/")
    assert token not in str(list(SharedLink.objects.values()))
    assert not [each for each in caplog.records if token in each.getMessage() and each.name != "django.db"]
